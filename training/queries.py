"""Questions about training: what a version rests on, what a thumb taught, what happens next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from django.db.models.functions import Coalesce

from curation import lineage as curation_lineage
from curation import queries as curation_queries
from curation.grounds import Grounds, grounds_of
from curation.models import Project
from curation.models.sample import Split
from training import services, triggers
from training.evaluation import is_tried_again, labels_until_next_look
from training.models import Evaluation, ModelVersion, Snapshot, SnapshotItem, TrainingRun


@dataclass(frozen=True)
class Lineage:
    """The people's words that a version was trained on, the newest first."""

    feedback_ids: Sequence[UUID]
    annotation_ids: Sequence[int]


def lineage(version: ModelVersion) -> Lineage:
    """The thumbs and annotations that the training labels of a version rest on."""
    labels = _training_labels(version)
    evidence = curation_lineage.evidence_of(label_ids=labels.values("label_id"))
    return Lineage(
        feedback_ids=[e.feedback_id for e in evidence if e.feedback_id is not None],
        annotation_ids=[e.annotation_id for e in evidence if e.annotation_id is not None],
    )


def versions_taught_by(*, feedback_id: UUID) -> list[ModelVersion]:
    """The versions that were trained on a label resting on this thumb, oldest first."""
    labels = curation_lineage.labels_resting_on(feedback_id=feedback_id)
    items = SnapshotItem.objects.filter(label_id__in=labels, split=Split.TRAIN)
    versions = ModelVersion.objects.filter(run__snapshot__in=items.values("snapshot_id"))
    return list(versions.select_related("run").order_by("project_id", "number"))


def versions_trained_on(*, project: Project, sample_ids: Sequence[int]) -> list[ModelVersion]:
    """The versions of a project that learned from any of these samples, oldest first."""
    learned = SnapshotItem.objects.filter(
        snapshot__project=project, sample_id__in=sample_ids, split=Split.TRAIN
    )
    versions = ModelVersion.objects.filter(run__snapshot__in=learned.values("snapshot_id"))
    return list(versions.order_by("number"))


def snapshots_of_sample(*, project: Project, sample_id: int) -> list[SnapshotItem]:
    """How a sample stands in the project's snapshots, the newest first, with their versions.

    Asked snapshot by snapshot, which the unique index answers.
    """
    items = SnapshotItem.objects.filter(snapshot__project=project, sample_id=sample_id)
    runs = TrainingRun.objects.select_related("version").order_by("-id")
    found = items.select_related("snapshot").prefetch_related(Prefetch("snapshot__runs", runs))
    return list(found.order_by("-snapshot_id"))


def erased_items(snapshot: Snapshot) -> int:
    """How many items of a snapshot have lost their text; its hash still vouches for them."""
    return curation_queries.erased_count(sample_ids=snapshot.items.values("sample_id"))


def active_run(*, project: Project) -> TrainingRun | None:
    """The run that is queued or running, if any."""
    return TrainingRun.objects.filter(project=project, status__in=services.ACTIVE).first()


def outlook(*, project: Project, now: datetime) -> str:
    """What happens next in a project without an active run, as a sentence."""
    policy = services.ensure_policy(project=project)
    last = (
        TrainingRun.objects.filter(project=project)
        .annotate(at=Coalesce("started_at", "created_at"))
        .order_by("-at")
        .values_list("at", flat=True)
        .first()
    )
    return triggers.outlook(services.situation(policy, last_run_at=last), now=now)


def labels_until_judged(*, version: ModelVersion) -> int | None:
    """How many further test labels bring an undecided version before the gates; 0 for soon."""
    latest = version.evaluations.first()
    if latest is None or version.status != ModelVersion.Status.INSUFFICIENT:
        return None
    if is_tried_again(latest):
        return 0
    grown = curation_queries.test_label_count(project=version.project) - latest.n_test
    return max(0, labels_until_next_look(latest) - grown)


def runs(*, project: Project) -> QuerySet[TrainingRun]:
    """The project's runs with their snapshots and versions, the newest first."""
    found = TrainingRun.objects.filter(project=project)
    return found.select_related("snapshot", "version", "requested_by")


def versions(*, project: Project) -> QuerySet[ModelVersion]:
    """The project's versions with their runs, evaluations and gates, the newest first."""
    found = ModelVersion.objects.filter(project=project).select_related("run__snapshot")
    evaluations = Evaluation.objects.select_related("champion").prefetch_related("gate_results")
    return found.prefetch_related(Prefetch("evaluations", evaluations))


def grounds(*, version: ModelVersion, limit: int, shows_waiting: bool) -> Grounds:
    """The thumbs and annotations that taught a version: how many, and the newest.

    Without ``shows_waiting`` texts that wait for an annotator are not among the newest.
    """
    labels = _training_labels(version).values("label_id")
    return grounds_of(label_ids=labels, limit=limit, shows_waiting=shows_waiting)


def _training_labels(version: ModelVersion) -> QuerySet[SnapshotItem]:
    items = SnapshotItem.objects.filter(split=Split.TRAIN)
    return (
        items.filter(snapshot=version.run.snapshot_id) if version.run.snapshot_id else items.none()
    )
