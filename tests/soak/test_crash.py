"""Postgres killed and Redis emptied and killed under load: what was acknowledged is there, once."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psutil
import psycopg2
import pytest
import redis

from feedbackhub.environment import read_env_file
from feedbackhub.supervision import CHECKOUT, session_members
from tests.soak.load import CLIENTS, Request, Tally, requests, send_all
from tests.stack import Hub, running_hub

pytestmark = pytest.mark.stack
PROJECT = "crash"
DIGEST_S = 240

OPEN_A_PROJECT = f"""
from curation.intake.sources import create_source_key
from curation.services import LabelSpec, create_project
from feedbackhub.core.clock import utcnow
from feedbackhub.core.keys import Scope

now = utcnow()
labels = [LabelSpec("negative", "#dc2626", "1"), LabelSpec("positive", "#16a34a", "2")]
project = create_project(
    slug="{PROJECT}", name="Crash", labels=labels, guideline="Judge the soup.",
    created_by=None, is_demo=False, now=now,
)
print(create_source_key(project=project, source_name="load", scopes=[Scope.FEEDBACK], now=now))
"""


def opened_project(hub: Hub) -> str:
    """The key of a project made beside the running hub, as an operator makes one."""
    made = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", OPEN_A_PROJECT],
        cwd=CHECKOUT,
        env={"FEEDBACKHUB_HOME": str(hub.home)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return made.stdout.split()[-1]


def rows(hub: Hub, statement: str) -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(read_env_file(hub.home / "hub.env")["DATABASE_URL"])
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())
    finally:
        connection.close()


def count(hub: Hub, table: str) -> int:
    return int(rows(hub, f"SELECT count(*) FROM {table}")[0][0])


def server(hub: Hub, name: str) -> psutil.Process:
    """The first process of a private server: its parent is none of its own."""
    found = [one for one in session_members(hub.home) if one.name().startswith(name)]
    pids = {one.pid for one in found}
    return next(one for one in found if one.ppid() not in pids)


def kill_postgres(hub: Hub) -> None:
    server(hub, "postgres").kill()


def empty_redis(hub: Hub) -> None:
    with redis.Redis.from_url(read_env_file(hub.home / "hub.env")["REDIS_URL"]) as connection:
        connection.flushall()


def kill_redis(hub: Hub) -> None:
    server(hub, "redis").kill()


Fault = Callable[[Hub], None]
FAULTS: tuple[Fault, ...] = (kill_postgres, empty_redis, kill_redis)


@contextmanager
def faults_on_the_way(
    hub: Hub, tally: Tally, *, faults: Sequence[Fault], total: int
) -> Iterator[list[str]]:
    """Do each fault once its share of the load is acknowledged; the names of those done."""
    done: list[str] = []
    is_over = threading.Event()

    def watch() -> None:
        for number, fault in enumerate(faults, start=1):
            while len(tally.acknowledged) < total * number / (len(faults) + 1):
                if is_over.wait(0.002):
                    return
            fault(hub)
            done.append(fault.__name__)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield done
    finally:
        is_over.set()
        thread.join()


def survive(hub: Hub, todo: list[Request], *, faults: Sequence[Fault] = FAULTS) -> None:
    key = opened_project(hub)
    sent = {event["event_id"] for request in todo for event in request.events}
    tally = Tally()
    with faults_on_the_way(hub, tally, faults=faults, total=len(sent)) as done:
        send_all(port=hub.port, project=PROJECT, key=key, todo=todo, tally=tally)
    assert done == [fault.__name__ for fault in faults]
    # Lost answers and refusals to wait for: nothing else may have reached the senders.
    assert set(tally.statuses) <= {200, 201, 503}, tally.statuses
    assert tally.broken + tally.statuses[503] >= CLIENTS, "the load did not feel the faults"
    assert tally.acknowledged | tally.given_up == sent
    require_exactly(hub, tally)
    require_digested(hub, tally)


def require_exactly(hub: Hub, tally: Tally) -> None:
    """The acknowledged events are there, each once; a given up one is there at most once."""
    stored = [event_id for (event_id,) in rows(hub, "SELECT event_id FROM curation_feedback")]
    known = set(stored)
    assert len(stored) == len(known), "an event is there twice"
    assert tally.acknowledged - known == set(), "an acknowledged event is lost"
    assert known - tally.acknowledged <= tally.given_up
    assert count(hub, "curation_feedbackkey") == len(stored)
    # Each external prediction was stored with its feedback, or not at all.
    assert count(hub, "curation_prediction") == len(stored)


def require_digested(hub: Hub, tally: Tally) -> None:
    """The hub's own workers, whose broker was emptied and killed, digest all of it."""
    deadline = time.monotonic() + DIGEST_S
    while left := count(hub, "curation_landed"):
        assert time.monotonic() < deadline, f"{left} events are not digested"
        time.sleep(0.2)
    without = rows(
        hub,
        "SELECT count(*) FROM curation_feedback f WHERE NOT EXISTS "
        "(SELECT 1 FROM curation_feedbackoutcome o WHERE o.feedback_id = f.id)",
    )
    assert without == [(0,)]
    assert count(hub, "curation_feedbackoutcome") == count(hub, "curation_feedback")


def test_3000_events_survive_a_dying_postgres_and_redis() -> None:
    with running_hub(DEMO="0") as hub:
        survive(hub, requests(count=3_000, batch=20))


@pytest.mark.soak
def test_50000_events_survive_a_dying_postgres_and_redis() -> None:
    with running_hub(DEMO="0") as hub:
        survive(hub, requests(count=50_000, batch=50), faults=FAULTS * 2)
