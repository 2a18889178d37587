"""Named SQL in files beside the code that runs it; parameters by name in, frozen rows out."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from django.db import connection

Row = TypeVar("Row")
_HEAD = re.compile(r"^-- (\w+) --$", re.MULTILINE)


def statements(path: Path) -> dict[str, str]:
    """The statements of a file by name; each begins with a line ``-- name --``.

    The comment lines that follow describe it and travel with it, so that a DBA who meets the
    statement in ``pg_stat_activity`` can read what it is for.
    """
    _, *parts = _HEAD.split(path.read_text(encoding="utf-8"))
    return {
        name: f"-- {name}\n{body.strip().removesuffix(';')}"
        for name, body in zip(parts[::2], parts[1::2], strict=True)
    }


def fetch(sql: str, params: Mapping[str, Any], *, into: type[Row]) -> list[Row]:
    """Run ``sql`` and make one ``into`` of each row, its columns passed by name."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        names = [column.name for column in cursor.description]
        return [into(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def execute(sql: str, params: Mapping[str, Any]) -> int:
    """Run ``sql`` for its effect; how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)
