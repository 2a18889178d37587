"""Questions other rooms ask of curation; frozen rows out, nothing changed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from curation.arms import ArmCounts, AuditAnswer, arm_counts, audit_answers
from curation.models import CurationPolicy, Label, Project, Sample
from curation.rankings import RankingStatus, ranking_status
from feedbackhub.core.sql import fetch, statements

__all__ = [
    "AnnotatedValue",
    "ArmCounts",
    "AuditAnswer",
    "LabelledText",
    "RankingStatus",
    "ScoredPool",
    "ScoredSample",
    "annotated_values",
    "arm_counts",
    "audit_answers",
    "calibration_labels",
    "clusters_of",
    "erased_count",
    "new_label_count",
    "outside_split",
    "ranking_status",
    "scored_pool",
    "test_label_count",
    "test_labels",
    "texts_of",
    "training_labels",
]

SQL = statements(Path(__file__).with_name("queries.sql"))


@dataclass(frozen=True)
class LabelledText:
    """A sample with the label we believe."""

    sample_id: int
    label_id: int
    text: str
    value: str
    quality: float
    origin: str


@dataclass(frozen=True)
class ScoredSample:
    """A sample of the pool with how unsure a version is about it."""

    sample_id: int
    predicted_label: str
    confidence: float
    margin: float
    entropy: float


@dataclass(frozen=True)
class ScoredPool:
    """What may be picked for review."""

    head: list[ScoredSample]
    """The least sure ones, by margin."""
    others: list[ScoredSample]
    """A random draw from the rest, in random order."""
    size: int
    """How many may be picked in all; each stands for its cluster."""


@dataclass(frozen=True)
class AnnotatedValue:
    """A label by annotators, and since when it is believed."""

    value: str
    at: datetime


def training_labels(*, project: Project, min_quality: float) -> list[LabelledText]:
    """What may be trained on: labels of at least ``min_quality`` in train clusters, by sample."""
    return _labels(project, split="train", min_quality=min_quality, trusted_only=False)


def test_labels(*, project: Project) -> list[LabelledText]:
    """What candidates are judged on: imported and blind annotated labels in test clusters.

    Never thumbs, and never an answer given after the prediction was revealed: both lean towards
    the model that served.
    """
    return _trusted(project, split="test")


def calibration_labels(*, project: Project) -> list[LabelledText]:
    """What confidences are calibrated on: as :func:`test_labels`, in calibration clusters."""
    return _trusted(project, split="calibrate")


def new_label_count(*, project: Project, since: datetime | None) -> int:
    """Trainable samples whose current label was made after ``since`` (None: all of them)."""
    return _count("new_label_count", project, since=since, min_quality=_min_quality(project))


def test_label_count(*, project: Project) -> int:
    """How many labels :func:`test_labels` would return."""
    return _count(
        "label_count",
        project,
        split="test",
        min_quality=_min_quality(project),
        trusted_only=True,
    )


def clusters_of(*, sample_ids: Sequence[int]) -> dict[int, int]:
    """The clusters of these samples by id; samples without one are missing."""
    found = Sample.objects.filter(pk__in=list(sample_ids), cluster__isnull=False)
    return {pk: cluster for pk, cluster in found.values_list("pk", "cluster_id") if cluster}


def annotated_values(*, sample_ids: Sequence[int]) -> dict[int, AnnotatedValue]:
    """What annotators' current labels say of these samples, by id; others are missing."""
    found = Label.objects.filter(
        sample_id__in=list(sample_ids), is_current=True, origin=Label.Origin.ANNOTATION
    )
    return {
        pk: AnnotatedValue(value, at)
        for pk, value, at in found.values_list("sample_id", "value", "created_at")
    }


def texts_of(*, sample_ids: Sequence[int]) -> dict[int, str]:
    """The texts of these samples by id; erased and unknown ones are missing."""
    found = Sample.objects.filter(pk__in=list(sample_ids), text__isnull=False)
    return {pk: text for pk, text in found.values_list("pk", "text") if text is not None}


def erased_count(*, sample_ids: Collection[int] | QuerySet[Any, Any]) -> int:
    """How many of these samples have lost their text; ``sample_ids`` may be a query of ids."""
    return Sample.objects.filter(pk__in=sample_ids, text__isnull=True).count()


def outside_split(*, sample_ids: Sequence[int], split: str) -> list[int]:
    """Those of these samples whose cluster is not of ``split``, or that have none, by id."""
    outside = Sample.objects.filter(pk__in=list(sample_ids)).exclude(cluster__split=split)
    return list(outside.order_by("pk").values_list("pk", flat=True))


def scored_pool(
    *, project: Project, model_version: str, head: int, others: int, seed: int
) -> ScoredPool:
    """Texts scored by ``model_version`` that nobody vouches for and nobody was asked about.

    One for each cluster, and none where any text of the cluster has a label worth training on or
    a review item: open, answered or closed. ``seed`` fixes the draw of the others.
    """
    rows = fetch(
        SQL["scored_pool"],
        {
            "project": project.pk,
            "version": model_version,
            "head": head,
            "beyond": others,
            "seed": seed,
            "min_quality": _min_quality(project),
        },
        into=_PooledRow,
    )
    return ScoredPool(
        head=[row.sample() for row in rows if not row.is_beyond],
        others=[row.sample() for row in rows if row.is_beyond],
        size=rows[0].size if rows else 0,
    )


@dataclass(frozen=True)
class _PooledRow(ScoredSample):
    is_beyond: bool
    size: int

    def sample(self) -> ScoredSample:
        return ScoredSample(
            self.sample_id, self.predicted_label, self.confidence, self.margin, self.entropy
        )


def _trusted(project: Project, split: str) -> list[LabelledText]:
    return _labels(project, split=split, min_quality=_min_quality(project), trusted_only=True)


def _labels(
    project: Project, *, split: str, min_quality: float, trusted_only: bool
) -> list[LabelledText]:
    return fetch(
        SQL["labels"],
        {
            "project": project.pk,
            "split": split,
            "min_quality": min_quality,
            "trusted_only": trusted_only,
        },
        into=LabelledText,
    )


def _min_quality(project: Project) -> float:
    policy = CurationPolicy.objects.filter(project=project).first() or CurationPolicy()
    return policy.min_label_quality


def _count(name: str, project: Project, **params: str | float | datetime | None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(SQL[name], {"project": project.pk, **params})
        return int(cursor.fetchone()[0])
