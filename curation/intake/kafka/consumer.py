"""The consumer loop: fetch, land, commit, in that order, whatever happens in between.

Two threads share the work. This one owns the Kafka client and never waits for Postgres longer than
a moment; the landing thread owns the database connection. While a batch cannot land, its partitions
are paused and the client is polled on, so that the group keeps its member. Offsets are committed
only for what is durable: a lost commit means that messages come again, which landing does not mind.
"""

import logging
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from time import monotonic
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from curation.intake.kafka.lag import HELD_SECONDS, LagReport
from curation.intake.kafka.offsets import Offsets
from curation.intake.kafka.records import Landing, Record

logger = logging.getLogger(__name__)

BATCH = 1_000
FILL_S = 0.2
# A batch in hand is waited for without polling this long; beyond it the partitions are held.
MOMENT_S = 1.0
BACK_OFF_S = (0.5, 1.0, 2.0, 4.0, 5.0)
# What a rebalance, and a stop, give the batch in hand; the group and the supervisor wait meanwhile.
REVOKE_PATIENCE_S = 2.0
STOP_PATIENCE_S = 4.0

Land = Callable[[Sequence[Record]], Landing]


class FeedbackConsumer:
    """One member of a consumer group; :meth:`run` returns after :meth:`stop`."""

    def __init__(self, *, config: dict[str, Any], topic: str, group: str, land: Land) -> None:
        """``land`` makes a batch durable or raises; it runs in a thread of its own."""
        self._topic = topic
        self._land = land
        self._offsets = Offsets(topic=topic)
        self._client = Consumer(
            {**config, "group.id": group, "on_commit": self._offsets.on_commit}, logger=logger
        )
        self._lag = LagReport(topic=topic, group=group)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="landing")
        self._landing: Future[Landing] | None = None
        self._batch: list[Record] = []
        # What arrives while the batch in hand is held.
        self._waiting: list[Record] = []
        self._held_since: float | None = None
        self._stop_by: float | None = None

    def stop(self) -> bool:
        """Finish the batch in hand, commit it and leave the group; whether that is news.

        Safe in a signal handler.
        """
        is_news = self._stop_by is None
        self._stop_by = self._stop_by or monotonic() + STOP_PATIENCE_S
        return is_news

    @property
    def in_memory(self) -> int:
        """Messages taken from the client and not durable yet: a batch at most."""
        return len(self._batch) + len(self._waiting)

    def run(self) -> bool:
        """Consume until stopped; whether the batch in hand came to its end by then.

        Raises ``KafkaException`` when the client is beyond help.
        """
        self._client.subscribe(
            [self._topic],
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_lost,
        )
        try:
            while self._stop_by is None:
                self._batch, self._waiting = self._waiting or self._receive(), []
                self._finish_batch()
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)
            # Sends the commits that are on their way, and says good-bye to the group.
            self._client.close()
        logger.info("Left the group of %s.", self._topic)
        return self._landing is None or self._landing.done()

    def _receive(self) -> list[Record]:
        """What came within a fifth of a second, at most a batch; nothing while held."""
        self._offsets.retry_when_due(self._client)
        is_held = self._held_since is not None
        self._lag.report_when_due(self._client, self._offsets, is_held=is_held)
        records = []
        for message in self._client.consume(BATCH, timeout=FILL_S):
            error = message.error()
            if error is None:
                records.append(_record(message))
            elif error.fatal():
                raise KafkaException(error)
            else:
                logger.warning("%s: %s", self._topic, error.str())
        return records

    def _finish_batch(self) -> None:
        """Land the batch in hand, however long it takes, unless it is revoked or a stop comes."""
        delays = _delays()
        while self._batch:
            self._landing = self._thread.submit(self._land, tuple(self._batch))
            if not self._await(self._landing):
                logger.warning("%d messages did not land in time.", len(self._batch))
                return
            error = self._landing.exception()
            if error is None:
                self._complete(self._landing.result())
                return
            self._hold(f"{type(error).__name__}: {error}".strip())
            self._linger(next(delays))
            if self._stop_by is not None:
                return
        self._release()

    def _await(self, landing: Future[Landing]) -> bool:
        """Whether the landing ended before a stop ran out of patience; polls after a moment."""
        wait([landing], timeout=MOMENT_S)
        while not landing.done():
            if self._stop_by is not None and monotonic() > self._stop_by:
                return False
            self._hold("it takes long")
            self._poll_held()
        return True

    def _linger(self, seconds: float) -> None:
        """Stay in the group for a while without taking anything."""
        until = monotonic() + seconds
        while self._stop_by is None and monotonic() < until:
            self._poll_held()

    def _poll_held(self) -> None:
        # Nothing comes of paused partitions; were it otherwise, it would land next.
        self._waiting += self._receive()

    def _hold(self, why: str) -> None:
        if self._held_since is None:
            self._held_since = monotonic()
            logger.warning("%s is held, %d messages wait: %s", self._topic, len(self._batch), why)
            self._client.pause(self._client.assignment())

    def _release(self) -> None:
        if self._held_since is not None:
            seconds = monotonic() - self._held_since
            HELD_SECONDS.labels(self._topic).inc(seconds)
            logger.info("%s goes on after %.1f s.", self._topic, seconds)
            self._held_since = None
            self._client.resume(self._client.assignment())

    def _complete(self, landing: Landing) -> None:
        """The batch is durable: say so to the group and to the metrics."""
        self._offsets.commit(self._client, self._batch)
        self._batch = []
        self._lag.note(
            landed=landing.landed,
            duplicates=landing.duplicates,
            refused=len(landing.refused),
        )
        self._release()

    def _on_assign(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        client.incremental_assign(partitions)
        # The client remembers a pause from an earlier time with a partition.
        (client.pause if self._held_since is not None else client.resume)(partitions)
        logger.info("%s: took over partitions %s.", self._topic, _numbers(partitions))

    def _on_revoke(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        """Commit what is durable, or becomes so in a moment; let go of the rest."""
        landing = self._landing
        if self._batch and landing is not None:
            # A stop has waited already.
            wait([landing], timeout=REVOKE_PATIENCE_S if self._stop_by is None else 0)
            if landing.done() and landing.exception() is None:
                self._offsets.commit(client, self._batch)
        self._let_go(partitions)
        logger.info("%s: gave up partitions %s.", self._topic, _numbers(partitions))

    def _on_lost(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        """Another consumer has them already and reads on from the last commit."""
        self._let_go(partitions)
        logger.warning("%s: lost partitions %s.", self._topic, _numbers(partitions))

    def _let_go(self, partitions: list[TopicPartition]) -> None:
        gone = {place.partition for place in partitions}
        self._batch = [record for record in self._batch if record.partition not in gone]
        self._waiting = [record for record in self._waiting if record.partition not in gone]
        self._offsets.forget(partitions)


def stop_on_signals(consumer: FeedbackConsumer, *, then: Callable[[], None]) -> None:
    """Let SIGTERM and SIGINT end the consumer in good order; ``then`` hears of the first."""

    def stop(number: int, frame: object) -> None:
        if consumer.stop():
            then()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


def _delays() -> Iterator[float]:
    yield from BACK_OFF_S
    while True:
        yield BACK_OFF_S[-1]


def _record(message: Message) -> Record:
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None
    assert partition is not None
    assert offset is not None
    _, timestamp_ms = message.timestamp()
    return Record(topic, partition, offset, timestamp_ms, message.value())


def _numbers(partitions: Iterable[TopicPartition]) -> str:
    return ", ".join(str(place.partition) for place in sorted(partitions)) or "none"
