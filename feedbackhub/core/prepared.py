"""Statements that Postgres plans once for each connection.

Landing one event takes a third of a millisecond, planning its statement another whole one. Only
outside a transaction: there a connection that does not keep prepared statements (a pooler that
deals transactions out to servers) costs one failed try, after which everything is sent whole.
"""

import re
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg2.errors import DuplicatePreparedStatement, InvalidSqlStatementName

_PARAMETER = re.compile(r"%\((\w+)\)s")
_REFUSALS = (DuplicatePreparedStatement, InvalidSqlStatementName)

# By the driver's connection, so that a new one starts with none.
_names_of: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


class Prepared:
    """A statement with named parameters, and the Postgres type of each."""

    def __init__(self, name: str, sql: str, types: Mapping[str, str]) -> None:
        """``sql`` holds ``%(parameter)s`` for each name in ``types``, and no other ``%``."""
        places = {parameter: number for number, parameter in enumerate(types, start=1)}
        body = _PARAMETER.sub(lambda found: f"${places[found[1]]}", sql)
        arguments = ", ".join(f"%({parameter})s" for parameter in types)
        self._name = name
        self._whole = sql
        self._prepare = f"PREPARE {name} ({', '.join(types.values())}) AS {body}"
        self._execute = f"EXECUTE {name} ({arguments})"
        self._is_refused = False

    def run(self, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows of one execution; none for a statement that returns none."""
        wrapper = connections[DEFAULT_DB_ALIAS]
        if wrapper.in_atomic_block or self._is_refused:
            return _rows(wrapper, self._whole, params)
        wrapper.ensure_connection()
        names = _names_of.setdefault(wrapper.connection, set())
        try:
            if self._name not in names:
                _rows(wrapper, self._prepare, None)
                names.add(self._name)
            return _rows(wrapper, self._execute, params)
        except DatabaseError as error:
            if not isinstance(error.__cause__, _REFUSALS):
                raise
            self._is_refused = True
            return _rows(wrapper, self._whole, params)


def _rows(
    wrapper: BaseDatabaseWrapper, sql: str, params: Mapping[str, Any] | None
) -> list[tuple[Any, ...]]:
    # Someone counts queries or watches them, or a transaction must know of a failure.
    if wrapper.queries_logged or wrapper.execute_wrappers or wrapper.in_atomic_block:
        with wrapper.cursor() as watched:
            watched.execute(sql, params)
            return list(watched.fetchall()) if watched.description else []
    # The driver's own cursor: Django's wrapping of it costs an event more than its hashes do.
    with wrapper.wrap_database_errors, wrapper.connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall()) if cursor.description else []
