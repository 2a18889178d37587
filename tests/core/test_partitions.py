"""Monthly partitions: made ahead, found by the time in the key, never in the way of intake."""

from datetime import UTC, datetime

import pytest
from django.db import connection

from feedbackhub.core.ids import uuid7
from feedbackhub.core.partitions import ensure_partitions, month_at

FAR = datetime(2031, 12, 15, tzinfo=UTC)

INSERT = """
INSERT INTO curation_feedback (id, project_id, source_id, event_id, rating, corrected_label,
    predicted_label, model_version, arm, programme_group, quarantine_reasons, received_at)
VALUES (%s, 1, 1, 'e', 'up', '', '', '', '', '', '[]', %s)
"""


def partition_of(at: datetime) -> str:
    key = uuid7(at)
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [str(key), at])
        cursor.execute(
            "SELECT tableoid::regclass::text FROM curation_feedback WHERE id = %s", [str(key)]
        )
        return str(cursor.fetchone()[0])


def test_months_roll_over_the_year() -> None:
    assert month_at(FAR, 0) == datetime(2031, 12, 1, tzinfo=UTC)
    assert month_at(FAR, 1) == datetime(2032, 1, 1, tzinfo=UTC)
    assert month_at(FAR, -12) == datetime(2030, 12, 1, tzinfo=UTC)


@pytest.mark.django_db
def test_a_row_finds_the_partition_of_its_month() -> None:
    created = ensure_partitions(now=FAR, months_back=0, months_ahead=1)
    assert "curation_feedback_y2032m01" in created
    assert partition_of(FAR) == "curation_feedback_y2031m12"
    assert partition_of(month_at(FAR, 1)) == "curation_feedback_y2032m01"


@pytest.mark.django_db
def test_making_them_again_makes_none() -> None:
    ensure_partitions(now=FAR)
    assert ensure_partitions(now=FAR) == []


@pytest.mark.django_db
def test_a_month_without_a_partition_lands_in_the_default_and_stays_there() -> None:
    assert partition_of(FAR) == "curation_feedback_default"
    created = ensure_partitions(now=FAR, months_back=0, months_ahead=0)
    assert created == ["curation_prediction_y2031m12"]
    assert partition_of(FAR) == "curation_feedback_default"


@pytest.mark.django_db
def test_partitions_exist_for_the_present_from_the_first_migration() -> None:
    assert partition_of(datetime.now(UTC)) != "curation_feedback_default"
