"""An accepted event never changes in place; erasure may null what identifies, nothing else."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction

from feedbackhub.core.ids import uuid7

NOW = datetime(2026, 11, 23, tzinfo=UTC)

INSERT = """
INSERT INTO curation_prediction (id, project_id, source_id, text, content_hash, label,
    model_version, arm, programme_group, subject_hash, is_audit, is_external, created_at)
VALUES (%s, 1, 1, 'great soup', '\\x00', 'positive', 'v1', '', '', '\\x01', false, false, %s)
"""


@pytest.fixture
def prediction(db: None) -> UUID:
    key = uuid7(NOW)
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [str(key), NOW])
    return key


def run(sql: str, key: UUID, *, erasing: bool = False) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        if erasing:
            cursor.execute("SET LOCAL feedbackhub.erasure = 'on'")
        cursor.execute(sql, [str(key)])


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE curation_prediction SET label = 'negative' WHERE id = %s",
        "UPDATE curation_prediction SET text = NULL WHERE id = %s",
        "DELETE FROM curation_prediction WHERE id = %s",
    ],
)
def test_changes_are_refused(prediction: UUID, sql: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"):
        run(sql, prediction)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE curation_prediction SET label = 'negative' WHERE id = %s",
        "UPDATE curation_prediction SET text = 'other words' WHERE id = %s",
        "UPDATE curation_prediction SET text = NULL, label = 'x' WHERE id = %s",
        "DELETE FROM curation_prediction WHERE id = %s",
    ],
)
def test_erasure_may_not_rewrite_or_delete(prediction: UUID, sql: str) -> None:
    with pytest.raises(DatabaseError):
        run(sql, prediction, erasing=True)


def test_erasure_nulls_text_and_subject(prediction: UUID) -> None:
    run(
        "UPDATE curation_prediction SET text = NULL, subject_hash = NULL WHERE id = %s",
        prediction,
        erasing=True,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT text, subject_hash, label FROM curation_prediction WHERE id = %s",
            [str(prediction)],
        )
        assert cursor.fetchone() == (None, None, "positive")
