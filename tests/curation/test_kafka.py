"""Feedback from Kafka lands once, whoever dies, stops, freezes or comes and goes.

On librdkafka's brokers in a process of their own, or on those of ``KAFKA_BOOTSTRAP_SERVERS``.
"""

import os
import signal
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import msgspec
import pytest
from confluent_kafka import Message
from django.db import connection

from curation.models import Feedback, FeedbackKey, Landed, Project, RejectedEvent, Source
from feedbackhub.embedded import free_port
from tests.curation.kafka_scenes import (
    POLL_S,
    SOURCE,
    Consumers,
    locked,
    refused_connections,
    thumb,
    wait_until,
    waiting_backends,
)
from tests.factories import make_prediction, make_project
from tests.kafka_broker import REAL, Broker, running_broker

KEYS = "curation_feedbackkey"
REJECTED = "curation_rejectedevent"
RESTART = os.environ.get("KAFKA_RESTART_COMMAND", "")
needs_freezing = pytest.mark.skipif(bool(REAL), reason="a real broker is not ours to freeze")


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    """Brokers for all tests here; each has its own topic."""
    with running_broker() as broker:
        yield broker


@pytest.fixture
def project(transactional_db: None) -> Project:
    """A project that other processes see."""
    return make_project()


@pytest.fixture
def prediction_id(project: Project) -> uuid.UUID:
    """Of an answer that thumbs are given to."""
    return make_prediction(project).id


@pytest.fixture
def consumers(broker: Broker, project: Project, tmp_path: Path) -> Iterator[Consumers]:
    """Consumers of a topic of their own; none outlives the test."""
    consumers = Consumers(broker, tmp_path, broker.topic(), broker.topic(), project.slug, [])
    yield consumers
    for consumer in consumers.started:
        consumer.kill()


def landed_exactly(count: int) -> bool:
    """Whether so many events are there, each once in every table; never more."""
    found = Feedback.objects.count()
    assert found <= count
    if found < count:
        return False
    names = set(Feedback.objects.values_list("event_id", flat=True))
    return len(names) == FeedbackKey.objects.count() == Landed.objects.count() == count


def texts(letter: Message) -> dict[str, str]:
    """The headers of a dead letter."""
    pairs = cast(list[tuple[str, bytes]], letter.headers())
    return {name: value.decode() for name, value in pairs}


