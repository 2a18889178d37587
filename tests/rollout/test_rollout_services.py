"""Every step of a rollout three ways: allowed, forbidden, raced; one live version throughout."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection

from feedbackhub.core.transitions import ForbiddenTransition, StaleTransition, history
from rollout import services, steps
from rollout.models import Rollout
from rollout.services import CannotPromote, CannotRollBack
from rollout.steps import Refused, Step
from tests.factories import NOW, make_rollout
from tests.rollout.scenes import Scene, make_blessed, make_scene
from training.models import ModelVersion
from training.registry import artifact_file, live_version

Status = Rollout.Status
V = ModelVersion.Status
LATER = NOW + timedelta(hours=1)


def take(scene: Scene, step: Step, *, expected: str, actor: str = "ada") -> None:
    """Take a step from a fresh look at the rollout, as a request does."""
    rollout = Rollout.objects.select_related("project", "candidate", "champion").get(
        pk=scene.rollout.pk
    )
    steps.take(
        step, rollout=rollout, expected=expected, actor=actor, reason="For a test.", now=LATER
    )


def race(*calls: Callable[[], None]) -> list[Exception]:
    """Run the calls at the same moment, each on its own connection; what went wrong in them."""
    ready, wrongs = threading.Barrier(len(calls)), list[Exception]()

    def run(call: Callable[[], None]) -> None:
        try:
            ready.wait(timeout=10)
            call()
        except Exception as wrong:
            wrongs.append(wrong)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return wrongs


def statuses(scene: Scene) -> dict[str, str]:
    """Each version's status by name."""
    return {each.name: each.status for each in ModelVersion.objects.filter(project=scene.project)}


def status(scene: Scene) -> str:
    return Rollout.objects.values_list("status", flat=True).get(pk=scene.rollout.pk)


def moves(scene: Scene) -> list[tuple[str, str, str]]:
    return [(c.from_status, c.to_status, c.actor) for c in history(scene.rollout)]


@pytest.mark.django_db
def test_opening_sets_older_candidates_in_line_aside() -> None:
    scene = make_scene(status=Status.WAITING)
    newer = make_blessed(scene.project, against=scene.champion)
    opened = services.open_rollout(candidate=newer, actor="advance", now=LATER)
    assert (opened.status, opened.champion) == (Status.WAITING, scene.champion)
    assert status(scene) == Status.CANCELLED
    assert statuses(scene) == {"v1": V.LIVE, "v2": V.SUPERSEDED, "v3": V.BLESSED}


@pytest.mark.django_db
@pytest.mark.parametrize("by_now", [V.REJECTED, V.QUARANTINED])
def test_opening_takes_one_that_was_turned_down_out_of_line_and_leaves_its_status(
    by_now: str,
) -> None:
    scene = make_scene(status=Status.WAITING)
    ModelVersion.objects.filter(pk=scene.candidate.pk).update(status=by_now)
    newer = make_blessed(scene.project, against=scene.champion)
    services.open_rollout(candidate=newer, actor="advance", now=LATER)
    assert status(scene) == Status.CANCELLED
    assert statuses(scene) == {"v1": V.LIVE, "v2": by_now, "v3": V.BLESSED}


@pytest.mark.django_db
def test_a_test_starts_against_the_champion_of_this_moment_with_its_own_salt() -> None:
    scene = make_scene(status=Status.WAITING)
    take(scene, Step.START, expected=Status.WAITING)
    rollout = Rollout.objects.get(pk=scene.rollout.pk)
    assert (rollout.status, rollout.champion) == (Status.AB_TEST, scene.champion)
    assert rollout.salt == f"rollout-{rollout.pk}"
    assert rollout.started_at == LATER
    assert moves(scene)[-1] == ("waiting", "ab_test", "ada")


@pytest.mark.django_db
def test_a_test_is_not_started_without_a_champion() -> None:
    scene = make_scene(status=Status.WAITING, first=True)
    with pytest.raises(CannotPromote, match="no champion"):
        services.start(rollout=scene.rollout, actor="ada", reason="", now=LATER)
    assert status(scene) == Status.WAITING


