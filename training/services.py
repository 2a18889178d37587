"""What others ask of the training room: a run, its cancellation, and the tick that keeps order."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from curation import queries
from curation.models import Project
from feedbackhub.core.models import User
from feedbackhub.core.transitions import move, record
from training import runs
from training.models import TrainingPolicy, TrainingRun
from training.triggers import Situation, due

logger = logging.getLogger(__name__)

Status = TrainingRun.Status
ACTIVE = (Status.QUEUED, Status.RUNNING)

ACTOR = "training"
# A worker writes every 5 s; after six silent beats it is taken for dead.
STALE_AFTER = timedelta(seconds=30)
MAX_ATTEMPTS = 3
# A queued run whose message may be lost is sent again; a worker ignores the second one.
RESEND_AFTER = timedelta(seconds=30)


class RunActive(Exception):
    """The project has a run that is queued or running; the message says since when."""


def ensure_policy(*, project: Project) -> TrainingPolicy:
    """The project's training policy, made with the usual values when there is none."""
    policy, _ = TrainingPolicy.objects.get_or_create(project=project)
    return policy


def request_run(
    *,
    project: Project,
    trigger: str,
    reason: str,
    actor: str,
    now: datetime,
    requested_by: User | None = None,
) -> TrainingRun:
    """Queue a run under the project's policy. Raises :class:`RunActive`: one at a time."""
    policy = ensure_policy(project=project)
    try:
        with transaction.atomic():
            run = TrainingRun.objects.create(
                project=project,
                trigger=trigger,
                reason=reason,
                requested_by=requested_by,
                estimator=policy.estimator,
                parameters=policy.parameters,
                seed=policy.seed,
                created_at=now,
            )
            record(run, from_status="", to=run.status, actor=actor, now=now, reason=reason)
    except IntegrityError as error:
        if "trainingrun_one_active" not in str(error):
            raise
        raise RunActive(f"{project} already has a run that is queued or running.") from error
    return run


def cancel_run(*, run: TrainingRun, actor: str, reason: str, now: datetime) -> None:
    """Stop a run. A worker in the middle of it notices at its next step and makes no version.

    Raises :class:`~feedbackhub.core.transitions.StaleTransition` when it moved on meanwhile, and
    :class:`~feedbackhub.core.transitions.ForbiddenTransition` when it has ended.
    """
    move(
        run,
        moves=TrainingRun.MOVES,
        expected=run.status,
        to=Status.CANCELLED,
        actor=actor,
        now=now,
        reason=reason,
        finished_at=now,
        step="",
        outcome=f"Cancelled by {actor}: {reason}",
    )


def plan(*, now: datetime) -> list[int]:
    """One look at everything: recover dead runs, start due ones; ids of runs to send to workers.

    Cheap when nothing is due. Running it twice, late, or at the same time does no harm.
    """
    _create_missing_policies()
    recover_dead_runs(now=now)
    _start_due_runs(now=now)
    unsent = Q(sent_at__isnull=True) | Q(sent_at__lt=now - RESEND_AFTER)
    queued = TrainingRun.objects.filter(unsent, status=Status.QUEUED)
    return list(queued.order_by("created_at", "id").values_list("id", flat=True))


def mark_sent(*, run_id: int, now: datetime) -> None:
    """Remember that a worker was told of a queued run; only after the broker took the message."""
    TrainingRun.objects.filter(pk=run_id, status=Status.QUEUED).update(sent_at=now)


def execute(*, run_id: int, clock: runs.Clock) -> TrainingRun | None:
    """Carry out a queued run to its end; None when it is not (any more) to be carried out."""
    return runs.execute(run_id=run_id, clock=clock)


def recover_dead_runs(*, now: datetime) -> None:
    """Queue again the runs whose worker fell silent, or fail them when that keeps happening."""
    silent = TrainingRun.objects.filter(status=Status.RUNNING, heartbeat_at__lt=now - STALE_AFTER)
    if not silent.exists():
        return
    with transaction.atomic():
        # Locked and read again: a heartbeat that arrives now saves its run.
        for run in silent.select_for_update(skip_locked=True, of=("self",)).order_by("id"):
            with _apart(f"{run} could not be recovered"):
                _recover(run, now=now)


def situation(policy: TrainingPolicy, *, last_run_at: datetime | None) -> Situation:
    """What decides whether the policy's project retrains now."""
    return Situation(
        is_enabled=policy.is_enabled,
        min_new_labels=policy.min_new_labels,
        max_age_hours=policy.max_age_hours,
        new_labels=queries.new_label_count(project=policy.project, since=last_run_at),
        last_run_at=last_run_at,
    )


def _recover(run: TrainingRun, *, now: datetime) -> None:
    silence = f"The worker fell silent while {run.step or 'starting'}"
    if run.attempt < MAX_ATTEMPTS:
        move(
            run,
            moves=TrainingRun.MOVES,
            expected=Status.RUNNING,
            to=Status.QUEUED,
            actor=ACTOR,
            now=now,
            reason=f"{silence}; queued again after attempt {run.attempt}.",
            step="",
            sent_at=None,
        )
        return
    error = (
        f"{silence}, in attempt {run.attempt} of {MAX_ATTEMPTS}. It may have run out of memory or "
        "been stopped; look at the worker's log, then retrain by the button."
    )
    move(
        run,
        moves=TrainingRun.MOVES,
        expected=Status.RUNNING,
        to=Status.FAILED,
        actor=ACTOR,
        now=now,
        reason=error,
        error=error,
        step="",
        finished_at=now,
    )


def _create_missing_policies() -> None:
    missing = Project.objects.filter(training_policy__isnull=True)
    TrainingPolicy.objects.bulk_create(
        [TrainingPolicy(project=project) for project in missing], ignore_conflicts=True
    )


def _start_due_runs(*, now: datetime) -> None:
    of_project = TrainingRun.objects.filter(project=OuterRef("project"))
    started = of_project.annotate(at=Coalesce("started_at", "created_at")).order_by("-at")
    idle = (
        TrainingPolicy.objects.filter(is_enabled=True)
        .filter(~Exists(of_project.filter(status__in=ACTIVE)))
        .annotate(last_run_at=Subquery(started.values("at")[:1]))
        .select_related("project")
        .order_by("id")
    )
    for policy in idle:
        with _apart(f"Whether {policy.project.slug} retrains could not be told"):
            _start_if_due(policy, last_run_at=policy.last_run_at, now=now)


def _start_if_due(policy: TrainingPolicy, *, last_run_at: datetime | None, now: datetime) -> None:
    found = due(situation(policy, last_run_at=last_run_at), now=now)
    if found is None:
        return
    try:
        request_run(
            project=policy.project,
            trigger=found.trigger,
            reason=found.reason,
            actor=ACTOR,
            now=now,
        )
    except RunActive:
        return  # Another tick, or the button, was faster.


@contextmanager
def _apart(trouble: str) -> Iterator[None]:
    """Log what breaks inside and go on: one project's trouble must not stop the tick for all."""
    try:
        with transaction.atomic():
            yield
    except Exception:
        logger.exception(trouble)
