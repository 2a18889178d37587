"""An accepted event is never lost, doubled or changed, whoever sends it however often."""

import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.db import DatabaseError, connection, transaction

from curation.intake.facts import project_facts
from curation.intake.landing import LandedFeedback, Outcome, land_feedback
from curation.intake.schemas import FeedbackRequest
from curation.models import Feedback, FeedbackKey, Landed, Prediction, Project
from feedbackhub.core.ids import uuid7
from tests.factories import NOW, feedback_body, make_prediction, make_project


def event(prediction_id: uuid.UUID | None, **fields: Any) -> FeedbackRequest:
    return msgspec.convert(feedback_body(prediction_id, **fields), FeedbackRequest)


def land(project: Project, events: Sequence[FeedbackRequest]) -> list[LandedFeedback]:
    return land_feedback(project=project, source_id=7, events=events, now=NOW)


@pytest.mark.django_db
def test_feedback_knows_what_its_prediction_knew() -> None:
    project = make_project()
    served = make_prediction(
        project, label="positive", model_version="v3", rollout_id=5, arm="treatment"
    )
    [result] = land(project, [event(served.id, rating="down", comment="no", subject="anna")])
    row = Feedback.objects.get(id=result.feedback_id)
    assert (result.outcome, result.status, result.reasons) == (Outcome.LANDED, "accepted", [])
    assert (row.predicted_label, row.model_version, row.rollout_id, row.arm, row.confidence) == (
        ("positive", "v3", 5, "treatment", 0.9)
    )
    assert (row.source_id, row.received_at, row.comment) == (7, NOW, "no")
    assert row.subject_hash is not None
    assert len(bytes(row.subject_hash)) == 16
    assert list(Landed.objects.values_list("id", "kind")) == [(row.id, "feedback")]


@pytest.mark.django_db
def test_a_repeated_event_gets_the_first_answer_and_lands_once() -> None:
    project = make_project()
    thumb = event(uuid7(NOW))
    [first] = land(project, [thumb])
    # The prediction arrives late: the answer of that time is repeated all the same.
    make_prediction(project, id=thumb.prediction_id)
    [second] = land_feedback(
        project=project, source_id=8, events=[thumb], now=NOW + timedelta(days=1)
    )
    assert first.reasons == ["unknown_prediction"]
    assert second.outcome == Outcome.DUPLICATE
    assert second.answer() == first.answer()
    assert Feedback.objects.count() == Landed.objects.count() == 1


@pytest.mark.django_db
def test_the_same_body_in_another_form_is_the_same_body() -> None:
    project = make_project()
    name = make_prediction(project).id
    first = {"event_id": "e", "metadata": {"a": 1, "b": 2}, "occurred_at": "2026-11-23T12:00:00Z"}
    second = {
        "event_id": "e",
        "metadata": {"b": 2, "a": 1},
        "occurred_at": "2026-11-23T14:00:00+02:00",
    }
    results = land(project, [event(name, **first), event(name, **second)])
    assert [result.outcome for result in results] == [Outcome.LANDED, Outcome.DUPLICATE]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"rating": "down"}, "rating"),
        ({"comment": "other"}, "comment"),
        ({"subject": "berta"}, "subject"),
        ({"session": "s2"}, "session"),
        ({"corrected_label": "positive"}, "corrected_label"),
        ({"occurred_at": "2026-11-23T12:00:01Z"}, "occurred_at"),
        ({"metadata": {"a": 2}}, "metadata"),
        ({"prediction_id": str(uuid7(NOW))}, "prediction_id"),
    ],
)
def test_another_body_under_a_known_id_is_a_conflict_that_names_the_field(
    change: dict[str, Any], field: str
) -> None:
    project = make_project()
    body = feedback_body(
        make_prediction(project).id,
        event_id="e",
        comment="one",
        subject="anna",
        session="s1",
        occurred_at="2026-11-23T12:00:00Z",
        metadata={"a": 1},
    )
    land(project, [msgspec.convert(body, FeedbackRequest)])
    [result] = land(project, [msgspec.convert({**body, **change}, FeedbackRequest)])
    assert result.outcome == Outcome.CONFLICT
    assert [error["field"] for error in result.differences] == [field]
    assert Feedback.objects.count() == 1


@pytest.mark.django_db
def test_a_conflict_about_an_external_prediction_names_its_field() -> None:
    project = make_project()
    answer = {"text": "soup", "label": "positive", "confidence": 0.5}
    land(project, [event(None, event_id="e", prediction=answer)])
    [result] = land(project, [event(None, event_id="e", prediction={**answer, "text": "Soup"})])
    assert [error["field"] for error in result.differences] == ["prediction.text"]


@pytest.mark.django_db
def test_equal_ids_in_one_batch_land_the_first() -> None:
    project = make_project()
    name = make_prediction(project).id
    results = land(
        project,
        [
            event(name, event_id="e", comment="first"),
            event(name, event_id="e", comment="first"),
            event(name, event_id="e", comment="other"),
            event(name, event_id="f"),
        ],
    )
    assert [result.outcome for result in results] == [
        Outcome.LANDED,
        Outcome.DUPLICATE,
        Outcome.CONFLICT,
        Outcome.LANDED,
    ]
    assert Feedback.objects.get(event_id="e").comment == "first"


@pytest.mark.django_db
def test_the_same_id_in_two_projects_is_two_events() -> None:
    for project in (make_project(), make_project()):
        [result] = land(project, [event(make_prediction(project).id, event_id="e")])
        assert result.outcome == Outcome.LANDED


