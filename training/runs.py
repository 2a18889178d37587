"""One training run, from a claim to a version: claimed once, kept alive, told in words.

A worker holds a run by its attempt number. Whatever it writes is guarded by that number, so that a
worker that was thought dead and comes back, or one whose run was cancelled, writes nothing.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F

from curation.models import Project
from feedbackhub.core.transitions import StaleTransition, move, record
from training import artifacts, estimators, registry, snapshots
from training.evaluation import evaluate
from training.fingerprints import fingerprint
from training.models import ModelVersion, Snapshot, TrainingRun

# scikit-learn and its kin take seconds to import: only those who fit or load a model pay.
if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

logger = logging.getLogger(__name__)
Clock = Callable[[], datetime]
Status = TrainingRun.Status

ACTOR = "training"
HEARTBEAT_SECONDS = 5.0
# Fewer labels than this teach nothing that a test could tell from chance.
MIN_TRAINING_LABELS = 20


class LostClaim(Exception):
    """The run was cancelled, or given to another worker; this one stops and writes nothing."""


class CannotTrain(Exception):
    """The run cannot succeed as things are; the message says what to do."""


class NothingNew(Exception):
    """The result would be, or is, a version that exists; the message names it."""


@dataclass(frozen=True)
class Claim:
    """A worker's hold on a run."""

    run: TrainingRun
    attempt: int

    def touch(self, **changes: Any) -> None:
        """Write to the run while it is still ours. Raises :class:`LostClaim`."""
        held = TrainingRun.objects.filter(
            pk=self.run.pk, status=Status.RUNNING, attempt=self.attempt
        )
        if not held.update(**changes):
            raise LostClaim(f"{self.run} is no longer ours.")
        for name, value in changes.items():
            setattr(self.run, name, value)

    def finish(self, to: str, *, now: datetime, outcome: str = "", error: str = "") -> None:
        """End the run. Raises :class:`LostClaim`."""
        with transaction.atomic():
            self.touch(step="")
            try:
                move(
                    self.run,
                    moves=TrainingRun.MOVES,
                    expected=Status.RUNNING,
                    to=to,
                    actor=ACTOR,
                    now=now,
                    reason=error or outcome,
                    finished_at=now,
                    outcome=outcome,
                    error=error,
                )
            except StaleTransition as lost:
                raise LostClaim(str(lost)) from lost


def claim(*, run_id: int, now: datetime) -> Claim | None:
    """Take a queued run, or None when there is none: someone else has it, or it was cancelled."""
    run = TrainingRun.objects.filter(pk=run_id, status=Status.QUEUED).first()
    if run is None:
        return None
    try:
        move(
            run,
            moves=TrainingRun.MOVES,
            expected=Status.QUEUED,
            to=Status.RUNNING,
            actor=ACTOR,
            now=now,
            attempt=F("attempt") + 1,
            heartbeat_at=now,
            # Labels are counted as new from here; a retry that keeps its snapshot keeps its time.
            started_at=run.started_at if run.snapshot_id else now,
            step="starting",
        )
    except StaleTransition:
        return None
    run.refresh_from_db()
    return Claim(run, run.attempt)


def execute(*, run_id: int, clock: Clock) -> TrainingRun | None:
    """Carry out a queued run; None when it is not ours to carry out.

    A trouble that people can mend ends the run as failed, with a sentence. A lost database leaves
    it running without a heartbeat: it is taken up again when that goes stale.
    """
    held = claim(run_id=run_id, now=clock())
    if held is None:
        return None
    with heartbeat(held, clock=clock):
        try:
            _carry_out(held, clock)
        except LostClaim as lost:
            logger.info("%s", lost)
            return None
        except (OperationalError, InterfaceError):
            raise
        except NothingNew as same:
            held.finish(Status.SUCCEEDED, now=clock(), outcome=str(same))
        except (
            CannotTrain,
            estimators.CannotFit,
            estimators.BadEstimatorParameters,
            snapshots.TestLeak,
        ) as refusal:
            held.finish(Status.FAILED, now=clock(), error=str(refusal))
        except Exception as error:
            logger.exception("%s failed", held.run)
            what = f"Unexpected {type(error).__name__} while {held.run.step}: {error}"
            held.finish(
                Status.FAILED, now=clock(), error=f"{what}. The worker's log has the details."
            )
    return held.run


@contextmanager
def heartbeat(
    held: Claim, *, clock: Clock, every_seconds: float = HEARTBEAT_SECONDS
) -> Iterator[None]:
    """Say that the run is alive, from a thread of its own, for as long as the block runs."""
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(every_seconds):
                try:
                    held.touch(heartbeat_at=clock())
                except LostClaim:
                    return
                except (OperationalError, InterfaceError):
                    connection.close()  # The next beat connects anew.
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name=f"heartbeat of {held.run}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _carry_out(held: Claim, clock: Clock) -> None:
    version = ModelVersion.objects.filter(run=held.run).first() or _train(held, clock)
    if version.status == ModelVersion.Status.CANDIDATE:
        held.touch(step="evaluating")
        evaluate(version=version, now=clock())
        version.refresh_from_db()
    latest = version.evaluations.first()
    said = f" {latest.summary}" if latest else ""
    held.finish(
        Status.SUCCEEDED,
        now=clock(),
        outcome=f"Made {version.name}: {version.get_status_display()}.{said}",
    )