def test_messages_land_as_posts_do_and_what_cannot_is_kept_twice(
    consumers: Consumers, broker: Broker, prediction_id: uuid.UUID
) -> None:
    port = free_port()
    consumer = consumers.start("--metrics-port", str(port))
    external = {"text": "Cold soup", "label": "positive"}
    good = [thumb(prediction_id, subject="anna"), thumb(prediction_id, rating="down")]
    good.append(msgspec.json.encode({"event_id": "x", "rating": "down", "prediction": external}))
    known = thumb(prediction_id, event_id="known", rating="up")
    poison = [
        thumb(prediction_id, event_id="known", rating="down", subject="berta"),
        b'{"event_id": "\xff"}',
        b"[1, 2",
        None,
        thumb(prediction_id, corrected_label="sideways"),
    ]
    # One partition, so that it is known which body of an event id comes first.
    broker.send(consumers.topic, [*good, known, known, *poison], partition=2)
    consumer.wait_for(lambda: consumers.committed() == 10)

    assert landed_exactly(4)
    source = Source.objects.get(name=SOURCE)
    assert set(Feedback.objects.values_list("source_id", flat=True)) == {source.pk}
    reasons = {
        str(row.position).split("@")[0].rpartition("/")[2]: row.reasons[0]["message"]
        for row in RejectedEvent.objects.filter(source_id=source.pk)
    }
    assert {offset: reason.split(":")[0] for offset, reason in reasons.items()} == {
        "5": "The event_id `known` came before with another body; it differs in",
        "6": "is not UTF-8",
        "7": reasons["7"].split(":")[0],
        "8": "the message has no value",
        "9": "is not a label of this project; these are",
    }
    assert reasons["7"].startswith("is not JSON")

    letters = broker.read(consumers.dead_letters, 5)
    assert len(letters) == 5
    rows = {row.position: row for row in RejectedEvent.objects.all()}
    for letter in letters:
        row = rows[(letter.key() or b"").decode()]
        headers = texts(letter)
        assert (letter.value() or b"").decode() == row.payload
        assert msgspec.json.decode(headers["feedbackhub-reasons"]) == row.reasons
        place = "/".join(
            headers[f"feedbackhub-{part}"] for part in ("topic", "partition", "offset")
        )
        assert row.position == f"{place}@{headers['feedbackhub-timestamp']}"
        assert place.startswith(f"{consumers.topic}/2/")
    assert b"berta" not in b"".join(letter.value() or b"" for letter in letters)

    def numbers() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            text: str = answer.read().decode()
        return text

    lag = f'hub_kafka_lag_messages{{group="{consumers.group}",partition="2",topic='
    consumer.wait_for(lambda: f'{lag}"{consumers.topic}"}} 0.0' in numbers())
    assert f'outcome="landed",topic="{consumers.topic}"}} 4.0' in numbers()
    assert f'outcome="duplicate",topic="{consumers.topic}"}} 1.0' in numbers()
    assert f'outcome="rejected",topic="{consumers.topic}"}} 5.0' in numbers()

    assert consumer.stop() < 10
    assert consumer.process.returncode == 0, consumer.said
    assert "Traceback" not in consumer.said

    # Another group reads from the beginning, as after offsets that were never committed.
    consumers.start("--group", "afresh").wait_for(
        lambda: broker.committed(consumers.topic, "afresh") == 10
    )
    assert landed_exactly(4)
    assert RejectedEvent.objects.count() == 5


@pytest.mark.parametrize("table", [KEYS, REJECTED], ids=["before", "after"])
def test_a_consumer_killed_around_the_postgres_commit_lands_each_event_once(
    consumers: Consumers, broker: Broker, prediction_id: uuid.UUID, table: str
) -> None:
    first = consumers.start()
    first.wait_until_it_reads()
    with locked(table):
        broker.send(consumers.topic, [*(thumb(prediction_id) for _ in range(8)), b"{"])
        # It stands before landing the events, or after that and before their offsets.
        first.wait_for(lambda: bool(waiting_backends()))
        if table == REJECTED:
            first.wait_for(lambda: Feedback.objects.count() > 0)
        first.kill()
        with connection.cursor() as cursor:
            for pid in waiting_backends():
                cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
        wait_until(lambda: not waiting_backends())
        found = Feedback.objects.count()
        assert found == 0 if table == KEYS else 0 < found <= 8
    second = consumers.start()
    second.wait_for(lambda: consumers.committed() == 9)
    assert landed_exactly(8)
    assert RejectedEvent.objects.count() == 1
    assert len(broker.read(consumers.dead_letters, 1)) == 1


def test_consumers_that_join_and_leave_land_each_event_once(
    consumers: Consumers, broker: Broker, prediction_id: uuid.UUID
) -> None:
    first = consumers.start()
    first.wait_until_it_reads()
    # The second joins while the first has a batch in hand that takes long.
    with locked(KEYS):
        broker.send(consumers.topic, [thumb(prediction_id) for _ in range(8)])
        first.wait_for(lambda: bool(waiting_backends()))
        second = consumers.start()
        second.wait_until_it_reads()
        assert "gave up partitions" in first.said
    second.wait_for(lambda: consumers.committed() == 8)
    assert landed_exactly(8)
    broker.send(consumers.topic, [thumb(prediction_id) for _ in range(6)])
    first.stop()
    broker.send(consumers.topic, [thumb(prediction_id) for _ in range(6)])
    second.wait_for(lambda: landed_exactly(20))
    second.wait_for(lambda: consumers.committed() == 20)
    assert first.process.returncode == 0, first.said


