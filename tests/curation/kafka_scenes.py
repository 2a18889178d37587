"""Consumers of feedback in processes of their own, on the database of the test."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psycopg2
from django.db import connection

from feedbackhub.leash import die_with_parent
from feedbackhub.supervision import CHECKOUT
from tests.factories import feedback_body
from tests.kafka_broker import REAL, Broker

SOURCE = "orders topic"
# A real broker refuses shorter sessions.
SESSION_S = 6 if REAL else 3
# How long a consumer may go without polling before the group does without it.
POLL_S = SESSION_S + 1
WITHIN_S = 30.0


@dataclass
class Consumer:
    """``manage.py consume_feedback`` in a process of its own."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        """What it logged so far."""
        return self.log.read_text()

    def wait_until_it_reads(self) -> None:
        """Return once it has partitions."""
        self.wait_for(lambda: re.search(r"took over partitions \d", self.said) is not None)

    def wait_for(self, claim: Callable[[], bool], *, within_s: float = WITHIN_S) -> None:
        """Return once the claim holds, while the consumer lives."""

        def holds() -> bool:
            assert self.process.poll() is None, f"the consumer ended: {self.said}"
            return claim()

        wait_until(holds, within_s=within_s, or_say=lambda: self.said)

    def kill(self) -> None:
        """End it without a chance to do anything more."""
        self.process.kill()
        self.process.wait(timeout=10)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Ask it to stop; the seconds it took."""
        started = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(timeout=20)
        return time.monotonic() - started


def wait_until(
    claim: Callable[[], bool],
    *,
    within_s: float = WITHIN_S,
    or_say: Callable[[], str] = str,
) -> None:
    """Return once the claim holds; fails after a while."""
    deadline = time.monotonic() + within_s
    while not claim():
        assert time.monotonic() < deadline, f"it did not come true in {within_s} s. {or_say()}"
        time.sleep(0.05)


@dataclass
class Consumers:
    """Starts consumers of one topic and group."""

    broker: Broker
    folder: Path
    topic: str
    dead_letters: str
    project: str
    started: list[Consumer]

    @property
    def group(self) -> str:
        """The group they share."""
        return f"group-of-{self.topic}"

    def start(self, *options: str) -> Consumer:
        """One more consumer; it reads when ``wait_until_it_reads`` returns."""
        name = f"{self.topic}-{len(self.started)}"
        log = self.folder / f"{name}.log"
        command = [sys.executable, "manage.py", "consume_feedback", "--project", self.project]
        named = ["--source", SOURCE, "--topic", self.topic, "--group", self.group]
        named += ["--dead-letters", self.dead_letters]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*command, *named, *options],
                cwd=CHECKOUT,
                env={**os.environ, **self._environment()},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=die_with_parent(signal.SIGKILL),
            )
        self.started.append(Consumer(process, log))
        return self.started[-1]

    def committed(self) -> int:
        """How many messages the group has done with."""
        return self.broker.committed(self.topic, self.group)

    def _environment(self) -> dict[str, str]:
        properties = self.folder / "client.properties"
        properties.write_text(
            "# Quicker than the defaults to notice who is gone.\n"
            f"session.timeout.ms = {SESSION_S * 1000}\n"
            f"max.poll.interval.ms = {POLL_S * 1000}\n"
            "heartbeat.interval.ms = 300\n"
        )
        return {
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATABASE_URL": database_url(),
            "KAFKA_BOOTSTRAP_SERVERS": self.broker.servers,
            "KAFKA_CLIENT_PROPERTIES": str(properties),
        }


def database_url(name: str | None = None) -> str:
    """The address of the test's database, or of another on its server."""
    facts = connection.settings_dict
    place = f"{facts['HOST']}:{facts['PORT']}/{name or facts['NAME']}"
    return f"postgresql://{facts['USER']}:{facts['PASSWORD']}@{place}"


@contextmanager
def locked(table: str) -> Iterator[None]:
    """Whoever writes to the table waits until the end of the block."""
    other = psycopg2.connect(database_url())
    try:
        with other.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
        yield
    finally:
        other.close()


def waiting_backends() -> list[int]:
    """The database processes of others that wait for a lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
            "AND wait_event_type = 'Lock' AND backend_type = 'client backend'"
        )
        return [pid for (pid,) in cursor.fetchall()]


@contextmanager
def refused_connections() -> Iterator[None]:
    """The database lets nobody in, and throws out who is in, but for this test."""
    name = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        own = cursor.fetchone()[0]
    outside = psycopg2.connect(database_url("postgres"))
    outside.autocommit = True
    try:
        with outside.cursor() as cursor:
            cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = %s AND pid <> %s",
                [name, own],
            )
        yield
    finally:
        with outside.cursor() as cursor:
            cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        outside.close()


def thumb(prediction_id: object, **fields: object) -> bytes:
    """A message: the body of ``POST feedback``."""
    return msgspec.json.encode(feedback_body(str(prediction_id), **fields))
