"""The journey of a candidate: every step a person or the reconciler may take, one function each."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from curation.models import Project
from feedbackhub.core.transitions import ForbiddenTransition, StaleTransition, move, record
from rollout.models import Rollout, RolloutPolicy
from training import registry
from training.models import ModelVersion

Status = Rollout.Status
Verdict = ModelVersion.Status


class CannotPromote(Exception):
    """The candidate may not become champion now; the message says why and what to do."""


class CannotRollBack(Exception):
    """There is nothing to go back to; the message says why."""


def ensure_policy(*, project: Project) -> RolloutPolicy:
    """The project's rollout policy, made with its defaults on first use."""
    return RolloutPolicy.objects.get_or_create(project=project)[0]


def open_rollout(*, candidate: ModelVersion, actor: str, now: datetime) -> Rollout:
    """Put a blessed candidate in line. Older ones still in line are set aside for it."""
    with transaction.atomic():
        registry.lock(project_id=candidate.project_id)
        for older in Rollout.objects.filter(
            project=candidate.project, status=Status.WAITING, candidate__number__lt=candidate.number
        ).select_related("candidate"):
            cancel(rollout=older, actor=actor, reason=f"{candidate.name} is newer.", now=now)
            if older.candidate.status in (Verdict.BLESSED, Verdict.INSUFFICIENT):
                registry.supersede(
                    version=older.candidate,
                    actor=actor,
                    reason=f"{candidate.name} is newer.",
                    now=now,
                )
        rollout = Rollout.objects.create(
            project=candidate.project,
            candidate=candidate,
            champion=registry.live_version(project_id=candidate.project_id),
            treatment_share=ensure_policy(project=candidate.project).treatment_share,
            created_at=now,
        )
        record(rollout, from_status="", to=Status.WAITING, actor=actor, now=now)
    return rollout


def start(
    *, rollout: Rollout, expected: str = Status.WAITING, actor: str, reason: str, now: datetime
) -> None:
    """Begin the A/B test of a waiting candidate against the champion of this moment.

    Raises :class:`CannotPromote` when there is no champion to compare it with or its blessing is
    stale, and :class:`StaleTransition` when it is not waiting any more.
    """
    try:
        with transaction.atomic():
            registry.lock(project_id=rollout.project_id)
            _move(
                rollout,
                expected=expected,
                to=Status.AB_TEST,
                actor=actor,
                reason=reason,
                now=now,
                champion=_opponent(rollout),
                # A salt of its own, so that no two rollouts share their arms.
                salt=f"rollout-{rollout.pk}",
                started_at=now,
            )
    except IntegrityError as error:
        if "rollout_one_active" not in str(error):
            raise
        raise StaleTransition("By now another test goes on; this one waits its turn.") from error


def _opponent(rollout: Rollout) -> ModelVersion:
    """The champion that the candidate was judged against, which is live now."""
    champion = registry.live_version(project_id=rollout.project_id)
    if champion is None:
        raise CannotPromote("There is no champion to compare with; promote the first version.")
    if not registry.blessed_versions(project=rollout.project).filter(pk=rollout.candidate_id):
        raise CannotPromote(f"{rollout.candidate.name} must be judged against {champion.name}.")
    return champion


def pause(*, rollout: Rollout, expected: str, actor: str, reason: str, now: datetime) -> None:
    """Send all traffic to the champion until someone resumes; arms and evidence are kept."""
    _move(rollout, expected=expected, to=Status.PAUSED, actor=actor, reason=reason, now=now)


def resume(*, rollout: Rollout, expected: str, actor: str, reason: str, now: datetime) -> None:
    """Go on after a pause, with the same arms."""
    if expected == Status.WAITING:  # Its way to the A/B test is the start, which salts it.
        raise ForbiddenTransition("Only a paused rollout is resumed; start this one.")
    _move(rollout, expected=expected, to=Status.AB_TEST, actor=actor, reason=reason, now=now)


def cancel(*, rollout: Rollout, actor: str, reason: str, now: datetime) -> None:
    """End a rollout without a word on its candidate."""
    _move(
        rollout,
        expected=rollout.status,
        to=Status.CANCELLED,
        actor=actor,
        reason=reason,
        now=now,
        finished_at=now,
    )


