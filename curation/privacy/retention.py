"""Keeping each table no longer than agreed: months are dropped whole, small rows in batches.

Dropping a month takes a moment's exclusive lock on its table: DETACH CONCURRENTLY is refused where
there is a default partition. The lock is asked for with a short patience, because intake waits
behind whoever waits for it; a month that could not be had is taken on the next look.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.db import OperationalError, connection, transaction

from curation.models import RetentionPolicy
from feedbackhub.core.ids import uuid7_floor
from feedbackhub.core.partitions import month_at
from feedbackhub.core.sql import execute, fetch, statements

SQL = statements(Path(__file__).with_name("retention.sql"))
BATCH = 10_000
PATIENCE = "2s"
_MONTH = re.compile(r"_y(\d{4})m(\d{2})$")


@dataclass(frozen=True)
class Month:
    """One partition of an event table."""

    table: str
    name: str
    start: datetime
    end: datetime
    bytes: int
    """On disk, with its indexes."""
    is_awaited: bool
    """The digest has not seen all of it: it stays."""


@dataclass(frozen=True)
class Plan:
    """What is past its time."""

    months: list[Month]
    """Oldest first."""
    keys: int
    rejected: int
    minutes: int


@dataclass
class Retired:
    """What a look dropped."""

    months: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    """Months past their time that had to stay, awaited by the digest or in use."""
    blanked: int = 0
    """Events in default partitions that lost what they tell."""
    keys: int = 0
    rejected: int = 0
    minutes: int = 0
    """Counts of intake, by minute and source."""
    moves: int = 0
    """Steps into and out of quarantine, of events that are gone."""


def retention_policy() -> RetentionPolicy:
    """The stored policy, or the defaults."""
    return RetentionPolicy.objects.first() or RetentionPolicy()


def plan(*, now: datetime) -> Plan:
    """What :func:`retire` would drop now; changes nothing."""
    policy = retention_policy()
    keys_until, rejected_until = _keys_until(policy, now), _rejected_until(policy, now)
    return Plan(
        months=[each for table in _tables(policy, now) for each in _due_months(*table)],
        keys=_count("old_keys", keys_until),
        rejected=_count("old_rejected", rejected_until),
        minutes=_count("old_minutes", _minutes_until(policy, now)),
    )


def retire(*, now: datetime) -> Retired:
    """Drop what is past its time; safe to repeat and to interrupt anywhere."""
    policy = retention_policy()
    done = Retired()
    for table, until in _tables(policy, now):
        for month in _due_months(table, until):
            is_gone = not month.is_awaited and _drop(month)
            (done.months if is_gone else done.held).append(month.name)
        done.blanked += _blank_default(table, until)
    done.keys = _delete("delete_keys", _keys_until(policy, now))
    done.rejected = _delete("delete_rejected", _rejected_until(policy, now))
    done.minutes = _delete("delete_minutes", _minutes_until(policy, now))
    done.moves = _delete_moves(policy, now)
    return done


def _tables(policy: RetentionPolicy, now: datetime) -> Iterator[tuple[str, datetime]]:
    """Event tables that are not kept for ever, with the moment before which they are not kept.

    Feedback first: while it is there, it may ask for its predictions.
    """
    if policy.feedback_months:
        yield "curation_feedback", month_at(now, -policy.feedback_months)
    if policy.prediction_months:
        yield "curation_prediction", month_at(now, -policy.prediction_months)


def _keys_until(policy: RetentionPolicy, now: datetime) -> datetime | None:
    return month_at(now, -policy.key_months) if policy.key_months else None


def _rejected_until(policy: RetentionPolicy, now: datetime) -> datetime | None:
    return now - timedelta(days=policy.rejected_days) if policy.rejected_days else None


def _minutes_until(policy: RetentionPolicy, now: datetime) -> datetime | None:
    return now - timedelta(days=policy.count_days) if policy.count_days else None


@dataclass(frozen=True)
class _Partition:
    name: str
    bytes: int


def _due_months(table: str, until: datetime) -> list[Month]:
    found = []
    for partition in fetch(SQL["partitions"], {"table": table}, into=_Partition):
        named = _MONTH.search(partition.name)
        assert named is not None
        start = datetime(int(named[1]), int(named[2]), 1, tzinfo=UTC)
        end = month_at(start, 1)
        if end <= until:
            awaited = _is_awaited(start, end)
            found.append(Month(table, partition.name, start, end, partition.bytes, awaited))
    return found


def _is_awaited(start: datetime, end: datetime) -> bool:
    bounds = {"from": str(uuid7_floor(start)), "until": str(uuid7_floor(end))}
    with connection.cursor() as cursor:
        cursor.execute(SQL["is_awaited"], bounds)
        return bool(cursor.fetchone()[0])


def _drop(month: Month) -> bool:
    """Whether the month is gone; it is not when its table was in use for too long."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
            cursor.execute(f"ALTER TABLE {month.table} DETACH PARTITION {month.name}")
            # Asked again under the lock: an event of the month may have landed meanwhile.
            if _is_awaited(month.start, month.end):
                transaction.set_rollback(True)
                return False
            cursor.execute(f"DROP TABLE {month.name}")
    except OperationalError:
        return False
    return True


def _blank_default(table: str, until: datetime) -> int:
    statement = {
        "curation_prediction": "blank_default_predictions",
        "curation_feedback": "blank_default_feedback",
    }[table]
    total = 0
    while True:
        with transaction.atomic():
            execute("SET LOCAL feedbackhub.erasure = 'on'", {})
            changed = execute(SQL[statement], {"until": str(uuid7_floor(until)), "limit": BATCH})
        total += changed
        if changed < BATCH:
            return total


def _delete(statement: str, until: datetime | None) -> int:
    """Delete in batches, each durable by itself, so that no lock is held for long."""
    total = 0
    while until is not None:
        changed = execute(SQL[statement], {"until": until, "limit": BATCH})
        total += changed
        if changed < BATCH:
            break
    return total


def _delete_moves(policy: RetentionPolicy, now: datetime) -> int:
    """Who held an event back, and why, is kept as long as the event."""
    if not policy.feedback_months:
        return 0
    until = str(uuid7_floor(month_at(now, -policy.feedback_months)))
    total = 0
    while True:
        with transaction.atomic():
            execute("SET LOCAL feedbackhub.retention = 'on'", {})
            changed = execute(SQL["delete_moves"], {"until": until, "limit": BATCH})
        total += changed
        if changed < BATCH:
            return total


def _count(statement: str, until: datetime | None) -> int:
    if until is None:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(SQL[statement], {"until": until})
        return int(cursor.fetchone()[0])
