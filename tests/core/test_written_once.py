"""What the database refuses to change or to empty, whoever asks."""

import uuid

import pytest
from django.db import DatabaseError, connection, transaction

from curation.labels import Belief, believe
from feedbackhub.core.partitions import ensure_partitions
from tests.curation.events import thumb
from tests.curation.reviewing import answer, open_item
from tests.factories import NOW, make_member, make_prediction, make_project, make_version

pytestmark = pytest.mark.django_db

REWRITES = {
    "a split": "UPDATE curation_cluster SET split = 'test'",
    "a label": "UPDATE curation_label SET value = 'other'",
    "a label's weight": "UPDATE curation_label SET quality = 0.1",
    "an answer": "UPDATE curation_annotation SET value = 'other'",
    "blindness": "UPDATE curation_annotation SET is_blind = NOT is_blind",
    "the first answer to an event": "UPDATE curation_feedbackkey SET answer = '{}'",
    "an artifact": "UPDATE training_modelversion SET artifact_sha256 = repeat('0', 64)",
}
EMPTIED = (
    "curation_prediction",
    "curation_prediction_default",
    "curation_prediction_y2026m11",
    "curation_feedback",
    "curation_feedbackkey",
    "curation_cluster",
    "curation_label",
    "curation_annotation",
    "curation_quarantinemove",
    "core_statuschange",
)


def run(sql: str) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.rowcount


@pytest.fixture
def history() -> None:
    """A row of each kind."""
    project = make_project()
    make_version(project)
    item = open_item(project)
    answer(project, make_member(project), item)
    thumb(make_prediction(project, text="meh"), "down")
    run(
        "INSERT INTO curation_feedbackkey (project_id, event_id, feedback_id, body_digest, answer,"
        f" received_at) VALUES (1, 'e', '{uuid.uuid4()}', '', '{{\"status\": 1}}', now())"
    )


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize("what", REWRITES)
def test_what_was_written_is_not_rewritten(what: str) -> None:
    with pytest.raises(DatabaseError, match="never changes"):
        run(REWRITES[what])


@pytest.mark.usefixtures("history")
def test_what_moves_still_does() -> None:
    item = open_item(make_project())
    believe(beliefs=[Belief(item.sample_id, "positive", "import", 0.9, [])], now=NOW)
    believe(beliefs=[Belief(item.sample_id, "negative", "annotation", 0.9, [])], now=NOW)
    assert run("UPDATE curation_annotation SET undone_at = now(), note = ''") == 1
    assert run("UPDATE training_modelversion SET status = 'superseded'") == 1
    assert run("UPDATE curation_cluster SET split = split") == 2


@pytest.mark.parametrize("table", EMPTIED)
def test_history_is_not_emptied(table: str) -> None:
    ensure_partitions(now=NOW)
    with transaction.atomic():
        run("SET LOCAL feedbackhub.allow_truncate = 'off'")
        with pytest.raises(DatabaseError, match="never emptied"):
            run(f"TRUNCATE {table} CASCADE")