@pytest.mark.django_db
def test_a_test_is_not_started_on_a_blessing_against_another_champion() -> None:
    scene = make_scene(status=Status.WAITING)
    scene.candidate.evaluations.update(champion=None)
    with pytest.raises(CannotPromote, match="judged against v1"):
        services.start(rollout=scene.rollout, actor="ada", reason="", now=LATER)


@pytest.mark.django_db
def test_a_test_is_not_started_while_another_goes_on() -> None:
    scene = make_scene()
    other = make_rollout(
        make_blessed(scene.project, against=scene.champion), scene.champion, status=Status.WAITING
    )
    with pytest.raises(StaleTransition, match="another test"):
        services.start(rollout=other, actor="ada", reason="", now=LATER)
    other.refresh_from_db()
    assert other.status == Status.WAITING


@pytest.mark.django_db(transaction=True)
def test_of_two_candidates_started_at_once_one_is_tested() -> None:
    scene = make_scene(status=Status.WAITING)
    rival = make_blessed(scene.project, against=scene.champion)
    other = make_rollout(rival, scene.champion, status=Status.WAITING)
    wrongs = race(
        *(
            lambda rollout=each: services.start(rollout=rollout, actor="ada", reason="", now=LATER)
            for each in (scene.rollout, other)
        )
    )
    assert [type(wrong) for wrong in wrongs] == [StaleTransition]
    assert Rollout.objects.filter(status=Status.AB_TEST).count() == 1


@pytest.mark.django_db
def test_a_pause_keeps_the_arms_and_a_resume_takes_them_up_again() -> None:
    scene = make_scene()
    take(scene, Step.PAUSE, expected=Status.AB_TEST)
    assert status(scene) == Status.PAUSED
    take(scene, Step.RESUME, expected=Status.PAUSED)
    rollout = Rollout.objects.get(pk=scene.rollout.pk)
    assert (rollout.status, rollout.salt) == (Status.AB_TEST, "salt")
    assert rollout.started_at == scene.rollout.started_at


@pytest.mark.django_db
@pytest.mark.parametrize("step", [Step.PAUSE, Step.RESUME])
def test_what_has_not_started_is_neither_paused_nor_resumed(step: Step) -> None:
    scene = make_scene(status=Status.WAITING)
    with pytest.raises(Refused, match="not possible while the rollout is waiting"):
        take(scene, step, expected=Status.WAITING)
    # waiting -> ab_test is a move, but not by resuming: the test would have no salt.
    service = {Step.PAUSE: services.pause, Step.RESUME: services.resume}[step]
    with pytest.raises(ForbiddenTransition):
        service(rollout=scene.rollout, expected=Status.WAITING, actor="ada", reason="", now=LATER)
    assert status(scene) == Status.WAITING


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("step", "before", "after"),
    [
        (Step.START, Status.WAITING, Status.AB_TEST),
        (Step.PAUSE, Status.AB_TEST, Status.PAUSED),
        (Step.RESUME, Status.PAUSED, Status.AB_TEST),
        (Step.PROMOTE, Status.AB_TEST, Status.PROMOTED),
        (Step.ROLL_BACK, Status.AB_TEST, Status.ROLLED_BACK),
    ],
)
def test_of_two_leads_who_take_the_same_step_one_does(step: Step, before: str, after: str) -> None:
    scene = make_scene(status=before)
    recorded = len(moves(scene))
    wrongs = race(
        lambda: take(scene, step, expected=before, actor="ada"),
        lambda: take(scene, step, expected=before, actor="bob"),
    )
    assert [type(wrong) for wrong in wrongs] == [StaleTransition]
    assert status(scene) == after
    assert len(moves(scene)) == recorded + 1
    assert list(statuses(scene).values()).count(V.LIVE) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("before", [Status.AB_TEST, Status.PAUSED])
def test_promotion_swaps_the_champion_and_keeps_the_evidence(before: str) -> None:
    scene = make_scene(status=before)
    take(scene, Step.PROMOTE, expected=before)
    assert status(scene) == Status.PROMOTED
    assert statuses(scene) == {"v1": V.SUPERSEDED, "v2": V.LIVE}
    assert set(history(scene.rollout).last().evidence) == {"decision", "comparison"}  # type: ignore[union-attr] # there is one


