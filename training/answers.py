"""What the training endpoints answer, as types: encoded as they are, and described in OpenAPI."""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from training.models import Evaluation, GateResult, ModelVersion, Snapshot, TrainingRun
from training.queries import erased_items


class RunRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A wish for a training run."""

    # A visible character, and no NUL: Postgres stores none.
    reason: Annotated[
        str, msgspec.Meta(min_length=1, max_length=1000, pattern=r"^\s*[^\s\x00][^\x00]*$")
    ]
    """Why; kept in the history."""


class RunAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A training run."""

    id: int
    status: str
    """queued, running, succeeded, failed or cancelled."""
    step: str
    """What it is doing now."""
    trigger: str
    """first, labels, age or button."""
    reason: str
    estimator: str
    parameters: dict[str, Any]
    seed: int
    attempt: int
    snapshot: str | None
    """The hash of the snapshot it trains on, once that is frozen."""
    version: str | None
    """The version it made."""
    outcome: str
    error: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class RunList(msgspec.Struct, frozen=True):
    """Runs, the newest first."""

    results: list[RunAnswer]


class GateAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What one gate said."""

    gate: str
    status: str
    """passed, failed or insufficient."""
    is_required: bool
    summary: str
    needs: int | None
    """About how many more test labels would decide."""
    evidence: dict[str, Any]


class EvaluationAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One judgement of a version."""

    verdict: str
    """blessed, rejected or insufficient."""
    summary: str
    champion: str | None
    """The version it was compared with."""
    n_test: int
    metrics: dict[str, Any]
    gates: list[GateAnswer]
    created_at: datetime


class VersionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A model version with its latest judgement."""

    name: str
    status: str
    """candidate, blessed, rejected, insufficient, live, superseded or quarantined."""
    classes: list[str]
    run: int
    snapshot: str | None
    artifact_sha256: str
    fingerprint: str
    evaluation: EvaluationAnswer | None
    created_at: datetime


class VersionList(msgspec.Struct, frozen=True):
    """Versions, the newest first."""

    results: list[VersionAnswer]


class SnapshotAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen list of labels."""

    digest: str
    counts: dict[str, Any]
    """Items by split, with their labels and origins."""
    policy: dict[str, Any]
    n_erased: int
    """Items whose text was erased since; the digest still names them."""
    versions: list[str]
    """The versions that were trained on it."""
    created_at: datetime


def run_answer(run: TrainingRun) -> RunAnswer:
    """A run as it is answered."""
    version: ModelVersion | None = getattr(run, "version", None)
    return RunAnswer(
        id=run.pk,
        status=run.status,
        step=run.step,
        trigger=run.trigger,
        reason=run.reason,
        estimator=run.estimator,
        parameters=run.parameters,
        seed=run.seed,
        attempt=run.attempt,
        snapshot=run.snapshot.digest if run.snapshot else None,
        version=version.name if version else None,
        outcome=run.outcome,
        error=run.error,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
    )


def version_answer(version: ModelVersion) -> VersionAnswer:
    """A version as it is answered."""
    latest = version.evaluations.first()
    snapshot = version.run.snapshot
    return VersionAnswer(
        name=version.name,
        status=version.status,
        classes=version.classes,
        run=version.run_id,
        snapshot=snapshot.digest if snapshot else None,
        artifact_sha256=version.artifact_sha256,
        fingerprint=version.fingerprint,
        evaluation=_evaluation_answer(latest) if latest else None,
        created_at=version.created_at,
    )


def snapshot_answer(snapshot: Snapshot) -> SnapshotAnswer:
    """A snapshot as it is answered."""
    versions = ModelVersion.objects.filter(run__snapshot=snapshot).order_by("number")
    return SnapshotAnswer(
        digest=snapshot.digest,
        counts=snapshot.counts,
        policy=snapshot.policy,
        n_erased=erased_items(snapshot),
        versions=[version.name for version in versions],
        created_at=snapshot.created_at,
    )


def _evaluation_answer(evaluation: Evaluation) -> EvaluationAnswer:
    return EvaluationAnswer(
        verdict=evaluation.verdict,
        summary=evaluation.summary,
        champion=evaluation.champion.name if evaluation.champion else None,
        n_test=evaluation.n_test,
        metrics=evaluation.metrics,
        gates=[_gate_answer(result) for result in evaluation.gate_results.all()],
        created_at=evaluation.created_at,
    )


def _gate_answer(result: GateResult) -> GateAnswer:
    return GateAnswer(
        gate=result.gate,
        status=result.status,
        is_required=result.is_required,
        summary=result.summary,
        needs=result.needs,
        evidence=result.evidence,
    )