def promote(*, rollout: Rollout, expected: str, actor: str, reason: str, now: datetime) -> None:
    """Make the candidate champion and end the rollout, in one transaction.

    ``expected`` is the status the caller saw. Raises :class:`CannotPromote` when the champion or
    the blessing has changed since, and :class:`StaleTransition` when the rollout has moved.
    """
    champion = registry.live_version(project_id=rollout.project_id)
    if expected == Status.WAITING and champion is not None:
        raise CannotPromote(
            f"{rollout.candidate.name} has served no traffic yet; start its A/B test first."
        )
    evidence = {"decision": rollout.decision, "comparison": _latest_comparison(rollout)}
    try:
        with transaction.atomic():
            registry.lock(project_id=rollout.project_id)
            _move(
                rollout,
                expected=expected,
                to=Status.PROMOTED,
                actor=actor,
                reason=reason,
                now=now,
                evidence=evidence,
                finished_at=now,
            )
            registry.crown(
                version=rollout.candidate,
                expected_champion=champion if expected == Status.WAITING else rollout.champion,
                actor=actor,
                reason=reason,
                now=now,
                evidence={"rollout": rollout.pk},
            )
            if ensure_policy(project=rollout.project).day0_version_id is None:
                RolloutPolicy.objects.filter(project=rollout.project).update(
                    day0_version=rollout.candidate
                )
    except ForbiddenTransition as refusal:
        raise CannotPromote(str(refusal)) from refusal


def roll_back(*, rollout: Rollout, expected: str, actor: str, reason: str, now: datetime) -> None:
    """Take the candidate out: end its test, or put the former champion back after a promotion.

    The candidate is quarantined, whatever its gates say of it by now: neither it nor its twin is
    proposed again. Raises
    :class:`CannotRollBack` when no former champion is known or another version is live by now,
    and :class:`StaleTransition` when the rollout has moved.
    """
    with transaction.atomic():
        registry.lock(project_id=rollout.project_id)
        _move(
            rollout,
            expected=expected,
            to=Status.ROLLED_BACK,
            actor=actor,
            reason=reason,
            now=now,
            evidence={"comparison": _latest_comparison(rollout)},
            finished_at=now,
        )
        if expected == Status.PROMOTED:
            _put_back(rollout, actor=actor, reason=reason, now=now)
        else:
            _bar(rollout, actor=actor, reason=reason, now=now)


def _bar(rollout: Rollout, *, actor: str, reason: str, now: datetime) -> None:
    # Its verdict may have been renewed since the rollout was read, but the test ends regardless.
    candidate = ModelVersion.objects.get(pk=rollout.candidate_id)
    if candidate.status in registry.BARRED_FROM:
        registry.quarantine(
            version=candidate,
            actor=actor,
            reason=reason,
            now=now,
            evidence={"rollout": rollout.pk},
        )


def _put_back(rollout: Rollout, *, actor: str, reason: str, now: datetime) -> None:
    former = rollout.champion
    if former is None:
        raise CannotRollBack(
            f"{rollout.candidate.name} is the first champion: nothing to go back to."
        )
    if rollout.candidate.status != ModelVersion.Status.LIVE:
        raise CannotRollBack(f"{rollout.candidate.name} is not live any more.")
    registry.reinstate(
        version=former,
        instead_of=rollout.candidate,
        actor=actor,
        reason=reason,
        now=now,
        evidence={"rollout": rollout.pk},
    )
    # A test against the version that has just gone compares with nothing.
    for test in Rollout.objects.filter(project=rollout.project, status__in=Rollout.ACTIVE):
        cancel(
            rollout=test,
            actor=actor,
            reason=f"Its champion {rollout.candidate.name} was rolled back.",
            now=now,
        )


def _latest_comparison(rollout: Rollout) -> dict[str, Any]:
    latest = rollout.evidence.order_by("-computed_at", "-id").first()
    return latest.comparison if latest else {}


def _move(
    rollout: Rollout,
    *,
    expected: str,
    to: str,
    actor: str,
    reason: str,
    now: datetime,
    evidence: Mapping[str, Any] | None = None,
    **changes: Any,
) -> None:
    if rollout.status != expected:
        raise StaleTransition(
            f"The rollout is {rollout.get_status_display().lower()} by now; look again."
        )
    move(
        rollout,
        moves=Rollout.MOVES,
        expected=expected,
        to=to,
        actor=actor,
        now=now,
        reason=reason,
        evidence=evidence,
        **changes,
    )