@pytest.mark.django_db
def test_the_first_version_is_promoted_from_the_queue_and_becomes_day_zero() -> None:
    scene = make_scene(status=Status.WAITING, first=True)
    take(scene, Step.PROMOTE, expected=Status.WAITING)
    assert statuses(scene) == {"v1": V.LIVE}
    assert services.ensure_policy(project=scene.project).day0_version == scene.candidate


@pytest.mark.django_db
def test_promotion_is_refused_before_any_traffic() -> None:
    scene = make_scene(status=Status.WAITING)
    with pytest.raises(Refused, match="start its A/B test first"):
        take(scene, Step.PROMOTE, expected=Status.WAITING)
    assert statuses(scene) == {"v1": V.LIVE, "v2": V.BLESSED}


@pytest.mark.django_db
def test_promotion_is_refused_when_the_model_file_is_gone() -> None:
    scene = make_scene()
    artifact_file(scene.candidate).unlink()
    with pytest.raises(Refused, match="cannot be served"):
        take(scene, Step.PROMOTE, expected=Status.AB_TEST)
    assert status(scene) == Status.AB_TEST
    assert statuses(scene) == {"v1": V.LIVE, "v2": V.BLESSED}


@pytest.mark.django_db
def test_promotion_is_refused_when_the_champion_is_another_by_now() -> None:
    scene = make_scene()
    ModelVersion.objects.filter(pk=scene.champion.pk).update(status=V.QUARANTINED)  # type: ignore[union-attr] # has one
    with pytest.raises(StaleTransition):
        take(scene, Step.PROMOTE, expected=Status.AB_TEST)
    assert status(scene) == Status.AB_TEST


@pytest.mark.django_db
@pytest.mark.parametrize("before", [Status.PROMOTED, Status.ROLLED_BACK, Status.CANCELLED])
def test_what_is_over_is_not_promoted(before: str) -> None:
    scene = make_scene(status=before)
    with pytest.raises(Refused, match="not possible"):
        take(scene, Step.PROMOTE, expected=before)


@pytest.mark.django_db
def test_a_stale_view_of_the_rollout_changes_nothing() -> None:
    scene = make_scene()
    take(scene, Step.PAUSE, expected=Status.AB_TEST)
    with pytest.raises(StaleTransition):
        take(scene, Step.PROMOTE, expected=Status.AB_TEST)
    assert status(scene) == Status.PAUSED


@pytest.mark.django_db
@pytest.mark.parametrize("before", [Status.AB_TEST, Status.PAUSED])
def test_rolling_back_a_test_quarantines_the_candidate(before: str) -> None:
    scene = make_scene(status=before)
    take(scene, Step.ROLL_BACK, expected=before)
    assert status(scene) == Status.ROLLED_BACK
    assert statuses(scene) == {"v1": V.LIVE, "v2": V.QUARANTINED}


@pytest.mark.django_db
@pytest.mark.parametrize("before", [Status.AB_TEST, Status.PAUSED])
@pytest.mark.parametrize("verdict", [V.REJECTED, V.INSUFFICIENT, V.SUPERSEDED])
def test_a_test_is_rolled_back_though_the_verdict_was_renewed_meanwhile(
    verdict: str, before: str
) -> None:
    scene = make_scene(status=before)
    rollout = Rollout.objects.select_related("project", "candidate").get(pk=scene.rollout.pk)
    ModelVersion.objects.filter(pk=scene.candidate.pk).update(status=verdict)
    steps.take(
        Step.ROLL_BACK, rollout=rollout, expected=before, actor="ada", reason="Bad.", now=LATER
    )
    assert status(scene) == Status.ROLLED_BACK
    assert statuses(scene) == {"v1": V.LIVE, "v2": V.QUARANTINED}


@pytest.mark.django_db
def test_a_candidate_barred_already_does_not_keep_its_test_going() -> None:
    scene = make_scene()
    ModelVersion.objects.filter(pk=scene.candidate.pk).update(status=V.QUARANTINED)
    take(scene, Step.ROLL_BACK, expected=Status.AB_TEST)
    assert status(scene) == Status.ROLLED_BACK
    assert statuses(scene) == {"v1": V.LIVE, "v2": V.QUARANTINED}


