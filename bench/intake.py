"""Intake: batches against ``COPY``, single posts against an empty view, and the digest behind.

``python -m bench intake`` starts the hub's own server with two workers and sends it distinct
events, in turns with a ``COPY`` of the very rows that landed (under other ids) into the same event
and key tables. All figures of a line come from the same run; a round's arms follow each other.
"""

import io
import random
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

import msgspec

from bench._database import database
from bench._processor import spent_by
from bench._web import request, send_all, web_server

if TYPE_CHECKING:
    from curation.models import Project

BATCH_FLOOR = 0.6
SINGLE_FLOOR = 0.33
DIGEST_FLOOR = 5_000.0

ROUNDS = 3
PREDICTIONS = 50_000
BATCH = 1_000
EVENTS = 20_000
CLIENTS = (1, 2, 4)
POSTS = 1_500
CONNECTIONS = (1, 8, 32)
STEPS_BATCHES = 20
DIGEST_SECONDS = 30

SEED = """
INSERT INTO curation_prediction
    (id, project_id, source_id, text, content_hash, label, confidence, model_version, arm,
     programme_group, is_audit, is_external, created_at)
SELECT uuidv7(), %(project)s, 1, t.text, sha256(t.text::bytea), 'good', 0.8, 'v1', 'control', '',
    n %% 50 = 0, false, %(now)s
FROM generate_series(1, %(count)s) AS n,
    LATERAL (SELECT 'The soup number ' || (n %% (%(count)s * 4 / 5)) || ' was served with a '
        || 'smile, but the dessert came late and cold to our table by the window.' AS text) t
RETURNING id::text
"""
# What landed since a moment, as rows of their own: other ids, everything else the same.
TWINS = """
CREATE TEMP TABLE twin ON COMMIT DROP AS
SELECT uuidv7() AS twin_id, overlay(event.event_id PLACING 'twin' FROM 1) AS twin_event, event.*,
    known.body_digest, known.answer
FROM curation_feedback AS event
JOIN curation_feedbackkey AS known
    ON known.project_id = event.project_id AND known.event_id = event.event_id
WHERE event.received_at >= %(since)s
"""
EVENT_COLUMNS = """project_id, source_id, prediction_id, rating, corrected_label, comment,
    subject_hash, session_hash, address_hash, predicted_label, confidence, model_version,
    rollout_id, arm, programme_group, quarantine_reasons, metadata, occurred_at, received_at"""
KEY_COLUMNS = "project_id, body_digest, answer, received_at"


class Events:
    """Distinct feedback on the predictions, every field a frontend may fill but ``metadata``."""

    def __init__(self, predictions: list[str]) -> None:
        self._predictions = predictions
        self._random = random.Random(3)

    def bodies(self, count: int) -> list[bytes]:
        """So many events, each encoded."""
        return [msgspec.json.encode(self._event()) for _ in range(count)]

    def batches(self, count: int) -> list[bytes]:
        """So many events as bodies of a thousand."""
        bodies = self.bodies(count)
        return [
            b"[" + b",".join(bodies[start : start + BATCH]) + b"]"
            for start in range(0, count, BATCH)
        ]

    def _event(self) -> dict[str, Any]:
        number = self._random.randrange(1_000_000)
        event: dict[str, Any] = {
            "event_id": str(uuid.UUID(int=self._random.getrandbits(128), version=4)),
            "prediction_id": self._random.choice(self._predictions),
            "rating": "up",
            "comment": f"Table {number}: that is how it was, the soup, the window and the bill.",
            "subject": f"user-{number % 20_000}",
            "session": f"visit-{number}",
            "occurred_at": datetime.now(UTC),
        }
        if number % 10 == 0:
            event |= {"rating": "down", "corrected_label": "bad"}
        return event


def main() -> int:
    """Measure and judge; 1 when one misses its floor."""
    with database(), web_server() as port:
        project, key, events = _prepare()
        path = f"/api/v1/projects/{project.slug}/feedback"
        bench = _Bench(port=port, path=path, key=key, events=events)
        bench.warm_up()
        for _ in range(ROUNDS):
            bench.batch_round()
        for _ in range(ROUNDS):
            bench.single_round()
        steps = _steps(project, events)
        digest = _digested_per_second()
        _close()
    bench.say_steps(steps)
    bench.say_spent()
    return bench.judge(digest)


