"""Which versions exist, which one is live, and the one atomic step that changes it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery

from curation.models import Project
from feedbackhub.core.transitions import ForbiddenTransition, StaleTransition, history, move
from training import artifacts
from training.models import Evaluation, ModelVersion

# scikit-learn and its kin take seconds to import: only those who fit or load a model pay.
if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Status = ModelVersion.Status
# What a version may be when it is barred: it has left the training run, and it does not serve.
BARRED_FROM = (Status.BLESSED, Status.INSUFFICIENT, Status.REJECTED, Status.SUPERSEDED)


class NeverLive(Exception):
    """A rollback goes to a version that served before; this one never did."""


def live_version(*, project_id: int) -> ModelVersion | None:
    """The project's champion, or None before the first promotion."""
    return ModelVersion.objects.filter(project_id=project_id, status=Status.LIVE).first()


def blessed_versions(*, project: Project) -> QuerySet[ModelVersion]:
    """Versions a rollout may take, oldest first.

    Blessed, and judged against the version that is live now: a verdict against an earlier
    champion says nothing about this one, and is renewed before it counts.
    """
    latest = Evaluation.objects.filter(version=OuterRef("pk")).order_by("-created_at", "-id")
    live = live_version(project_id=project.pk)
    blessed = ModelVersion.objects.filter(project=project, status=Status.BLESSED).annotate(
        latest_verdict=Subquery(latest.values("verdict")[:1]),
        judged_against=Subquery(latest.values("champion_id")[:1]),
    )
    same_champion = Q(judged_against=live.pk) if live else Q(judged_against__isnull=True)
    return blessed.filter(same_champion, latest_verdict=Status.BLESSED).order_by("number")


def crown(
    *,
    version: ModelVersion,
    expected_champion: ModelVersion | None,
    actor: str,
    reason: str,
    now: datetime,
    evidence: Mapping[str, Any] | None = None,
) -> None:
    """Make a blessed version live and the champion superseded, both or neither.

    Raises :class:`StaleTransition` when the champion is another than ``expected_champion``, or
    when the version is not blessed against it; and
    :class:`~training.artifacts.BadArtifact` when the version's file cannot be served.
    """
    _refuse_unservable(version)
    with _only_one_live(version):
        lock(project_id=version.project_id)
        if expected_champion is not None:
            _leave(expected_champion, Status.SUPERSEDED, actor=actor, reason=reason, now=now)
        _refuse_stale_blessing(version, expected_champion)
        _become_live(version, Status.BLESSED, actor, reason, now, evidence)


def reinstate(
    *,
    version: ModelVersion,
    instead_of: ModelVersion,
    actor: str,
    reason: str,
    now: datetime,
    evidence: Mapping[str, Any] | None = None,
) -> None:
    """Roll back: put a former champion in the place of the live version, which is quarantined.

    Raises :class:`NeverLive` for a version that has not served before,
    :class:`StaleTransition` when ``instead_of`` is no longer live, and
    :class:`~training.artifacts.BadArtifact` when the former champion's file cannot be served.
    """
    if not history(version).filter(to_status=Status.LIVE).exists():
        raise NeverLive(f"{version} never served; a rollback goes to a former champion.")
    _refuse_unservable(version)
    with _only_one_live(version):
        lock(project_id=version.project_id)
        _leave(instead_of, Status.QUARANTINED, actor=actor, reason=reason, now=now)
        _become_live(version, Status.SUPERSEDED, actor, reason, now, evidence)


def quarantine(
    *,
    version: ModelVersion,
    actor: str,
    reason: str,
    now: datetime,
    evidence: Mapping[str, Any] | None = None,
) -> None:
    """Bar a version that does not serve from ever doing so, and every model with its fingerprint.

    Raises :class:`~feedbackhub.core.transitions.ForbiddenTransition` when it is in none of
    ``BARRED_FROM``, and :class:`StaleTransition` when its status has changed since it was read.
    """
    if version.status not in BARRED_FROM:
        raise ForbiddenTransition(f"{version} is {version.get_status_display()}; not barred.")
    move(
        version,
        moves=ModelVersion.MOVES,
        expected=version.status,
        to=Status.QUARANTINED,
        actor=actor,
        now=now,
        reason=reason,
        evidence=evidence,
    )


def supersede(*, version: ModelVersion, actor: str, reason: str, now: datetime) -> None:
    """Set a blessed or insufficient version aside for a newer one.

    Raises :class:`StaleTransition` or
    :class:`~feedbackhub.core.transitions.ForbiddenTransition`.
    """
    move(
        version,
        moves=ModelVersion.MOVES,
        expected=version.status,
        to=Status.SUPERSEDED,
        actor=actor,
        now=now,
        reason=reason,
    )


def lock(*, project_id: int) -> None:
    """Keep the project's champion and verdicts as they are until this transaction ends.

    Whoever changes which version is live, what a verdict says, or which rollout rests on either
    takes it first, before any other row. It lets other tables go on referring to the project.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project_id)


def next_number(*, project_id: int) -> int:
    """The number of the project's next version; call it in the transaction that creates it.

    Takes the project's lock until that transaction ends, so that two runs never draw one number.
    """
    lock(project_id=project_id)
    numbers = ModelVersion.objects.filter(project_id=project_id).order_by("-number")
    return (numbers.values_list("number", flat=True).first() or 0) + 1


def artifact_file(version: ModelVersion) -> Path:
    """Where the version's model file lies."""
    return Path(settings.ARTIFACTS_DIR) / version.artifact_path


def load_pipeline(version: ModelVersion) -> "Pipeline":
    """The version's fitted pipeline, hash and types checked; kept for the next call.

    Raises :class:`~training.artifacts.BadArtifact`.
    """
    return _load(artifact_file(version), version.artifact_sha256)


# A champion and a candidate of two projects; a file never changes under its hash.
@lru_cache(maxsize=4)
def _load(path: Path, sha256: str) -> "Pipeline":
    return artifacts.load(path, sha256=sha256)


@contextmanager
def _only_one_live(version: ModelVersion) -> Iterator[None]:
    """Turn the constraint's refusal of a second live version into a stale transition."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "modelversion_one_live" not in str(error):
            raise
        raise StaleTransition(f"{version} cannot go live: another version is live.") from error


def _refuse_unservable(version: ModelVersion) -> None:
    # Read from the disk, not from the cache: other processes will have to.
    artifacts.load(artifact_file(version), sha256=version.artifact_sha256)


def _leave(champion: ModelVersion, to: str, *, actor: str, reason: str, now: datetime) -> None:
    move(
        champion,
        moves=ModelVersion.MOVES,
        expected=Status.LIVE,
        to=to,
        actor=actor,
        now=now,
        reason=reason,
    )


def _become_live(
    version: ModelVersion,
    expected: str,
    actor: str,
    reason: str,
    now: datetime,
    evidence: Mapping[str, Any] | None,
) -> None:
    move(
        version,
        moves=ModelVersion.MOVES,
        expected=expected,
        to=Status.LIVE,
        actor=actor,
        now=now,
        reason=reason,
        evidence=evidence,
    )


def _refuse_stale_blessing(version: ModelVersion, champion: ModelVersion | None) -> None:
    evaluation = version.evaluations.first()
    if evaluation is None or evaluation.verdict != Status.BLESSED:
        raise StaleTransition(f"{version} is not blessed by its latest evaluation.")
    if evaluation.champion_id != (champion.pk if champion else None):
        against = f"judged against {evaluation.champion.name}" if evaluation.champion else "first"
        raise StaleTransition(
            f"{version} was {against}, and the champion has changed; it is judged again first."
        )
