"""A kept connection is checked by its socket: dead ones are replaced, living ones not disturbed."""

import time
from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kept() -> Iterator[BaseDatabaseWrapper]:
    """A connection of its own, between two requests."""
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT 42")
    yield other
    other.close()


def test_living_connection_is_used_without_asking_the_server(kept: BaseDatabaseWrapper) -> None:
    assert kept.is_usable()
    assert _last_query(kept) == "SELECT 42"


def test_connection_the_server_closed_is_replaced(kept: BaseDatabaseWrapper) -> None:
    first = _server_side(kept)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [first])
    _until_gone(first)
    kept.health_check_enabled = True
    kept.close_if_unusable_or_obsolete()
    with kept.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
    assert _server_side(kept) != first


def test_connection_closed_here_is_not_usable(kept: BaseDatabaseWrapper) -> None:
    kept.connection.close()
    assert not kept.is_usable()


def test_connection_is_asked_after_an_error(kept: BaseDatabaseWrapper) -> None:
    kept.errors_occurred = True
    assert kept.is_usable()
    assert _last_query(kept) == "SELECT 1"


def _server_side(kept: BaseDatabaseWrapper) -> int:
    number: int = kept.connection.info.backend_pid
    return number


def _last_query(kept: BaseDatabaseWrapper) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [_server_side(kept)])
        (query,) = cursor.fetchone()
    return str(query)


def _until_gone(number: int) -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [number])
            if cursor.fetchone() is None:
                return
    raise AssertionError("The server keeps the connection.")