class _Bench:
    """Rates by what was measured, a list of rounds each."""

    def __init__(self, *, port: int, path: str, key: str, events: Events) -> None:
        self._port, self._path, self._key, self._events = port, path, key, events
        self._copy: list[float] = []
        self._spent: dict[str, list[dict[str, float]]] = defaultdict(list)
        self._batch: dict[int, list[float]] = {clients: [] for clients in CLIENTS}
        self._empty: dict[int, list[float]] = {count: [] for count in CONNECTIONS}
        self._empty_call: dict[int, list[float]] = {count: [] for count in CONNECTIONS}
        self._single: dict[int, list[float]] = {count: [] for count in CONNECTIONS}

    def warm_up(self) -> None:
        """Every thread of every worker has its connection and its plans."""
        self._send_batches(40 * BATCH, clients=8)
        self._send_singles(2_000, connections=32)
        self._send_empty(2_000, connections=32)

    def batch_round(self) -> None:
        """Each number of clients, and a ``COPY`` of what two of them landed."""
        for clients in CLIENTS:
            since = datetime.now(UTC)
            self._account(
                f"an event of a batch, {clients} client(s)",
                EVENTS,
                lambda clients=clients: self._batch[clients].append(
                    self._send_batches(EVENTS, clients=clients)
                ),
            )
            if clients == 2:
                self._copy.append(_copied_per_second(since))

    def single_round(self) -> None:
        """Each number of connections: an empty view, an empty call of the API, then posts."""
        for connections in CONNECTIONS:
            self._account(
                f"an empty view, {connections} connection(s)",
                POSTS,
                lambda count=connections: self._empty[count].append(
                    self._send_empty(POSTS, connections=count)
                ),
            )
            called = self._send_empty(POSTS, connections=connections, path="/api/v1/empty")
            self._empty_call[connections].append(called)
            self._account(
                f"a single post, {connections} connection(s)",
                POSTS,
                lambda count=connections: self._single[count].append(
                    self._send_singles(POSTS, connections=count)
                ),
            )

    def _account(self, what: str, events: int, call: Callable[[], None]) -> None:
        self._spent[what].append(spent_by(call, events=events))

    def _send_batches(self, count: int, *, clients: int) -> float:
        bodies = self._events.batches(count)
        requests = [request("POST", f"{self._path}/batch", key=self._key, body=b) for b in bodies]
        with _all_land(count):
            return count / send_all(self._port, requests, connections=clients)

    def _send_singles(self, count: int, *, connections: int) -> float:
        bodies = self._events.bodies(count)
        requests = [request("POST", self._path, key=self._key, body=body) for body in bodies]
        with _all_land(count):
            return count / send_all(self._port, requests, connections=connections)

    def _send_empty(self, count: int, *, connections: int, path: str = "/empty/") -> float:
        requests = [request("GET", path)] * count
        return count / send_all(self._port, requests, connections=connections)

    def say_steps(self, steps: dict[str, float]) -> None:
        """Microseconds an event of each step in one process; the server's share is the rest."""
        whole = 1e6 / median(self._batch[1])
        steps["HTTP, key, throttle, answer, client"] = whole - sum(steps.values())
        print("  one event of a batch, one client, microseconds:")
        for name, cost in steps.items():
            print(f"    {name:38} {cost:6.1f}  ({cost / whole:4.0%})")

    def say_spent(self) -> None:
        """Processor time of the servers, which other work on the machine distorts least."""
        print("  processor time of the servers, microseconds, medians:")
        for what, rounds in self._spent.items():
            parts = [(kind, median(one.get(kind, 0) for one in rounds)) for kind in rounds[0]]
            said = ", ".join(f"{kind} {cost:,.1f}" for kind, cost in parts)
            print(f"    {what:38} {sum(cost for _, cost in parts):8,.1f}  ({said})")

    def judge(self, digest: float) -> int:
        """Print every figure with its floor; 1 when one is missed."""
        copy = median(self._copy)
        print(f"  COPY of the same rows into event and key tables: {copy:,.0f} rows/s")
        missed = 0
        for clients, rates in self._batch.items():
            ratios = [rate / one for rate, one in zip(rates, self._copy, strict=True)]
            floor = BATCH_FLOOR if clients == 2 else None
            what = f"batch of {BATCH:,}, {clients} client(s): {median(rates):,.0f} events/s"
            missed += _verdict(f"{what}, of COPY", ratios, floor)
        for connections, rates in self._single.items():
            ratios = [a / b for a, b in zip(rates, self._empty[connections], strict=True)]
            what = (
                f"single posts, {connections} connection(s): {median(rates):,.0f}/s, of an empty "
                f"view's {median(self._empty[connections]):,.0f}/s"
            )
            missed += _verdict(what, ratios, SINGLE_FLOOR if connections > 1 else None)
            # Without what only pages need: stricter than the floor asks, so that both are known.
            calls = self._empty_call[connections]
            ratios = [a / b for a, b in zip(rates, calls, strict=True)]
            _verdict(f"       the same, of an empty call's {median(calls):,.0f}/s", ratios, None)
        missed += _verdict("digest, events/s of its floor", [digest / DIGEST_FLOOR], 1.0)
        return min(missed, 1)


def _verdict(what: str, ratios: list[float], floor: float | None) -> int:
    ratio = median(ratios)
    rounds = ", ".join(f"{one:.2f}" for one in ratios)
    if floor is None:
        print(f"       {what}: {ratio:.2f} ({rounds})")
        return 0
    word = "ok  " if ratio >= floor else "MISS"
    print(f"  {word} {what}: {ratio:.2f} ({rounds}; floor {floor:g})")
    return int(ratio < floor)


