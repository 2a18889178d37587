"""Growth: what 10,000,000 events in the tables cost the next one, and how much room they take.

``python -m bench.growth`` makes two databases on one server, fills six monthly partitions of one of
them, and lands and looks up in both in turns, so that whatever else the machine does, it does to
both. ``--rows 300000`` is a quick look.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from bench._database import database

ROWS = 10_000_000
MONTHS = 6
ROUNDS, BATCH, LOOKUPS = 20, 1_000, 50
# Slower by at most a fifth, as a ratio of medians.
FLOOR = 0.8
TABLES = ("curation_prediction", "curation_feedback", "curation_feedbackkey")

# UUIDv7s spread evenly over a month, so that each month fills its partition as time would.
SEED = """
CREATE TEMPORARY TABLE seed ON COMMIT DROP AS
SELECT n, (lpad(to_hex(%(from_ms)s + n * (%(until_ms)s - %(from_ms)s) / %(rows)s), 12, '0') || '7'
    || substr(md5(n::text), 1, 3) || 'a' || substr(md5(n::text), 4, 15))::uuid AS id,
    to_timestamp((%(from_ms)s + n * (%(until_ms)s - %(from_ms)s) / %(rows)s) / 1000.0) AS at,
    sha256((%(month)s || ':' || n)::bytea) AS content_hash
FROM generate_series(0, %(rows)s - 1) AS n;
INSERT INTO curation_prediction
    (id, project_id, source_id, text, content_hash, label, confidence, probabilities,
     model_version, rollout_id, arm, programme_group, subject_hash, is_audit, is_external,
     latency_ms, created_at)
SELECT id, %(project)s, 1, 'Text number ' || n || ' of the month: the soup came late and cold to '
        || 'our table by the window, but the waiter was kind and the dessert was free.',
    content_hash, 'good', 0.8, '{"bad": 0.2, "good": 0.8}', 'v7', n %% 12, 'control', 'loop',
    substr(content_hash, 1, 16), n %% 50 = 0, false, 0.4, at
FROM seed;
INSERT INTO curation_feedback
    (id, project_id, source_id, event_id, prediction_id, rating, corrected_label, comment,
     subject_hash, predicted_label, confidence, model_version, rollout_id, arm, programme_group,
     quarantine_reasons, occurred_at, received_at)
SELECT id, %(project)s, 1, 'event-' || encode(substr(content_hash, 1, 12), 'hex'), id,
    CASE WHEN n %% 10 = 0 THEN 'down' ELSE 'up' END, '',
    CASE WHEN n %% 10 = 0 THEN 'It was not as it said.' END, substr(content_hash, 1, 16), 'good',
    0.8, 'v7', n %% 12, 'control', 'loop', '[]', at, at
FROM seed;
INSERT INTO curation_feedbackkey
    (project_id, event_id, feedback_id, body_digest, answer, received_at)
SELECT %(project)s, event_id, id, sha256(event_id::bytea),
    jsonb_build_object('event_id', event_id, 'status', 'accepted', 'reasons', '[]'::jsonb),
    received_at
FROM curation_feedback WHERE id >= %(first)s::uuid AND id < %(last)s::uuid
    AND project_id = %(project)s AND source_id = 1;
