"""Monthly range partitions on a UUIDv7 primary key: made ahead of time, found by time."""

from datetime import UTC, datetime

from django.db import connection

from feedbackhub.core.ids import uuid7_floor

PARTITIONED_TABLES = ("curation_prediction", "curation_feedback")


def ensure_partitions(*, now: datetime, months_back: int = 1, months_ahead: int = 3) -> list[str]:
    """Create the monthly partitions around ``now`` that are missing; the names of those created.

    Rows outside every month land in the default partition, so that intake never fails for want
    of a partition; a month that the default already holds rows of is left to the default.
    """
    created = []
    for table in PARTITIONED_TABLES:
        for offset in range(-months_back, months_ahead + 1):
            start, end = month_at(now, offset), month_at(now, offset + 1)
            name = f"{table}_y{start:%Y}m{start:%m}"
            if _create(table, name, start, end):
                created.append(name)
    return created


def month_at(now: datetime, offset: int) -> datetime:
    """The first instant of the month ``offset`` months from that of ``now``, UTC."""
    months = now.year * 12 + now.month - 1 + offset
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)


def _create(table: str, name: str, start: datetime, end: datetime) -> bool:
    bounds = (str(uuid7_floor(start)), str(uuid7_floor(end)))
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
        if cursor.fetchone()[0]:
            return False
        cursor.execute(
            f"SELECT EXISTS (SELECT 1 FROM {table}_default WHERE id >= %s AND id < %s)",  # noqa: S608 names are ours
            bounds,
        )
        if cursor.fetchone()[0]:
            return False
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table} FOR VALUES FROM (%s) TO (%s)",
            bounds,
        )
        # Truncating a partition by its own name does not ask the trigger of its table.
        cursor.execute(
            f"CREATE OR REPLACE TRIGGER no_truncate BEFORE TRUNCATE ON {name} "
            "EXECUTE FUNCTION core_refuse_truncate()"
        )
    return True
