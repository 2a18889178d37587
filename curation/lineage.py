"""From labels back to the thumbs and annotations they rest on, and forth to what they became."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from curation.models import (
    Feedback,
    FeedbackKey,
    FeedbackOutcome,
    Label,
    LabelEvidence,
    Project,
    ReviewItem,
)


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


@dataclass(frozen=True)
class Belief:
    """What is believed now about the text a thumb was about."""

    value: str
    origin: str
    """Whose word it rests on: import, feedback or annotation."""
    quality: float
    since: datetime


@dataclass(frozen=True)
class Fate:
    """What became of one feedback event in curation."""

    event_id: str
    feedback_id: UUID
    prediction_id: UUID | None
    received_at: datetime
    state: str
    """``landed`` until the digest has seen it, then a value of ``FeedbackOutcome.State``."""
    reasons: list[str]
    """Why it is quarantined; empty otherwise."""
    superseded_by: str | None
    """The event id of the later thumb that counts in its place."""
    suggested_label: str
    """What it says is true; empty while nothing can be concluded."""
    is_disputed: bool
    is_waiting: bool
    """Its text waits for an annotator."""
    label: Belief | None


def fate_of(*, project: Project, event_id: str) -> Fate | None:
    """What became of the feedback event that the sender called ``event_id``; None when unknown.

    The key outlives the event, so that an event dropped by retention still has its first answer.
    """
    # No event id has a NUL, and Postgres refuses to look for one.
    named = FeedbackKey.objects.filter(project_id=project.pk, event_id=event_id)
    key = None if "\0" in event_id else named.first()
    if key is None:
        return None
    event = Feedback.objects.filter(pk=key.feedback_id).first()
    outcome = FeedbackOutcome.objects.filter(pk=key.feedback_id).first()
    sample_id = outcome.sample_id if outcome else None
    refused = key.answer.get("status") == FeedbackOutcome.State.QUARANTINED
    state = outcome.state if outcome else ("quarantined" if refused else "landed")
    return Fate(
        event_id=event_id,
        feedback_id=key.feedback_id,
        prediction_id=event.prediction_id if event else None,
        received_at=key.received_at,
        state=state,
        reasons=list(outcome.reasons if outcome else key.answer.get("reasons", [])),
        superseded_by=_event_id(outcome.superseded_by) if outcome else None,
        suggested_label=outcome.suggested_label if outcome else "",
        is_disputed=bool(outcome and outcome.is_disputed),
        is_waiting=_is_waiting(sample_id),
        label=_belief_about(sample_id),
    )


def _event_id(feedback_id: UUID | None) -> str | None:
    later = Feedback.objects.filter(pk=feedback_id).first() if feedback_id else None
    return later.event_id if later else None


def _is_waiting(sample_id: int | None) -> bool:
    if sample_id is None:
        return False
    return ReviewItem.objects.filter(sample_id=sample_id, status=ReviewItem.Status.OPEN).exists()


def _belief_about(sample_id: int | None) -> Belief | None:
    if sample_id is None:
        return None
    label = Label.objects.filter(sample_id=sample_id, is_current=True).first()
    if label is None:
        return None
    return Belief(label.value, label.origin, label.quality, label.created_at)


def queues_of(*, label_ids: Collection[int]) -> dict[int, str]:
    """The queue in which each label was given, by label; those nobody was asked for are missing.

    Of several answers that a label rests on the newest says it.
    """
    rows = (
        LabelEvidence.objects.filter(label_id__in=label_ids, annotation__isnull=False)
        .order_by("annotation_id")
        .values_list("label_id", "annotation__item__queue")
    )
    return dict(rows.iterator())


def labels_of_thumbs(*, label_ids: Collection[int]) -> set[int]:
    """Those of these labels that rest on thumbs."""
    rows = LabelEvidence.objects.filter(label_id__in=label_ids, feedback_id__isnull=False)
    return set(rows.values_list("label_id", flat=True))