@pytest.mark.django_db
def test_events_of_one_batch_keep_their_order() -> None:
    project = make_project()
    name = make_prediction(project).id
    results = land(project, [event(name) for _ in range(50)])
    ids = [result.feedback_id for result in results]
    assert ids == sorted(ids)
    assert list(Feedback.objects.values_list("id", flat=True)) == ids


@pytest.mark.django_db
def test_feedback_on_another_projects_prediction_is_quarantined_and_learns_nothing() -> None:
    project, other = make_project(), make_project()
    foreign = make_prediction(other, label="positive", model_version="v9")
    [result] = land(project, [event(foreign.id)])
    row = Feedback.objects.get(id=result.feedback_id)
    assert (result.status, result.reasons) == ("quarantined", ["foreign_prediction"])
    assert (row.predicted_label, row.model_version, row.confidence) == ("", "", None)
    assert row.quarantine_reasons == ["foreign_prediction"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("hours_ahead", "reasons"), [(25, ["clock_ahead"]), (23, []), (-24 * 400, [])]
)
def test_an_event_from_tomorrow_is_quarantined(hours_ahead: int, reasons: list[str]) -> None:
    project = make_project()
    at = (NOW + timedelta(hours=hours_ahead)).isoformat()
    [result] = land(project, [event(make_prediction(project).id, occurred_at=at)])
    assert result.reasons == reasons


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("rating", "corrected", "reasons"),
    [
        ("up", "negative", ["contradicts_itself"]),
        ("down", "positive", ["contradicts_itself"]),
        ("up", "positive", []),
        ("down", "negative", []),
        ("down", "", []),
    ],
)
def test_a_thumb_against_its_own_correction_is_quarantined(
    rating: str, corrected: str, reasons: list[str]
) -> None:
    project = make_project()
    name = make_prediction(project, label="positive").id
    [result] = land(project, [event(name, rating=rating, corrected_label=corrected)])
    assert result.reasons == reasons


@pytest.mark.django_db
def test_an_external_prediction_is_kept_with_its_feedback() -> None:
    project = make_project()
    answer = {
        "text": "Cold soup",
        "label": "negative",
        "confidence": 0.8,
        "model_version": "legacy",
    }
    [result] = land(project, [event(None, prediction=answer, subject="anna")])
    row = Feedback.objects.get(id=result.feedback_id)
    served = Prediction.objects.get(id=row.prediction_id)
    assert (served.text, served.label, served.confidence) == ("Cold soup", "negative", 0.8)
    assert (served.model_version, served.is_external, served.is_audit) == ("legacy", True, False)
    assert (row.predicted_label, row.model_version) == ("negative", "legacy")
    assert row.subject_hash == served.subject_hash
    # Sent again, nothing is added.
    assert land(project, [event(None, event_id=row.event_id, prediction=answer, subject="anna")])[
        0
    ].outcome == (Outcome.DUPLICATE)
    assert Prediction.objects.count() == 1


@pytest.mark.django_db
def test_subjects_are_stored_as_hashes_that_differ_by_project() -> None:
    hashes = set()
    for project in (make_project(), make_project()):
        name = make_prediction(project).id
        land(project, [event(name, subject="anna"), event(name, subject="anna", session="anna")])
        rows = Feedback.objects.filter(project_id=project.pk)
        hashes |= {bytes(row.subject_hash) for row in rows if row.subject_hash}
        assert len({bytes(row.subject_hash) for row in rows if row.subject_hash}) == 1
    assert len(hashes) == 2
    assert b"anna" not in b"".join(hashes)


@pytest.mark.django_db
@pytest.mark.parametrize("change", ["UPDATE {} SET rating = 'down'", "DELETE FROM {}"])
def test_landed_feedback_cannot_be_changed(change: str) -> None:
    project = make_project()
    land(project, [event(make_prediction(project).id)])
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change.format("curation_feedback"))


@pytest.mark.django_db
def test_landing_takes_one_statement_however_many_events() -> None:
    project = make_project()
    name = make_prediction(project).id
    events = [event(name) for _ in range(200)]
    project_facts(project.pk)  # As any request has read them, at most a second ago.
    with connection.execute_wrapper(counting := Counting()):
        land(project, events)
    assert counting.statements == 1
    assert land(project, []) == []


class Counting:
    def __init__(self) -> None:
        self.statements = 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.statements += 1
        return execute(sql, params, many, context)


@pytest.fixture
def committed_project(transactional_db: None) -> Project:
    return make_project()


def test_twenty_threads_with_the_same_events_land_each_once(committed_project: Project) -> None:
    project = committed_project
    name = make_prediction(project).id
    events = [event(name, event_id=f"e{number}") for number in range(40)]

    def send(turn: int) -> list[LandedFeedback]:
        # Each in another order: locks taken out of order would deadlock.
        rotated = events[turn:] + events[:turn]
        try:
            return land(project, rotated if turn % 2 else rotated[::-1])
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        answers = [result for results in pool.map(send, range(20)) for result in results]
    landed = [result for result in answers if result.outcome == Outcome.LANDED]
    assert len(answers) == 800
    assert sorted(result.event_id for result in landed) == sorted(one.event_id for one in events)
    assert {result.outcome for result in answers} == {Outcome.LANDED, Outcome.DUPLICATE}
    ids = {result.event_id: result.feedback_id for result in landed}
    assert all(result.feedback_id == ids[result.event_id] for result in answers)
    assert Feedback.objects.count() == FeedbackKey.objects.count() == Landed.objects.count() == 40
