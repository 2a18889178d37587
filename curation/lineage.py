"""From labels back to the thumbs and annotations they rest on, and forth."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from curation.models import LabelEvidence


@dataclass(frozen=True)
class Evidence:
    """One thumb or one annotation that a label rests on."""

    label_id: int
    feedback_id: UUID | None
    annotation_id: int | None


def evidence_of(*, label_ids: Collection[int] | QuerySet[Any, Any]) -> list[Evidence]:
    """What the labels rest on, the newest first; ``label_ids`` may be a query of ids."""
    rows = LabelEvidence.objects.filter(label_id__in=label_ids).order_by("-id")
    return [Evidence(*row) for row in rows.values_list("label_id", "feedback_id", "annotation_id")]


def labels_resting_on(*, feedback_id: UUID) -> list[int]:
    """The labels, current or past, that a thumb is part of the grounds for."""
    rows = LabelEvidence.objects.filter(feedback_id=feedback_id).order_by("label_id")
    return list(rows.values_list("label_id", flat=True))
