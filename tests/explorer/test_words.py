"""What someone types becomes a query that Postgres can read, whatever it is."""

import pytest
from django.db import connection

from curation.explorer.words import tsquery


@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ("great food", "'great' & 'food'"),
        ("gre*", "'gre':*"),
        (
            '"cold soup" -rude',
            "'cold' <-> 'soup' & !('rude')",
        ),
        ("don't", "'don' <-> 't'"),
        ("!!! & | ( :*", ""),
    ],
)
def test_words_become_a_query(typed: str, query: str) -> None:
    assert tsquery(typed) == query


@pytest.mark.django_db
@pytest.mark.parametrize(
    "typed", ["don't*", "a:b", "\\", '"', "x' | 'y", "-", "naïve café*", "日本*", "a" * 200]
)
def test_postgres_reads_whatever_is_typed(typed: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_tsquery('simple', %s)", [tsquery(typed)])