@needs_freezing
@pytest.mark.parametrize("seconds", [5, pytest.param(30, marks=pytest.mark.soak)])
def test_a_frozen_broker_costs_time_only(
    consumers: Consumers, broker: Broker, prediction_id: uuid.UUID, seconds: int
) -> None:
    consumer = consumers.start()
    consumer.wait_until_it_reads()
    broker.send(consumers.topic, [thumb(prediction_id) for _ in range(8)])
    with locked(KEYS):
        consumer.wait_for(lambda: bool(waiting_backends()))
        with broker.frozen():
            time.sleep(seconds)
    broker.send(consumers.topic, [thumb(prediction_id) for _ in range(12)])
    consumer.wait_for(lambda: consumers.committed() == 20)
    assert landed_exactly(20)


def test_a_database_that_refuses_is_waited_for_within_the_group(
    consumers: Consumers, broker: Broker, prediction_id: uuid.UUID
) -> None:
    consumer = consumers.start()
    consumer.wait_until_it_reads()
    broker.send(consumers.topic, [thumb(prediction_id) for _ in range(8)])
    consumer.wait_for(lambda: consumers.committed() == 8)
    with refused_connections():
        # More than a batch, so that some are fetched and not in hand when the partitions pause.
        broker.send(consumers.topic, [thumb(prediction_id) for _ in range(2_500)])
        # Longer than a member may go without polling.
        time.sleep(POLL_S + 1.5)
        assert Feedback.objects.count() == 8
        assert "is held" in consumer.said
    consumer.wait_for(lambda: consumers.committed() == 2_508)
    assert landed_exactly(2_508)
    assert "goes on after" in consumer.said
    assert "lost partitions" not in consumer.said
    assert consumer.said.count("took over partitions") == 1


def test_a_stop_finishes_the_batch_in_hand_and_commits_it(
    consumers: Consumers, broker: Broker, prediction_id: uuid.UUID
) -> None:
    consumer = consumers.start()
    consumer.wait_until_it_reads()
    with locked(KEYS):
        broker.send(consumers.topic, [thumb(prediction_id) for _ in range(8)], partition=0)
        consumer.wait_for(lambda: bool(waiting_backends()))
        consumer.process.send_signal(signal.SIGINT)
        time.sleep(1.5)
    assert consumer.stop() < 8
    assert consumer.process.returncode == 0, consumer.said
    assert consumers.committed() == 8
    assert landed_exactly(8)


def test_a_stop_does_not_wait_for_a_database_that_hangs(
    consumers: Consumers, broker: Broker, prediction_id: uuid.UUID
) -> None:
    consumer = consumers.start()
    consumer.wait_until_it_reads()
    with locked(KEYS):
        broker.send(consumers.topic, [thumb(prediction_id) for _ in range(8)])
        consumer.wait_for(lambda: bool(waiting_backends()))
        assert consumer.stop() < 10
    assert consumer.process.returncode == 1
    assert consumers.committed() == 0


@pytest.mark.skipif(
    not (REAL and RESTART),
    reason="needs KAFKA_BOOTSTRAP_SERVERS, and KAFKA_RESTART_COMMAND that restarts the broker",
)
def test_a_restarted_broker_costs_time_only(
    consumers: Consumers, broker: Broker, prediction_id: uuid.UUID
) -> None:
    consumer = consumers.start()
    consumer.wait_until_it_reads()
    broker.send(consumers.topic, [thumb(prediction_id) for _ in range(8)])
    consumer.wait_for(lambda: landed_exactly(8))
    subprocess.run(RESTART, shell=True, check=True, timeout=120)
    broker.send(consumers.topic, [thumb(prediction_id) for _ in range(12)])
    consumer.wait_for(lambda: consumers.committed() == 20, within_s=120)
    assert landed_exactly(20)