@pytest.mark.django_db
def test_rolling_back_a_promotion_puts_the_former_champion_back() -> None:
    scene = make_scene()
    take(scene, Step.PROMOTE, expected=Status.AB_TEST)
    take(scene, Step.ROLL_BACK, expected=Status.PROMOTED)
    assert status(scene) == Status.ROLLED_BACK
    assert statuses(scene) == {"v1": V.LIVE, "v2": V.QUARANTINED}


@pytest.mark.django_db
def test_rolling_back_a_promotion_cancels_the_test_against_it() -> None:
    scene = make_scene()
    take(scene, Step.PROMOTE, expected=Status.AB_TEST)
    promoted = live_version(project_id=scene.project.pk)
    assert promoted is not None
    test = make_rollout(make_blessed(scene.project, against=promoted), promoted)
    take(scene, Step.ROLL_BACK, expected=Status.PROMOTED)
    test.refresh_from_db()
    assert test.status == Status.CANCELLED
    assert statuses(scene) == {"v1": V.LIVE, "v2": V.QUARANTINED, "v3": V.BLESSED}
    assert "v2 was rolled back" in history(test).last().reason  # type: ignore[union-attr] # there is one


@pytest.mark.django_db
def test_the_first_champion_cannot_be_rolled_back() -> None:
    scene = make_scene(status=Status.WAITING, first=True)
    take(scene, Step.PROMOTE, expected=Status.WAITING)
    with pytest.raises(Refused, match="nothing to go back to"):
        take(scene, Step.ROLL_BACK, expected=Status.PROMOTED)
    assert status(scene) == Status.PROMOTED
    assert statuses(scene) == {"v1": V.LIVE}


@pytest.mark.django_db
def test_a_promotion_that_was_followed_by_another_is_not_rolled_back() -> None:
    scene = make_scene(status=Status.PROMOTED)
    ModelVersion.objects.filter(pk=scene.candidate.pk).update(status=V.SUPERSEDED)
    scene.rollout.candidate.refresh_from_db()
    with pytest.raises(CannotRollBack, match="not live any more"):
        services.roll_back(
            rollout=scene.rollout, expected=Status.PROMOTED, actor="ada", reason="", now=LATER
        )
    assert status(scene) == Status.PROMOTED


@pytest.mark.django_db
def test_what_waits_is_cancelled_not_rolled_back() -> None:
    scene = make_scene(status=Status.WAITING)
    with pytest.raises(ForbiddenTransition):
        services.roll_back(
            rollout=scene.rollout, expected=Status.WAITING, actor="ada", reason="", now=LATER
        )
    services.cancel(rollout=scene.rollout, actor="ada", reason="Not wanted.", now=LATER)
    assert status(scene) == Status.CANCELLED
    assert statuses(scene) == {"v1": V.LIVE, "v2": V.BLESSED}


@pytest.mark.django_db(transaction=True)
def test_of_a_promotion_and_a_rollback_at_once_one_happens() -> None:
    scene = make_scene()
    wrongs = race(
        lambda: take(scene, Step.PROMOTE, expected=Status.AB_TEST, actor="ada"),
        lambda: take(scene, Step.ROLL_BACK, expected=Status.AB_TEST, actor="bob"),
    )
    assert [type(wrong) for wrong in wrongs] == [StaleTransition]
    after = {
        Status.PROMOTED: {"v1": V.SUPERSEDED, "v2": V.LIVE},
        Status.ROLLED_BACK: {"v1": V.LIVE, "v2": V.QUARANTINED},
    }
    assert statuses(scene) == after[Status(status(scene))]


@pytest.mark.django_db(transaction=True)
def test_of_two_rollbacks_of_a_promotion_at_once_one_happens() -> None:
    scene = make_scene()
    take(scene, Step.PROMOTE, expected=Status.AB_TEST)
    wrongs = race(
        *[lambda: take(scene, Step.ROLL_BACK, expected=Status.PROMOTED) for _ in range(2)]
    )
    assert [type(wrong) for wrong in wrongs] == [StaleTransition]
    assert statuses(scene) == {"v1": V.LIVE, "v2": V.QUARANTINED}