"""
SIZES = """
SELECT sum(pg_table_size(relid)), sum(pg_indexes_size(relid))
FROM (
    SELECT relid FROM pg_partition_tree(%(table)s::regclass) UNION SELECT %(table)s::regclass
) AS tables
"""
BY_EVENT = """
SELECT f.* FROM curation_feedbackkey k JOIN curation_feedback f ON f.id = k.feedback_id
WHERE k.project_id = %s AND k.event_id = %s
"""
BY_PREDICTION = "SELECT * FROM curation_prediction WHERE id = %s"


@dataclass
class Seconds:
    """What each call took in one of the two databases."""

    land: list[float] = field(default_factory=list)
    by_event: list[float] = field(default_factory=list)
    by_prediction: list[float] = field(default_factory=list)


def main(rows: int = ROWS) -> int:
    """Fill one of two databases and measure both in turns; how many ratios miss their floor."""
    with database():
        from django.core.management import call_command  # noqa: PLC0415 settings exist only now
        from django.db import connection  # noqa: PLC0415

        empty, full = connection.settings_dict["NAME"], "growth"
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {full}")
        _enter(full)
        call_command("migrate", verbosity=0)
        projects, taken = {}, {empty: Seconds(), full: Seconds()}
        for name in taken:
            _enter(name)
            projects[name] = _project()
        filled_in = _fill(projects[full].pk, rows)
        for _ in range(ROUNDS):
            for name, seconds in taken.items():
                _enter(name)
                _round(projects[name], Seconds())  # Plans and caches of a new connection.
                _round(projects[name], seconds)
        print(f"  filled {rows:,} events in {filled_in:,.0f} s")
        _print_sizes()
        connection.close()
    return _judge(taken[empty], taken[full], rows)


def _enter(name: str) -> None:
    """Point Django at one of the databases."""
    from django.db import connection  # noqa: PLC0415

    connection.close()
    connection.settings_dict["NAME"] = name


def _project() -> Any:
    from curation.services import LabelSpec, create_project  # noqa: PLC0415
    from feedbackhub.core.partitions import ensure_partitions  # noqa: PLC0415

    now = datetime.now(UTC)
    ensure_partitions(now=now, months_back=MONTHS - 1)
    return create_project(
        slug="bench",
        name="Bench",
        labels=[LabelSpec("bad", "#dc2626", "1"), LabelSpec("good", "#16a34a", "2")],
        guideline="",
        created_by=None,
        is_demo=False,
        now=now,
    )


def _round(project: Any, seconds: Seconds) -> None:
    """Land one batch, and look some of it up both ways."""
    from curation.intake.schemas import FeedbackRequest  # noqa: PLC0415

    now = datetime.now(UTC)
    ids = _predict(project, now)
    batch = [
        FeedbackRequest(
            event_id=f"bench-{identity}", prediction_id=identity, rating="up", subject=str(n)
        )
        for n, identity in enumerate(ids)
    ]
    seconds.land.append(_timed(lambda: _land(project, batch, now)))
    for event in batch[:: BATCH // LOOKUPS]:
        by_event = [project.pk, event.event_id]
        seconds.by_event.append(_timed(lambda params=by_event: _one(BY_EVENT, params)))
        by_id = [str(event.prediction_id)]
        seconds.by_prediction.append(_timed(lambda params=by_id: _one(BY_PREDICTION, params)))


def _predict(project: Any, now: datetime) -> list[UUID]:
    from curation.intake.predictions import NewPrediction, record_predictions  # noqa: PLC0415
    from feedbackhub.core.ids import uuid7s  # noqa: PLC0415

    ids = uuid7s(now, count=BATCH)
    predictions = [
        NewPrediction(
            id=identity,
            project_id=project.pk,
            source_id=2,
            text=f"The soup {identity} was served with a smile, but the dessert came late.",
            label="good",
            confidence=0.8,
            probabilities={"bad": 0.2, "good": 0.8},
            model_version="v7",
        )
        for identity in ids
    ]
    record_predictions(predictions=predictions, pool_margin=0.0, now=now)
    return ids


def _land(project: Any, batch: Any, now: datetime) -> None:
    from curation.intake.landing import land_feedback  # noqa: PLC0415

    land_feedback(project=project, source_id=2, events=batch, now=now)


def _one(sql: str, params: list[Any]) -> None:
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        assert cursor.fetchone() is not None


def _timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _fill(project_id: int, rows: int) -> float:
    """Half predictions, half feedback with its keys; seconds it took, vacuum included."""
    from django.db import connection, transaction  # noqa: PLC0415

    from feedbackhub.core.ids import uuid7_floor  # noqa: PLC0415
    from feedbackhub.core.partitions import month_at  # noqa: PLC0415

    started, now = time.perf_counter(), datetime.now(UTC)
    with connection.cursor() as cursor:
        for back in range(MONTHS - 1, -1, -1):
            start, end = month_at(now, -back), min(month_at(now, 1 - back), now)
            params = {
                "project": project_id,
                "rows": rows // 2 // MONTHS,
                "month": back,
                "from_ms": int(start.timestamp() * 1_000),
                "until_ms": int(end.timestamp() * 1_000),
                "first": str(uuid7_floor(start)),
                "last": str(uuid7_floor(end)),
            }
            with transaction.atomic():
                cursor.execute(SEED, params)
        cursor.execute("VACUUM ANALYZE")
    return time.perf_counter() - started


def _print_sizes() -> None:
    """Bytes of a row and of its entries in all indexes, by table."""
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT count(*) FROM {table}")
            rows = cursor.fetchone()[0]
            cursor.execute(SIZES, {"table": table})
            heap, indexes = cursor.fetchone()
            print(f"  {table}: {rows:,} rows, {heap / rows:.0f} + {indexes / rows:.0f} bytes each")


def _judge(empty: Seconds, full: Seconds, rows: int) -> int:
    missed = 0
    for name, at_0, at_n in (
        (f"land {BATCH:,}", empty.land, full.land),
        ("find by event id", empty.by_event, full.by_event),
        ("find by prediction id", empty.by_prediction, full.by_prediction),
    ):
        before, after = statistics.median(at_0) * 1_000, statistics.median(at_n) * 1_000
        ratio = before / after
        verdict = "ok" if ratio >= FLOOR else "MISSED"
        missed += ratio < FLOOR
        print(
            f"  {name}: {before:.2f} ms at 0, {after:.2f} ms at {rows:,}; "
            f"{ratio:.2f} × as fast, floor {FLOOR}: {verdict}"
        )
    return missed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="events to fill the tables with")
    sys.exit(min(main(parser.parse_args().rows), 1))