def _train(held: Claim, clock: Clock) -> ModelVersion:
    run = held.run
    parameters = estimators.check(run.estimator, params=run.parameters)
    held.touch(step="freezing labels", parameters=parameters)
    snapshot = run.snapshot or _freeze(held, clock)
    _refuse_twin_of_data(run, snapshot)
    held.touch(step="training")
    started = time.perf_counter()
    pipeline, n_train = _fit(run, snapshot)
    seconds = time.perf_counter() - started
    identity = fingerprint(pipeline)
    _refuse_twin_of_model(run.project, identity)
    held.touch(step="saving")
    artifact = _save(run, snapshot, pipeline, now=clock())
    metrics = {"n_train": n_train, "fit_seconds": round(seconds, 3)}
    return _register(held, artifact, pipeline, metrics, now=clock())


def _freeze(held: Claim, clock: Clock) -> Snapshot:
    project = held.run.project
    quality = project.curation_policy.min_label_quality
    snapshot = snapshots.freeze(project=project, min_quality=quality, now=clock())
    held.touch(snapshot=snapshot)
    return snapshot


def _refuse_twin_of_data(run: TrainingRun, snapshot: Snapshot) -> None:
    """The same labels, recipe and seed give the same model: say so before spending the time."""
    twin = ModelVersion.objects.filter(
        project=run.project,
        run__snapshot__train_digest=snapshot.train_digest,
        run__estimator=run.estimator,
        run__parameters=run.parameters,
        run__seed=run.seed,
    ).first()
    if twin:
        _refuse_if_turned_down(twin)
        raise NothingNew(
            f"Nothing new to learn: {twin.name} was trained on the same labels with the same "
            "settings. Label more, or change the estimator."
        )


def _fit(run: TrainingRun, snapshot: Snapshot) -> tuple["Pipeline", int]:
    data = snapshots.training_data(snapshot)
    _refuse_too_little(run.project, data)
    pipeline = estimators.build(run.estimator, params=run.parameters, seed=run.seed)
    estimators.fit(pipeline, texts=data.texts, labels=data.values, weights=data.weights)
    return pipeline, len(data.texts)


def _refuse_too_little(project: Project, data: snapshots.TrainingData) -> None:
    n = len(data.values)
    if n < MIN_TRAINING_LABELS:
        raise CannotTrain(
            f"There are {n} labels to learn from, and at least {MIN_TRAINING_LABELS} are needed. "
            "Label samples in the review queues, or import labelled ones."
        )
    found = set(data.values)
    if len(found) == 1:
        others = ", ".join(f"`{name}`" for name in project.label_names() if name not in found)
        raise CannotTrain(
            f"All {n:,} labels to learn from are `{found.pop()}`. "
            f"Label or import some that are {others or 'something else'}."
        )


def _refuse_twin_of_model(project: Project, identity: str) -> None:
    twin = ModelVersion.objects.filter(project=project, fingerprint=identity).first()
    if twin:
        _refuse_if_turned_down(twin)
        raise NothingNew(f"Nothing new to learn: the result is {twin.name} again.")


def _refuse_if_turned_down(twin: ModelVersion) -> None:
    if twin.status in (ModelVersion.Status.QUARANTINED, ModelVersion.Status.REJECTED):
        raise CannotTrain(
            f"The result would be the same model as {twin.name}, which was {twin.status}; it is "
            "not tried again. Add or correct labels, or change the estimator."
        )


def _save(
    run: TrainingRun, snapshot: Snapshot, pipeline: "Pipeline", *, now: datetime
) -> artifacts.Artifact:
    return artifacts.save(
        pipeline,
        directory=Path(settings.ARTIFACTS_DIR) / run.project.slug,
        manifest=artifacts.Manifest(
            project=run.project.slug,
            estimator=run.estimator,
            parameters=run.parameters,
            seed=run.seed,
            snapshot=snapshot.digest,
            classes=tuple(str(name) for name in pipeline.classes_),
            trained_at=now.isoformat(),
        ),
    )


def _register(
    held: Claim,
    artifact: artifacts.Artifact,
    pipeline: "Pipeline",
    metrics: dict[str, Any],
    *,
    now: datetime,
) -> ModelVersion:
    with transaction.atomic():
        # Takes the run's row first: a cancel or another worker waits, and then finds the version.
        held.touch(step="saving")
        version = ModelVersion.objects.create(
            project=held.run.project,
            number=registry.next_number(project_id=held.run.project_id),
            run=held.run,
            artifact_path=str(artifact.path.relative_to(settings.ARTIFACTS_DIR)),
            artifact_sha256=artifact.sha256,
            fingerprint=artifact.fingerprint,
            classes=[str(name) for name in pipeline.classes_],
            metrics={**metrics, "size_bytes": artifact.size_bytes},
            created_at=now,
        )
        record(
            version,
            from_status="",
            to=version.status,
            actor=ACTOR,
            now=now,
            reason=f"Trained by run {held.run.pk}: {held.run.reason}",
        )
    return version