def _prepare() -> "tuple[Project, str, Events]":
    from django.db import connection  # noqa: PLC0415 settings exist only within the database

    from curation.intake.sources import create_source_key  # noqa: PLC0415
    from curation.services import LabelSpec, create_project  # noqa: PLC0415
    from feedbackhub.core.keys import Scope  # noqa: PLC0415

    now = datetime.now(UTC)
    project = create_project(
        slug="bench",
        name="Bench",
        labels=[LabelSpec("bad", "#dc2626", "1"), LabelSpec("good", "#16a34a", "2")],
        guideline="",
        created_by=None,
        is_demo=False,
        now=now,
    )
    key = create_source_key(
        project=project, source_name="frontend", scopes=[Scope.FEEDBACK], now=now
    )
    with connection.cursor() as cursor:
        cursor.execute(SEED, {"project": project.pk, "count": PREDICTIONS, "now": now})
        events = Events([identity for (identity,) in cursor.fetchall()])
        cursor.execute("ANALYZE")
    return project, key, events


def _copied_per_second(since: datetime) -> float:
    """Rows a second of one transaction with one ``COPY`` into each of the two tables."""
    from django.db import connection, transaction  # noqa: PLC0415

    with connection.cursor() as cursor:
        with transaction.atomic():
            cursor.execute(TWINS, {"since": since})
            events, keys = io.StringIO(), io.StringIO()
            order = "ORDER BY twin_id"
            cursor.copy_expert(
                f"COPY (SELECT twin_id, twin_event, {EVENT_COLUMNS} FROM twin {order}) TO STDOUT",
                events,
            )
            cursor.copy_expert(
                f"COPY (SELECT twin_event, twin_id, {KEY_COLUMNS} FROM twin {order}) TO STDOUT",
                keys,
            )
        rows = events.getvalue().count("\n")
        events.seek(0)
        keys.seek(0)
        started = time.perf_counter()
        with transaction.atomic():
            cursor.copy_expert(
                f"COPY curation_feedback (id, event_id, {EVENT_COLUMNS}) FROM STDIN", events
            )
            cursor.copy_expert(
                f"COPY curation_feedbackkey (event_id, feedback_id, {KEY_COLUMNS}) FROM STDIN", keys
            )
        return rows / (time.perf_counter() - started)


@contextmanager
def _all_land(count: int) -> Iterator[None]:
    """A rate counts only when every event is in the table afterwards."""
    before = _landed()
    yield
    if (landed := _landed() - before) != count:
        raise RuntimeError(f"Of {count:,} events {landed:,} landed.")


def _landed() -> int:
    from curation.models import Landed  # noqa: PLC0415

    return Landed.objects.count()


def _steps(project: "Project", events: Events) -> dict[str, float]:
    """Microseconds an event of the batch path's steps, one after another in this process."""
    from curation.intake import landing  # noqa: PLC0415
    from curation.intake.facts import project_facts  # noqa: PLC0415
    from curation.intake.reading import read_many  # noqa: PLC0415
    from curation.intake.schemas import FeedbackRequest, feedback_faults  # noqa: PLC0415

    labels = project_facts(project.pk).labels
    spent: dict[str, list[float]] = {"read": [], "land": [], "sql": []}
    run = landing._land.run

    def timed_run(params: Any) -> Any:
        return _clocked(lambda: run(params), spent["sql"])

    landing._land.run = timed_run  # type: ignore[method-assign] # For the time of the measurement.
    for body in events.batches(STEPS_BATCHES * BATCH):
        read = _clocked(
            lambda body=body: read_many(
                body,
                FeedbackRequest,
                is_ndjson=False,
                limit=BATCH,
                faults=partial(feedback_faults, labels=labels),
            ),
            spent["read"],
        )
        taken = [event for _, event in read.taken]
        _clocked(
            lambda taken=taken: landing.land_feedback(
                project=project, source_id=1, events=taken, now=datetime.now(UTC)
            ),
            spent["land"],
        )
    landing._land.run = run  # type: ignore[method-assign]
    read_us, land_us, sql_us = (median(times) / BATCH * 1e6 for times in spent.values())
    return {
        "decode and check": read_us,
        "hash, ids, encode, results": land_us - sql_us,
        "the statement and its commit": sql_us,
    }


def _clocked(call: Callable[[], Any], into: list[float]) -> Any:
    started = time.perf_counter()
    result = call()
    into.append(time.perf_counter() - started)
    return result


def _digested_per_second() -> float:
    from django.db import connection  # noqa: PLC0415

    from curation.digest.services import drain  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    started = time.perf_counter()
    events = drain(now=datetime.now(UTC), seconds=DIGEST_SECONDS).events
    return events / (time.perf_counter() - started)


def _close() -> None:
    from django.db import connection  # noqa: PLC0415

    connection.close()


if __name__ == "__main__":
    sys.exit(main())
