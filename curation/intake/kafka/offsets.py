"""Offsets on their way to the group: sent without waiting, and sent again until they are taken."""

import logging
from collections.abc import Iterable
from time import monotonic

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from curation.intake.kafka.records import Record

logger = logging.getLogger(__name__)

AGAIN_S = 1.0


class Offsets:
    """What is durable in Postgres and not confirmed by the group yet, by partition.

    A commit during a rebalance is refused even for partitions that stay. Their messages do not
    come again, so without sending it again the group would stand still until the next batch.
    """

    def __init__(self, *, topic: str) -> None:
        """Nothing is on its way."""
        self._topic = topic
        self._ends: dict[int, int] = {}
        self._again_at: float | None = None
        self.confirmed: dict[int, int] = {}
        """Where the group would read on, by partition, as far as this member knows."""

    def commit(self, client: Consumer, records: Iterable[Record]) -> None:
        """Send where reading goes on after durable ``records``."""
        for record in records:
            end = max(self._ends.get(record.partition, 0), record.offset + 1)
            self._ends[record.partition] = end
        self._send(client)

    def retry_when_due(self, client: Consumer) -> None:
        """Send again what was refused a while ago."""
        if self._again_at is not None and monotonic() >= self._again_at:
            self._send(client)

    def on_commit(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        """Hear what became of a commit."""
        if error is not None:
            logger.info("%s: offsets were refused for now: %s", self._topic, error.str())
            self._again_at = monotonic() + AGAIN_S
            return
        if any(place.error is not None for place in partitions):
            self._again_at = monotonic() + AGAIN_S
        self.confirm(place for place in partitions if place.error is None)

    def confirm(self, partitions: Iterable[TopicPartition]) -> None:
        """The group says that it would read on here."""
        for place in partitions:
            self.confirmed[place.partition] = place.offset
            if self._ends.get(place.partition, -1) <= place.offset:
                self._ends.pop(place.partition, None)

    def forget(self, partitions: Iterable[TopicPartition]) -> None:
        """These belong to another consumer now, which moves their offsets."""
        for place in partitions:
            self._ends.pop(place.partition, None)
            self.confirmed.pop(place.partition, None)

    def _send(self, client: Consumer) -> None:
        self._again_at = None
        if not self._ends:
            return
        ends = [TopicPartition(self._topic, *end) for end in sorted(self._ends.items())]
        try:
            client.commit(offsets=ends, asynchronous=True)
        except KafkaException as error:
            logger.info("%s: offsets were not sent for now: %s", self._topic, error)
            self._again_at = monotonic() + AGAIN_S
