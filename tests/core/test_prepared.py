"""Prepared statements answer as whole ones do, on every connection, and where there are none."""

import pytest
from django.db import connection, transaction

from feedbackhub.core.prepared import Prepared


def adding(name: str) -> Prepared:
    sql = "SELECT %(left)s + %(right)s * 10, %(left)s"
    return Prepared(name, sql, {"left": "bigint", "right": "bigint"})


def prepared_names() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements")
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.django_db(transaction=True)
def test_a_statement_is_prepared_once_a_connection() -> None:
    statement = adding("adding_once")
    assert statement.run({"left": 1, "right": 2}) == [(21, 1)]
    assert statement.run({"left": 3, "right": 4}) == [(43, 3)]
    assert "adding_once" in prepared_names()
    connection.close()
    assert "adding_once" not in prepared_names()
    assert statement.run({"left": 1, "right": 2}) == [(21, 1)]


@pytest.mark.django_db(transaction=True)
def test_inside_a_transaction_nothing_is_prepared() -> None:
    with transaction.atomic():
        assert adding("adding_inside").run({"left": 1, "right": 2}) == [(21, 1)]
    assert "adding_inside" not in prepared_names()


@pytest.mark.django_db(transaction=True)
def test_where_statements_are_not_kept_they_are_sent_whole() -> None:
    statement = adding("adding_lost")
    statement.run({"left": 1, "right": 2})
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")  # As a pooler does by giving us another server.
    for _ in range(2):
        assert statement.run({"left": 1, "right": 2}) == [(21, 1)]
    assert "adding_lost" not in prepared_names()


@pytest.mark.django_db(transaction=True)
def test_a_name_that_is_taken_is_no_harm() -> None:
    with connection.cursor() as cursor:
        cursor.execute("PREPARE adding_taken AS SELECT 7")
    assert adding("adding_taken").run({"left": 1, "right": 2}) == [(21, 1)]
