"""Messages that could not land, put on a topic of their own with the reasons.

A dead letter is what the table of rejected events holds: names of subjects and sessions are keyed
hashes. Its key is the place of the message, so that a compacted topic can forget one by tombstone.
"""

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from curation.intake.kafka.records import Record, encoded
from curation.intake.reading import Refused
from curation.intake.rejects import presentable

logger = logging.getLogger(__name__)

WITHIN_S = 10.0


class NotConfirmed(Exception):
    """The brokers have not confirmed every dead letter yet."""


class DeadLetters:
    """Sends dead letters and remembers which are confirmed, so that a retry sends none twice."""

    def __init__(self, *, config: dict[str, Any], topic: str) -> None:
        """A producer for ``topic``; connects when the first letter is sent."""
        self._producer = Producer(config, logger=logger)
        self._topic = topic
        self._sent: set[str] = set()
        self._confirmed: set[str] = set()

    def send(
        self, *, refused: Sequence[Refused], records: Sequence[Record], project_id: int
    ) -> None:
        """Return when the brokers hold every letter; raises :class:`NotConfirmed` otherwise."""
        wanted = {str(one.position) for one in refused}
        for one in refused:
            if one.position not in self._sent | self._confirmed:
                self._produce(one, records[one.index], project_id)
        self._producer.flush(WITHIN_S)
        if missing := wanted - self._confirmed:
            raise NotConfirmed(f"{len(missing)} dead letters for {self._topic} are not confirmed")
        # A position is looked at again only if its batch fails after this; sent twice it does no
        # harm, remembered for ever it would fill the memory.
        self._confirmed -= wanted

    def _produce(self, one: Refused, record: Record, project_id: int) -> None:
        position = record.position
        self._producer.produce(
            self._topic,
            key=position,
            value=presentable(one.payload, project_id=project_id).encode(),
            headers={
                "feedbackhub-reasons": encoded(one.errors),
                "feedbackhub-topic": record.topic,
                "feedbackhub-partition": str(record.partition),
                "feedbackhub-offset": str(record.offset),
                "feedbackhub-timestamp": str(record.timestamp_ms),
            },
            on_delivery=partial(self._on_delivery, position),
        )
        self._sent.add(position)

    def _on_delivery(self, position: str, error: KafkaError | None, message: Message) -> None:
        self._sent.discard(position)
        if error is None:
            self._confirmed.add(position)
        else:
            logger.warning("The dead letter of %s was not taken: %s", position, error)
