"""The people's words that labels rest on, as a page shows them: how many, and the newest."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, QuerySet

from curation.models import Feedback, LabelEvidence, ReviewItem

Labels = Collection[int] | QuerySet[Any, Any]


@dataclass(frozen=True)
class Thumb:
    """One feedback event that a label rests on."""

    feedback_id: UUID
    event_id: str
    """Empty once retention has dropped the event."""
    rating: str
    value: str
    """The label it helped to make."""
    text: str
    at: datetime | None


@dataclass(frozen=True)
class Answer:
    """One annotation that a label rests on."""

    annotation_id: int
    item_id: int
    username: str
    value: str
    text: str
    at: datetime


@dataclass(frozen=True)
class Grounds:
    """All of it."""

    n_thumbs: int
    n_answers: int
    thumbs: list[Thumb]
    """The newest."""
    answers: list[Answer]
    """The newest."""


def grounds_of(*, label_ids: Labels, limit: int, shows_waiting: bool) -> Grounds:
    """What the labels rest on; ``label_ids`` may be a query of ids.

    Whoever may be asked about a text must not read first what others say of it: without
    ``shows_waiting`` the texts that wait for an answer are counted, and left out of the newest.
    """
    evidence = LabelEvidence.objects.filter(label_id__in=label_ids)
    counts = evidence.aggregate(thumbs=Count("feedback_id"), answers=Count("annotation_id"))
    if not shows_waiting:
        waiting = ReviewItem.objects.filter(
            sample=OuterRef("label__sample"), status=ReviewItem.Status.OPEN
        )
        evidence = evidence.filter(~Exists(waiting))
    return Grounds(
        n_thumbs=counts["thumbs"],
        n_answers=counts["answers"],
        thumbs=_thumbs(evidence, limit),
        answers=_answers(evidence, limit),
    )


def _thumbs(evidence: QuerySet[LabelEvidence], limit: int) -> list[Thumb]:
    # The ids are ordered by time.
    rows = evidence.filter(feedback_id__isnull=False).order_by("-feedback_id")
    newest = list(rows.select_related("label__sample")[:limit])
    events = Feedback.objects.in_bulk([row.feedback_id for row in newest if row.feedback_id])
    thumbs = []
    for row in newest:
        assert row.feedback_id is not None
        event = events.get(row.feedback_id)
        thumbs.append(
            Thumb(
                feedback_id=row.feedback_id,
                event_id=event.event_id if event else "",
                rating=event.rating if event else "",
                value=row.label.value,
                text=str(row.label.sample),
                at=event.received_at if event else None,
            )
        )
    return thumbs


def _answers(evidence: QuerySet[LabelEvidence], limit: int) -> list[Answer]:
    rows = evidence.filter(annotation__isnull=False).order_by(
        "-annotation__submitted_at", "-annotation_id"
    )
    answers = []
    for row in rows.select_related("annotation__user", "label__sample")[:limit]:
        assert row.annotation is not None
        answers.append(
            Answer(
                annotation_id=row.annotation.pk,
                item_id=row.annotation.item_id,
                username=row.annotation.user.get_username(),
                value=row.label.value,
                text=str(row.label.sample),
                at=row.annotation.submitted_at,
            )
        )
    return answers
