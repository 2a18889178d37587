"""The consumer from within: what it keeps in memory, and which offsets it sends when."""

import threading
import time
from collections.abc import Sequence

import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition

from curation.intake.kafka import offsets as offsets_module
from curation.intake.kafka.client import Connection
from curation.intake.kafka.consumer import BATCH, FeedbackConsumer
from curation.intake.kafka.offsets import Offsets
from curation.intake.kafka.records import Landing, Record
from tests.curation.kafka_scenes import wait_until
from tests.kafka_broker import running_broker


class Shore:
    """Where batches land, once it is open."""

    def __init__(self) -> None:
        self.is_open = False
        self.batches: list[list[int]] = []
        self.attempts: list[float] = []

    def land(self, records: Sequence[Record]) -> Landing:
        self.attempts.append(time.monotonic())
        if not self.is_open:
            raise OSError("closed")
        self.batches.append([record.offset for record in records])
        return Landing(landed=len(records), duplicates=0, refused=[])


def test_a_held_consumer_keeps_one_batch_and_tries_at_leisure() -> None:
    shore = Shore()
    with running_broker() as broker:
        topic = broker.topic()
        broker.send(topic, [b"{}"] * 3 * BATCH, partition=1)
        config = Connection(broker.servers, {}).consumer()
        consumer = FeedbackConsumer(config=config, topic=topic, group="g", land=shore.land)
        thread = threading.Thread(target=consumer.run)
        thread.start()
        try:
            wait_until(lambda: len(shore.attempts) >= 3)
            assert consumer.in_memory <= BATCH
            first, second, third = shore.attempts[:3]
            assert second - first >= 0.5
            assert third - second >= 1.0
            shore.is_open = True
            wait_until(lambda: sum(map(len, shore.batches)) == 3 * BATCH)
        finally:
            consumer.stop()
            thread.join(timeout=15)
        assert broker.committed(topic, "g") == 3 * BATCH
    assert [offset for batch in shore.batches for offset in batch] == list(range(3 * BATCH))


class Commits(Consumer):
    """A client that is not connected and remembers what it was asked to commit."""

    sent: list[list[tuple[int, int]]]

    def commit(self, *args: object, offsets: list[TopicPartition], **options: object) -> None:  # type: ignore[override]  # One of its many forms.
        self.sent.append([(place.partition, place.offset) for place in offsets])


@pytest.fixture
def client() -> Commits:
    """Nobody is there to answer it; the tests do."""
    client = Commits({"group.id": "g", "bootstrap.servers": "127.0.0.1:1", "log_level": 0})
    client.sent = []
    return client


def records(partition: int, *offsets: int) -> list[Record]:
    return [Record("t", partition, offset, 0, b"") for offset in offsets]


def confirmed(*places: tuple[int, int]) -> list[TopicPartition]:
    return [TopicPartition("t", *place) for place in places]


def test_refused_offsets_are_sent_again_and_confirmed_ones_are_not(
    client: Commits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offsets_module, "AGAIN_S", 0.0)
    offsets = Offsets(topic="t")
    offsets.commit(client, [*records(0, 4, 5), *records(1, 7)])
    offsets.retry_when_due(client)
    assert client.sent == [[(0, 6), (1, 8)]]
    offsets.on_commit(KafkaError(KafkaError.ILLEGAL_GENERATION), confirmed((0, 6), (1, 8)))
    offsets.retry_when_due(client)
    assert client.sent[1:] == [[(0, 6), (1, 8)]]
    offsets.on_commit(None, confirmed((0, 6), (1, 8)))
    offsets.retry_when_due(client)
    offsets.commit(client, records(1, 8))
    assert client.sent[2:] == [[(1, 9)]]
    assert offsets.confirmed == {0: 6, 1: 8}


def test_offsets_of_partitions_given_up_are_sent_no_more(
    client: Commits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offsets_module, "AGAIN_S", 0.0)
    offsets = Offsets(topic="t")
    offsets.commit(client, [*records(0, 1), *records(1, 1)])
    offsets.on_commit(KafkaError(KafkaError.REBALANCE_IN_PROGRESS), confirmed((0, 2), (1, 2)))
    offsets.forget(confirmed((0, 0)))
    offsets.retry_when_due(client)
    assert client.sent[1:] == [[(1, 2)]]
