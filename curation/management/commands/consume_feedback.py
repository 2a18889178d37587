"""``manage.py consume_feedback --project … --source …``: feedback from a Kafka topic."""

import logging
import os
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from prometheus_client import start_http_server

from curation.intake.kafka.client import BadProperties, Connection, read_properties
from curation.intake.kafka.consumer import FeedbackConsumer, stop_on_signals
from curation.intake.kafka.dead_letters import DeadLetters
from curation.intake.kafka.destination import Destination, NoDestination, find, is_unreachable
from feedbackhub.core.clock import utcnow

logger = logging.getLogger(__name__)

# Past the patience for the batch in hand, and short of the ten seconds a supervisor gives.
LEAVE_WITHIN_S = 7.5


class Command(BaseCommand):
    """Consume feedback from a Kafka topic until told to stop."""

    help = (
        "Land the feedback of a Kafka topic: the messages are those of POST feedback. Several "
        "may run at once and share the partitions. See docs/kafka.md."
    )
    # They load every page of the hub and all that trains; this process needs none of it.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--project", required=True, help="Slug of the project.")
        parser.add_argument("--source", required=True, help="Source the events belong to.")
        parser.add_argument("--topic", help="Topic to read; by default KAFKA_TOPIC.")
        parser.add_argument("--group", help="Consumer group; by default KAFKA_GROUP.")
        parser.add_argument(
            "--dead-letters",
            metavar="TOPIC",
            help="Topic of what cannot land; by default KAFKA_DEAD_LETTER_TOPIC.",
        )
        parser.add_argument(
            "--metrics-port", type=int, help="Serve this process' metrics there, on HOST."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM or SIGINT; raises ``CommandError`` when it cannot start or go on."""
        environment = settings.ENV
        if not environment.kafka_bootstrap_servers:
            raise CommandError("KAFKA_BOOTSTRAP_SERVERS is not set; it names the brokers.")
        _refuse_a_wrong_destination(options["project"], options["source"])
        if options["metrics_port"]:
            start_http_server(options["metrics_port"], addr=environment.host)
        topic = options["topic"] or environment.kafka_topic
        try:
            consumer = _consumer(
                connection=_connection(),
                topic=topic,
                group=options["group"]
                or environment.kafka_group
                or f"feedbackhub.{options['project']}.{topic}",
                dead_letters=options["dead_letters"]
                or environment.kafka_dead_letter_topic
                or f"{topic}.dead-letter",
                project=options["project"],
                source=options["source"],
            )
            stop_on_signals(consumer, then=_leave_at_the_latest)
            is_done = consumer.run()
        except KafkaException as error:
            raise CommandError(f"Kafka: {error}") from None
        if not is_done:
            _leave_now()  # The interpreter would wait for the landing thread.


def _refuse_a_wrong_destination(project: str, source: str) -> None:
    """A typing error ends the command at once; a database that is away is waited for later."""
    try:
        find(project=project, source=source, clock=utcnow)
    except NoDestination as error:
        raise CommandError(str(error)) from None
    except Exception as error:
        if not is_unreachable(error):
            raise
        logger.warning("The database cannot be used yet: %s", error)


def _connection() -> Connection:
    path = settings.ENV.kafka_client_properties
    try:
        properties = read_properties(Path(path)) if path else {}
    except BadProperties as error:
        raise CommandError(f"KAFKA_CLIENT_PROPERTIES: {error}") from None
    return Connection(settings.ENV.kafka_bootstrap_servers, properties)


def _consumer(
    *, connection: Connection, topic: str, group: str, dead_letters: str, project: str, source: str
) -> FeedbackConsumer:
    destination = Destination(
        project=project,
        source=source,
        dead_letters=DeadLetters(config=connection.producer(), topic=dead_letters),
        clock=utcnow,
    )
    logger.info("Reading %s as %s for %s / %s.", topic, group, project, source)
    return FeedbackConsumer(
        config=connection.consumer(), topic=topic, group=group, land=destination.land
    )


def _leave_at_the_latest() -> None:
    """End the process soon, whatever it hangs on: brokers or a database that do not answer.

    Nothing is lost by it: what is not committed is delivered again.
    """
    timer = threading.Timer(LEAVE_WITHIN_S, _leave_now)
    timer.daemon = True
    timer.start()


def _leave_now() -> None:
    logger.error("Leaving without good-bye: the brokers or the database do not answer.")
    os._exit(1)
