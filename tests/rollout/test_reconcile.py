"""The rollout reconciler on real rows: it opens, starts, measures, rolls back, and waits aloud."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from curation.models import FeedbackOutcome
from feedbackhub.core.transitions import history
from rollout import evidence, reconcile, services
from rollout.decide import Action, Decision, Evidence
from rollout.models import Rollout, RolloutEvidence, RolloutPolicy, ServingFailure
from tests.factories import make_project, make_rollout, make_version
from tests.rollout.events import insert_feedback, insert_prediction
from training import registry
from training.models import Evaluation, ModelVersion

NOW = timezone.now()
V = ModelVersion.Status


def bless(version: ModelVersion, champion: ModelVersion | None) -> ModelVersion:
    Evaluation.objects.create(
        version=version,
        champion=champion,
        verdict=V.BLESSED,
        summary="Passed.",
        n_test=300,
        test_digest="0" * 64,
        metrics={},
        policy={},
        created_at=NOW,
    )
    return version


def look(rollout: Rollout, *, at: datetime = NOW) -> Rollout:
    reconcile.advance(now=at)
    rollout.refresh_from_db()
    return rollout


@pytest.mark.django_db
def test_nothing_due_costs_one_query(django_assert_num_queries: object) -> None:
    make_version(make_project())
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert reconcile.advance(now=NOW) == 0


@pytest.mark.django_db
def test_the_first_version_waits_for_a_person() -> None:
    version = bless(make_version(make_project(), status=V.BLESSED), None)
    reconcile.advance(now=NOW)
    rollout = Rollout.objects.get(candidate=version)
    assert rollout.status == "waiting"
    assert rollout.decision["awaits"] == "approval"
    services.promote(rollout=rollout, expected="waiting", actor="lead", reason="first", now=NOW)
    version.refresh_from_db()
    assert version.status == V.LIVE
    assert services.ensure_policy(project=version.project).day0_version == version


@pytest.mark.django_db
def test_a_blessed_candidate_starts_its_test_by_itself() -> None:
    champion = make_version(make_project())
    candidate = bless(make_version(champion.project, status=V.BLESSED), champion)
    reconcile.advance(now=NOW)
    rollout = Rollout.objects.get(candidate=candidate)
    assert (rollout.status, rollout.champion, rollout.started_at) == ("ab_test", champion, NOW)
    assert [change.to_status for change in history(rollout)] == ["waiting", "ab_test"]


@pytest.mark.django_db
def test_a_newer_candidate_queues_behind_the_one_under_test() -> None:
    champion = make_version(make_project())
    first = bless(make_version(champion.project, status=V.BLESSED), champion)
    reconcile.advance(now=NOW)
    second = bless(make_version(champion.project, status=V.BLESSED), champion)
    reconcile.advance(now=NOW)
    waiting = Rollout.objects.get(candidate=second)
    assert Rollout.objects.get(candidate=first).status == "ab_test"
    assert waiting.status == "waiting"
    assert waiting.decision["awaits"] == "turn"
    assert first.name in waiting.decision["reasons"][0]


@pytest.mark.django_db
def test_of_two_in_line_the_newer_is_kept() -> None:
    champion = make_version(make_project())
    under_test = make_version(champion.project, status=V.BLESSED)
    make_rollout(under_test, champion)
    older = bless(make_version(champion.project, status=V.BLESSED), champion)
    reconcile.advance(now=NOW)
    newer = bless(make_version(champion.project, status=V.BLESSED), champion)
    reconcile.advance(now=NOW)
    older.refresh_from_db()
    assert older.status == V.SUPERSEDED
    assert Rollout.objects.get(candidate=older).status == "cancelled"
    assert Rollout.objects.get(candidate=newer).status == "waiting"


@pytest.fixture
def running(db: None) -> Rollout:
    champion = make_version(make_project())
    candidate = bless(make_version(champion.project, status=V.BLESSED), champion)
    rollout = make_rollout(candidate, champion)
    Rollout.objects.filter(pk=rollout.pk).update(started_at=NOW - timedelta(days=2))
    rollout.refresh_from_db()
    return rollout


def harm(rollout: Rollout) -> None:
    """Everyone in treatment is displeased, and nobody in control."""
    for index in range(120):
        arm = "treatment" if index % 2 else "control"
        prediction = insert_prediction(rollout, arm=arm, subject=f"s{index}", now=NOW)
        insert_feedback(prediction, rating="down" if arm == "treatment" else "up", now=NOW)


def test_without_traffic_it_says_so_and_holds(running: Rollout) -> None:
    rollout = look(running)
    assert rollout.status == "ab_test"
    assert rollout.decision["awaits"] == "traffic"


def test_harmful_thumbs_roll_it_back_and_quarantine_the_candidate(running: Rollout) -> None:
    harm(running)
    rollout = look(running)
    assert rollout.status == "rolled_back"
    rollout.candidate.refresh_from_db()
    assert rollout.candidate.status == V.QUARANTINED
    last = history(rollout).last()
    assert last is not None
    assert "thumbs-down rate is worse" in last.reason
    rollout.champion.refresh_from_db()  # type: ignore[union-attr]
    assert rollout.champion.status == V.LIVE  # type: ignore[union-attr]


@pytest.mark.parametrize("verdict", [V.REJECTED, V.INSUFFICIENT])
def test_harm_rolls_back_a_candidate_whose_verdict_was_renewed_during_its_test(
    running: Rollout, verdict: str
) -> None:
    harm(running)
    ModelVersion.objects.filter(pk=running.candidate_id).update(status=verdict)
    rollout = look(running)
    assert rollout.status == "rolled_back"
    rollout.candidate.refresh_from_db()
    assert rollout.candidate.status == V.QUARANTINED


@pytest.mark.parametrize("stage", ["ab_test", "paused"])
def test_a_test_ends_with_words_when_its_candidate_loses_its_blessing(
    running: Rollout, stage: str
) -> None:
    look(running)  # A moment ago, so that no further look is due.
    Rollout.objects.filter(pk=running.pk).update(status=stage)
    ModelVersion.objects.filter(pk=running.candidate_id).update(status=V.REJECTED)
    rollout = look(running)
    assert rollout.status == "cancelled"
    last = history(rollout).last()
    assert last is not None
    assert last.reason == "v2 is rejected by now: its test ends."


def test_a_promotion_that_is_refused_holds_and_says_why(running: Rollout) -> None:
    RolloutPolicy.objects.filter(project=running.project).update(auto_promote=True, min_hours=0)
    registry.artifact_file(running.candidate).unlink()
    ready = Decision(Action.COMPLETE, ("Better.",))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reconcile, "decide", lambda *_: ready)
        rollout = look(running)
    assert rollout.status == "ab_test"
    assert rollout.decision["action"] == "hold"
    assert rollout.decision["awaits"] == "repair"
    assert rollout.decision["reasons"][0].startswith("Refused: There is no model file")
    assert rollout.decision["reasons"][1] == "Better."


def test_the_trouble_of_one_project_does_not_stop_the_others(
    running: Rollout, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    champion = make_version(make_project())
    bless(make_version(champion.project, status=V.BLESSED), champion)
    measure = evidence.measure

    def breaks_for_the_first(rollout: Rollout, **given: Any) -> Evidence:
        if rollout.pk == running.pk:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")
        return measure(rollout, **given)

    monkeypatch.setattr(evidence, "measure", breaks_for_the_first)
    assert reconcile.advance(now=NOW) == 2
    assert Rollout.objects.get(project=champion.project).status == "ab_test"
    assert f"The rollouts of {running.project.slug} could not be looked at" in caplog.text


def test_harmless_thumbs_do_not(running: Rollout) -> None:
    for index in range(120):
        arm = "treatment" if index % 2 else "control"
        prediction = insert_prediction(running, arm=arm, subject=f"s{index}", now=NOW)
        insert_feedback(prediction, rating="down" if index % 6 < 2 else "up", now=NOW)
    rollout = look(running)
    assert rollout.status == "ab_test"
    assert rollout.decision["awaits"] == "labels"


def test_quarantined_thumbs_do_not_speak(running: Rollout) -> None:
    for index in range(120):
        arm = "treatment" if index % 2 else "control"
        prediction = insert_prediction(running, arm=arm, subject=f"s{index}", now=NOW)
        rating = "down" if arm == "treatment" else "up"
        state = FeedbackOutcome.State.QUARANTINED
        insert_feedback(prediction, rating=rating, now=NOW, state=state)
    assert look(running).status == "ab_test"


def test_a_candidate_that_cannot_answer_is_rolled_back(running: Rollout) -> None:
    for index in range(30):
        insert_prediction(running, arm="treatment", subject=f"s{index}", now=NOW)
    for _ in range(5):
        ServingFailure.objects.create(rollout=running, arm="treatment", detail="boom", at=NOW)
    assert look(running).status == "rolled_back"


def test_evidence_is_kept_once_a_minute_and_renewed_within(running: Rollout) -> None:
    insert_prediction(running, arm="control", subject="a", now=NOW)
    minute = NOW.replace(second=0, microsecond=0) + timedelta(minutes=1)
    look(running, at=minute)
    insert_prediction(running, arm="treatment", subject="b", now=NOW)
    look(running, at=minute + timedelta(seconds=30))
    look(running, at=minute + timedelta(seconds=70))
    kept = list(RolloutEvidence.objects.filter(rollout=running))
    assert [row.computed_at for row in kept] == [
        minute + timedelta(seconds=30),
        minute + timedelta(seconds=70),
    ]
    assert {arm["arm"]: arm["predictions"] for arm in kept[0].arms} == {
        "control": 1,
        "treatment": 1,
    }


def test_a_dear_measurement_is_repeated_less_often(running: Rollout) -> None:
    RolloutEvidence.objects.create(
        rollout=running, computed_at=NOW, arms=[], comparison={"cost_ms": 3000}
    )
    look(running, at=NOW + timedelta(seconds=59))
    assert running.evidence.count() == 1
    look(running, at=NOW + timedelta(seconds=61))
    latest = running.evidence.order_by("computed_at").last()
    assert latest is not None
    assert latest.computed_at == NOW + timedelta(seconds=61)


def test_a_measurement_that_keeps_failing_pauses_and_is_never_a_pass(
    running: Rollout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: object) -> None:
        raise DatabaseError("relation is gone")

    monkeypatch.setattr("curation.arms.arm_counts", broken)
    for tick in range(4):
        assert look(running, at=NOW + timedelta(seconds=tick)).status == "ab_test"
        assert running.decision["awaits"] == "measurement"
    rollout = look(running, at=NOW + timedelta(seconds=4))
    assert rollout.status == "paused"
    assert "5 times in a row" in rollout.decision["reasons"][0]


def test_subjects_and_anonymous_predictions_are_never_mixed(running: Rollout) -> None:
    insert_prediction(running, arm="control", subject="a", now=NOW)
    for _ in range(3):
        insert_prediction(running, arm="treatment", subject=None, now=NOW)
    look(running)
    (row,) = running.evidence.all()
    assert [arm["predictions"] for arm in row.arms] == [1, 0]
    assert row.comparison["left_out"] == 3


@pytest.mark.django_db
def test_a_candidate_no_longer_blessed_leaves_the_line() -> None:
    champion = make_version(make_project())
    candidate = make_version(champion.project, status=V.REJECTED)
    rollout = make_rollout(candidate, champion, status="waiting")
    assert look(rollout).status == "cancelled"
