"""Rejected events: kept up to a cap, mended by a person and landed as if they had come right."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from curation.digest.tallies import roll_up
from curation.intake import facts
from curation.intake.facts import project_facts
from curation.intake.feedback import take_batch, take_one
from curation.intake.metrics import FEEDBACK_EVENTS
from curation.intake.replay import Replayed, replay
from curation.models import (
    CurationPolicy,
    Feedback,
    IntakeMinute,
    IntakeTally,
    Project,
    RejectedEvent,
)
from feedbackhub.core.problems import Problem
from feedbackhub.core.transitions import StaleTransition
from tests.factories import NOW, feedback_body, make_prediction, make_project, make_source

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_facts() -> None:
    facts.forget()


def send(project: Project, source_id: int, *bodies: dict[str, Any], now: Any = NOW) -> Any:
    return take_batch(
        facts=project_facts(project.pk),
        source_id=source_id,
        body=json.dumps(bodies).encode(),
        is_ndjson=False,
        now=now,
    )


def refused(project: Project, source_id: int, body: bytes) -> RejectedEvent:
    with pytest.raises(Problem):
        take_one(facts=project_facts(project.pk), source_id=source_id, body=body, now=NOW)
    return RejectedEvent.objects.latest("id")


def mend(event: RejectedEvent, **changes: Any) -> Replayed:
    text = json.dumps({**json.loads(event.payload), **changes})
    return replay(rejected=event, text=text, actor="ada", now=NOW + timedelta(hours=1))


def bad(project: Project, **fields: Any) -> bytes:
    prediction = make_prediction(project)
    return json.dumps(feedback_body(prediction.pk, rating="sideways", **fields)).encode()


def test_above_the_cap_events_are_only_counted_and_tomorrow_they_are_kept_again() -> None:
    project = make_project(rejected_per_day=3)
    one, two = make_source(project), make_source(project)
    broken = [{"rating": "up"}] * 5
    before = FEEDBACK_EVENTS.labels(project.slug, "rejected")._value.get()
    assert len(send(project, one.pk, *broken).rejected) == 5
    send(project, one.pk, *broken)
    send(project, two.pk, *broken[:2])
    kept = RejectedEvent.objects.filter
    assert (kept(source_id=one.pk).count(), kept(source_id=two.pk).count()) == (3, 2)
    assert FEEDBACK_EVENTS.labels(project.slug, "rejected")._value.get() - before == 12

    send(project, one.pk, *broken[:1], now=NOW + timedelta(days=1))
    assert kept(source_id=one.pk).count() == 4
    roll_up()
    minutes = IntakeMinute.objects.order_by("source_id", "minute")
    assert list(minutes.values_list("rejected", flat=True)) == [10, 1, 2]
    assert not IntakeTally.objects.exists()


def test_a_request_is_counted_once_by_what_became_of_its_events() -> None:
    project = make_project()
    source = make_source(project)
    good = [feedback_body(make_prediction(project).pk) for _ in range(3)]
    odd = feedback_body("01890000-0000-7000-8000-000000000000")
    send(project, source.pk, *good, odd, {"rating": "up"})
    send(project, source.pk, good[0], {**good[1], "rating": "down"})
    roll_up()
    row = IntakeMinute.objects.get()
    counts = (row.accepted, row.quarantined, row.rejected, row.duplicates, row.caught)
    assert counts == (3, 1, 2, 1, 0)


@pytest.mark.django_db(transaction=True)
def test_rolling_up_beside_requests_loses_and_doubles_nothing() -> None:
    project = make_project()
    source = make_source(project)

    def work(number: int) -> None:
        try:
            for _ in range(25):
                if number % 2:
                    roll_up()
                else:
                    IntakeTally.objects.create(
                        project_id=project.pk, source_id=source.pk, received_at=NOW, accepted=1
                    )
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    roll_up()
    assert IntakeMinute.objects.get().accepted == 50


def test_a_mended_event_lands_as_the_subject_it_came_from() -> None:
    project = make_project()
    source = make_source(project)
    event = refused(project, source.pk, bad(project, subject="anna"))
    direct = feedback_body(make_prediction(project).pk, subject="anna")
    send(project, source.pk, direct)

    result = mend(event, rating="down")
    assert (result.accepted, result.quarantined, result.duplicates) == (1, 0, 0)
    hashes = {bytes(row.subject_hash) for row in Feedback.objects.all() if row.subject_hash}
    assert len(hashes) == 1
    event.refresh_from_db()
    assert (event.replayed_at, event.replayed_by) == (NOW + timedelta(hours=1), "ada")
    assert Feedback.objects.filter(source_id=source.pk, rating="down").count() == 1


def test_only_a_replay_may_name_a_subject_by_its_hash() -> None:
    project = make_project()
    source = make_source(project)
    kept = json.loads(refused(project, source.pk, bad(project, subject="anna")).payload)["subject"]
    send(project, source.pk, feedback_body(make_prediction(project).pk, subject=kept))
    forged = Feedback.objects.get().subject_hash
    assert forged is not None
    assert bytes(forged).hex() != kept.removeprefix("keyed:")


def test_an_event_refused_again_says_why_and_stays() -> None:
    project = make_project()
    event = refused(project, make_source(project).pk, bad(project))
    with pytest.raises(Problem) as caught:
        mend(event, rating="down", corrected_label="mediocre")
    assert caught.value.errors[0]["field"] == "corrected_label"
    with pytest.raises(Problem) as caught:
        replay(rejected=event, text="no json", actor="ada", now=NOW)
    assert "is not JSON" in caught.value.errors[0]["message"]
    event.refresh_from_db()
    assert event.replayed_at is None
    assert not Feedback.objects.exists()
    assert RejectedEvent.objects.count() == 1


def test_an_array_lands_whole_or_not_at_all() -> None:
    project = make_project()
    event = refused(project, make_source(project).pk, b"[")
    bodies = [feedback_body(make_prediction(project).pk) for _ in range(2)]
    wrong = [bodies[0], {**bodies[1], "rating": "sideways"}]
    with pytest.raises(Problem) as caught:
        replay(rejected=event, text=json.dumps(wrong), actor="ada", now=NOW)
    assert caught.value.errors[0]["field"] == "[1] rating"
    assert not Feedback.objects.exists()
    result = replay(rejected=event, text=json.dumps(bodies), actor="ada", now=NOW)
    assert result.accepted == 2


def test_a_replay_that_contradicts_what_landed_is_refused_and_open() -> None:
    project = make_project()
    source = make_source(project)
    body = feedback_body(make_prediction(project).pk)
    send(project, source.pk, body)
    event = refused(project, source.pk, json.dumps({**body, "rating": "down"}).encode())
    with pytest.raises(Problem) as caught:
        mend(event)
    assert caught.value.status_code == 409
    event.refresh_from_db()
    assert event.replayed_at is None
    assert mend(event, rating="up").duplicates == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_replay_at_once_one_wins() -> None:
    project = make_project()
    event = refused(project, make_source(project).pk, bad(project))
    start = threading.Barrier(2)

    def send_again(_: int) -> bool:
        start.wait()
        try:
            mend(event, rating="down")
        except StaleTransition:
            return False
        else:
            return True
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(send_again, range(2))) == [False, True]
    assert Feedback.objects.count() == 1


def test_every_policy_has_a_cap() -> None:
    project = make_project()
    assert CurationPolicy.objects.get(project=project).rejected_per_day == 1_000


@pytest.mark.parametrize("cut", [0, 1], ids=["json", "broken json"])
def test_a_name_in_a_misspelt_field_is_kept_as_its_hash_alone(cut: int) -> None:
    project = make_project()
    source = make_source(project)
    body = bad(project, user="anna@example.org", subjct=["anna@example.org"], ratng="up")
    kept = refused(project, source.pk, body[: len(body) - cut])
    assert "anna" not in kept.payload
    if not cut:
        said = json.loads(kept.payload)
        assert said["user"].startswith("keyed:")
        assert said["ratng"] == "up"
