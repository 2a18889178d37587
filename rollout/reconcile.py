"""The rollout reconciler: opens, starts, measures and decides what is due, project by project."""

import logging
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q

from curation.models import Project
from feedbackhub.core.transitions import StaleTransition
from rollout import evidence, services
from rollout.decide import Action, Awaits, Decision, Policy, decide
from rollout.models import Rollout, RolloutPolicy
from training import registry
from training.artifacts import BadArtifact
from training.models import ModelVersion

log = logging.getLogger(__name__)

ACTOR = "advance"
# What a step may be refused with that another look will not mend by itself.
REFUSALS = (services.CannotPromote, services.CannotRollBack, registry.NeverLive, BadArtifact)
Status = Rollout.Status


def advance(*, now: datetime) -> int:
    """Look at every project that has a blessed version or an open rollout; how many were looked at.

    A project another worker is looking at is passed over. Cheap when nothing is due: one query.
    """
    due = Project.objects.filter(
        Q(model_versions__status=ModelVersion.Status.BLESSED)
        | Q(rollouts__status__in=[Status.WAITING, *Rollout.ACTIVE])
    ).distinct()
    looked = 0
    for project in due:
        with transaction.atomic():
            if not _lock(project):
                continue
            looked += 1
            try:
                with transaction.atomic():
                    _advance_project(project, now)
            except StaleTransition as moved:
                # A person was faster; the next tick looks again.
                log.info("Rollout of %s: %s", project.slug, moved)
            except Exception:
                # The other projects must not wait until this one is repaired.
                log.exception("The rollouts of %s could not be looked at", project.slug)
    return looked


def _lock(project: Project) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(hashtext('rollout'), %s::int)", [project.pk % 2**31]
        )
        return bool(cursor.fetchone()[0])


def _advance_project(project: Project, now: datetime) -> None:
    _open_new(project, now)
    active = Rollout.objects.filter(project=project, status__in=Rollout.ACTIVE)
    rollout = active.select_related("candidate", "champion", "project").first()
    if rollout is not None:
        _look(rollout, now)
    waiting = Rollout.objects.filter(project=project, status=Status.WAITING)
    for candidate in waiting.select_related("candidate", "project"):
        _take_turn(candidate, ahead=rollout, now=now)


def _open_new(project: Project, now: datetime) -> None:
    unfinished = Rollout.objects.filter(
        project=project, status__in=[Status.WAITING, *Rollout.ACTIVE]
    ).values("candidate")
    fresh = registry.blessed_versions(project=project).exclude(pk__in=unfinished).last()
    if fresh is not None:
        services.open_rollout(candidate=fresh, actor=ACTOR, now=now)


def _take_turn(rollout: Rollout, *, ahead: Rollout | None, now: datetime) -> None:
    """Start a waiting candidate when the way is free; the first version awaits a person."""
    if rollout.candidate.status != ModelVersion.Status.BLESSED:
        why = f"{rollout.candidate.name} is {rollout.candidate.get_status_display()} by now."
        services.cancel(rollout=rollout, actor=ACTOR, reason=why, now=now)
        return
    if registry.live_version(project_id=rollout.project_id) is None:
        first = "The first version has nothing to be compared with: an ML lead promotes it."
        _keep(rollout, Decision(Action.HOLD, (first,), Awaits.APPROVAL), now)
        return
    decision = decide(evidence.of_waiting(rollout, ahead=ahead), Policy(), now)
    _keep(rollout, decision, now)
    if decision.action is not Action.ADVANCE:
        return
    try:
        services.start(rollout=rollout, actor=ACTOR, reason=decision.reasons[0], now=now)
    except services.CannotPromote as refusal:
        _keep(rollout, Decision(Action.HOLD, (str(refusal),), Awaits.TURN), now)


def _look(rollout: Rollout, now: datetime) -> None:
    is_blessed = rollout.candidate.status == ModelVersion.Status.BLESSED
    if is_blessed and not evidence.is_due(rollout, now):
        return
    policy = services.ensure_policy(project=rollout.project)
    found = evidence.measure(rollout, policy=policy, now=now)
    decision = decide(found, _terms(policy), now)
    _keep(rollout, decision, now, failures=found.failures_in_a_row)
    if not is_blessed and decision.action is not Action.ROLL_BACK:
        _end_unblessed(rollout, now)
        return
    _act(rollout, decision, now, failures=found.failures_in_a_row)


def _end_unblessed(rollout: Rollout, now: datetime) -> None:
    """A candidate whose verdict was renewed and lost serves nobody, harmful or not."""
    status = rollout.candidate.get_status_display().lower()
    why = f"{rollout.candidate.name} is {status} by now"
    services.cancel(rollout=rollout, actor=ACTOR, reason=f"{why}: its test ends.", now=now)


def _act(rollout: Rollout, decision: Decision, now: datetime, *, failures: int) -> None:
    """Take the step that was decided on; when it is refused, hold and say why."""
    act = {
        Action.ROLL_BACK: services.roll_back,
        Action.PAUSE: services.pause,
        Action.COMPLETE: services.promote,
    }.get(decision.action)
    if act is None:
        return
    reason = " ".join(decision.reasons)
    try:
        act(rollout=rollout, expected=rollout.status, actor=ACTOR, reason=reason, now=now)
    except REFUSALS as refusal:
        held = Decision(
            Action.HOLD,
            (f"Refused: {refusal}", *decision.reasons),
            Awaits.REPAIR,
            now + Policy().look_every,
        )
        _keep(rollout, held, now, failures=failures)


def _terms(policy: RolloutPolicy) -> Policy:
    return Policy(
        minimum_duration=timedelta(hours=policy.min_hours), auto_promote=policy.auto_promote
    )


def _keep(rollout: Rollout, decision: Decision, now: datetime, *, failures: int = 0) -> None:
    rollout.decision = {**decision.as_json(), evidence.FAILURES: failures}
    rollout.decided_at = now
    rollout.save(update_fields=["decision", "decided_at"])
