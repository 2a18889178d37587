"""Brokers for tests: librdkafka's own, which speaks the protocol, or a real one that is named.

``python -m tests.kafka_broker`` is a cluster of three in a process of its own, so that a test can
freeze it. It keeps everything in memory. ``KAFKA_BOOTSTRAP_SERVERS`` names a real one instead.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import confluent_kafka
from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from feedbackhub.leash import die_with_parent
from feedbackhub.supervision import CHECKOUT

PARTITIONS = 4
REAL = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "")
PRODUCER = 0


@dataclass
class Broker:
    """A broker and the ways a test looks at it."""

    servers: str
    process: subprocess.Popen[str] | None
    """None for a real broker, which is not ours to freeze."""

    @property
    def _config(self) -> dict[str, Any]:
        # Quiet: brokers that go away are what is tested.
        return {"bootstrap.servers": self.servers, "log_level": 0}

    @cached_property
    def _admin(self) -> AdminClient:
        return AdminClient(self._config)

    def topic(self) -> str:
        """A new topic of four partitions."""
        name = f"feedback-{uuid.uuid4().hex[:12]}"
        if self.process is None:
            for done in self._admin.create_topics([NewTopic(name, PARTITIONS)]).values():
                done.result(timeout=30)
        else:
            # To ask for a topic makes it.
            Producer(self._config).list_topics(name, timeout=10)
        return name

    def send(
        self, topic: str, values: Sequence[bytes | None], *, partition: int | None = None
    ) -> None:
        """Put messages on a topic, round the partitions unless one is named; returns when kept."""
        producer = Producer(self._config)
        for number, value in enumerate(values):
            place = number % PARTITIONS if partition is None else partition
            producer.produce(topic, value, partition=place, headers={"project": b"another"})
        assert producer.flush(20) == 0

    def committed(self, topic: str, group: str) -> int:
        """How many messages of a topic the group has done with."""
        places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        wanted = ConsumerGroupTopicPartitions(group, places)
        [asked] = self._admin.list_consumer_group_offsets([wanted]).values()
        known: ConsumerGroupTopicPartitions = asked.result(timeout=10)
        return sum(max(0, place.offset) for place in known.topic_partitions or [])

    def read(self, topic: str, count: int) -> list[Message]:
        """The messages of a topic once there are ``count``, and what comes a moment later."""
        reading = Consumer({**self._config, "group.id": "reads"})
        messages: list[Message] = []
        try:
            reading.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
            deadline = time.monotonic() + 15
            while len(messages) < count and time.monotonic() < deadline:
                messages += _good(reading.consume(count, timeout=0.2))
            messages += _good(reading.consume(100, timeout=0.5))
        finally:
            reading.close()
        return messages

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """The broker answers nobody, and goes on where it stood afterwards."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


def _good(messages: Iterable[Message]) -> list[Message]:
    return [message for message in messages if message.error() is None]


@contextmanager
def running_broker() -> Iterator[Broker]:
    """The real broker when one is named, else three of librdkafka's in a process of their own."""
    if REAL:
        yield Broker(REAL, None)
        return
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.kafka_broker"],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent(signal.SIGKILL),
    )
    assert process.stdout is not None
    try:
        yield Broker(process.stdout.readline().strip(), process)
    finally:
        process.kill()
        process.wait(timeout=10)
        process.stdout.close()


def _library() -> ctypes.CDLL:
    """The librdkafka that the Python package has loaded."""
    assert confluent_kafka.libversion()
    maps = Path("/proc/self/maps").read_text()
    [path] = {line.split()[-1] for line in maps.splitlines() if "librdkafka" in line}
    return ctypes.CDLL(path)


def main() -> None:
    """Be a cluster until killed; the first line it writes is its addresses."""
    library = _library()
    library.rd_kafka_new.restype = ctypes.c_void_p
    library.rd_kafka_mock_cluster_new.restype = ctypes.c_void_p
    library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
    reason = ctypes.create_string_buffer(512)
    client = library.rd_kafka_new(PRODUCER, None, reason, ctypes.c_size_t(512))
    assert client, reason.value
    cluster = ctypes.c_void_p(library.rd_kafka_mock_cluster_new(ctypes.c_void_p(client), 3))
    # A new group waits three seconds for more members unless told otherwise.
    library.rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, 300)
    sys.stdout.write(library.rd_kafka_mock_cluster_bootstraps(cluster).decode() + "\n")
    sys.stdout.flush()
    signal.pause()


if __name__ == "__main__":
    main()
