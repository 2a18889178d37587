"""The whole life of one sample, as far as curation knows it."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db.models import Count, F

from curation.models import (
    Annotation,
    BulkRow,
    Disagreement,
    Label,
    Project,
    ReviewItem,
    Sample,
    SampleScore,
    TrainingExclusion,
)
from feedbackhub.core.sql import fetch, statements

SQL = statements(Path(__file__).with_name("life.sql"))
MOST = 50
MOST_PREDICTIONS = 20
# So many predictions of one text are looked at: more cannot be sorted within a page's time.
BOUND = 10_000


@dataclass(frozen=True)
class Served:
    """One answer a model gave to this text."""

    id: str
    label: str
    confidence: float | None
    model_version: str
    arm: str
    is_audit: bool
    is_external: bool
    created_at: datetime
    source: str | None


@dataclass(frozen=True)
class ServedCount:
    """How often a version gave an answer to this text."""

    model_version: str
    label: str
    n: int


@dataclass(frozen=True)
class Thumb:
    """One feedback event about this text, and what became of it."""

    feedback_id: str
    state: str
    suggested_label: str
    is_disputed: bool
    reasons: str | list[str]
    event_id: str | None
    """None once retention has dropped the event, as all that stands in the event itself."""
    rating: str | None
    corrected_label: str | None
    predicted_label: str | None
    model_version: str | None
    comment: str | None
    received_at: datetime
    source: str | None
    subject: str | None
    """The beginning of the keyed hash: enough to see that two are the same."""

    @property
    def why(self) -> str:
        """Why it does not count, if it does not."""
        reasons = json.loads(self.reasons) if isinstance(self.reasons, str) else self.reasons
        return "; ".join(map(str, reasons))


@dataclass(frozen=True)
class Sibling:
    """Another text of the cluster."""

    id: int
    text: str | None
    label: str | None


@dataclass(frozen=True)
class Life:
    """All of it; lists are of the newest, so many that a page can show them."""

    sample: Sample
    label: Label | None
    """The current one."""
    labels: list[Label]
    """With ``n_thumbs`` and ``n_answers`` each rests on."""
    siblings: list[Sibling]
    served: list[ServedCount]
    predictions: list[Served]
    thumbs: list[Thumb]
    annotations: list[Annotation]
    items: list[ReviewItem]
    disagreement: Disagreement | None
    score: SampleScore | None
    exclusion: TrainingExclusion | None
    """By a lead, from training."""
    bulk_rows: list[BulkRow]
    """Bulk actions that found it, with what each did to it."""

    @property
    def n_served(self) -> int:
        """Predictions of this text, counted up to :data:`BOUND`."""
        return sum(each.n for each in self.served)

    @property
    def split(self) -> str:
        """What it may be used for; empty for a text that belongs to no split."""
        return self.sample.cluster.split if self.sample.cluster else ""


def life_of(*, project: Project, sample_id: int) -> Life | None:
    """What became of a sample of ``project``; None when it has no such sample."""
    sample = Sample.objects.filter(project=project, pk=sample_id).select_related("cluster").first()
    if sample is None:
        return None
    text = {"project": project.pk, "hash": bytes(sample.content_hash), "bound": BOUND}
    one = {"sample": sample.pk, "cluster": sample.cluster_id, "most": MOST}
    labels = _labels(sample)
    return Life(
        sample=sample,
        label=next((label for label in labels if label.is_current), None),
        labels=labels,
        siblings=fetch(SQL["siblings"], one, into=Sibling) if sample.cluster_id else [],
        served=fetch(SQL["served"], text, into=ServedCount),
        predictions=fetch(SQL["predictions"], {**text, "most": MOST_PREDICTIONS}, into=Served),
        thumbs=fetch(SQL["thumbs"], one, into=Thumb),
        annotations=list(
            Annotation.objects.filter(sample=sample)
            .select_related("user", "guideline", "item")
            .order_by("-submitted_at", "-id")[:MOST]
        ),
        items=list(sample.review_items.order_by("-created_at", "-id")[:MOST]),
        disagreement=Disagreement.objects.filter(sample=sample).first(),
        score=SampleScore.objects.filter(
            sample=sample, model_version=F("project__ranking__version")
        ).first(),
        exclusion=TrainingExclusion.objects.filter(sample=sample).first(),
        bulk_rows=list(sample.bulk_rows.select_related("action").order_by("-action_id")[:MOST]),
    )


def _labels(sample: Sample) -> list[Label]:
    counted = sample.labels.annotate(
        n_thumbs=Count("evidence__feedback_id"), n_answers=Count("evidence__annotation_id")
    )
    return list(counted.order_by("-is_current", "-created_at", "-id")[:MOST])
