"""The journey of one thumb: landed, weighed, reviewed, taught to a version, shipped.

The answer crosses every room, so it is put together in the highest one.
"""

from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from curation.intake.endpoints import ProjectEndpoint, answer
from curation.lineage import Fate, fate_of
from curation.models import Label, Project
from feedbackhub.core.keys import Scope, has_scope
from feedbackhub.core.openapi import example, problems, schema_of
from feedbackhub.core.problems import Problem
from feedbackhub.core.transitions import history
from training.models import ModelVersion
from training.queries import versions_taught_by

LIVE = ModelVersion.Status.LIVE


class LabelNow(msgspec.Struct, frozen=True, kw_only=True):
    """What is believed now about the text the thumb was about."""

    value: str
    origin: str
    """``import``, ``feedback`` or ``annotation``."""
    quality: float
    since: datetime


class TaughtVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version that was trained on a label resting on this thumb."""

    version: str
    status: str
    trained_at: datetime
    promoted_at: datetime | None
    """When it first served everyone; null before that."""


class FeedbackJourney(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one feedback event."""

    event_id: str
    received_at: datetime
    state: str
    """``landed``, ``counted``, ``superseded`` or ``quarantined``."""
    reasons: list[str]
    superseded_by: str | None
    """The event that counts in its place."""
    suggested_label: str | None
    """What the thumb says is true."""
    is_disputed: bool
    """It contradicts the model's answer."""
    review: str
    """``confirmed`` or ``contradicted`` by annotators, ``waiting`` for one, or ``none``."""
    label: LabelNow | None
    trained_into: list[TaughtVersion]
    shipped_in: str | None
    """The version that serves now, or else the last that did, among those it taught."""
    summary: str
    """All of that as a sentence or two."""


@dataclass(frozen=True)
class Lesson:
    """A version and when it went live."""

    version: ModelVersion
    promoted_at: datetime | None


def journey_of(*, project: Project, event_id: str) -> FeedbackJourney | None:
    """What became of the event the sender called ``event_id``; None when it never landed."""
    fate = fate_of(project=project, event_id=event_id)
    if fate is None:
        return None
    lessons = [
        Lesson(version, _first_live(version))
        for version in versions_taught_by(feedback_id=fate.feedback_id)
    ]
    shipped = _shipped(lessons)
    return FeedbackJourney(
        event_id=fate.event_id,
        received_at=fate.received_at,
        state=fate.state,
        reasons=fate.reasons,
        superseded_by=fate.superseded_by,
        suggested_label=fate.suggested_label or None,
        is_disputed=fate.is_disputed,
        review=_review(fate),
        label=_label_now(fate),
        trained_into=[_taught(lesson) for lesson in lessons],
        shipped_in=shipped.version.name if shipped else None,
        summary=" ".join([_fate_sentence(fate), *_lesson_sentences(lessons, shipped)]),
    )


def _first_live(version: ModelVersion) -> datetime | None:
    return history(version).filter(to_status=LIVE).values_list("at", flat=True).first()


def _shipped(lessons: list[Lesson]) -> Lesson | None:
    served = [lesson for lesson in lessons if lesson.promoted_at]
    live = [lesson for lesson in served if lesson.version.status == LIVE]
    return next(reversed(live or served), None)


def _review(fate: Fate) -> str:
    if fate.label and fate.label.origin == Label.Origin.ANNOTATION and fate.suggested_label:
        return "confirmed" if fate.label.value == fate.suggested_label else "contradicted"
    return "waiting" if fate.is_waiting else "none"


def _label_now(fate: Fate) -> LabelNow | None:
    if fate.label is None:
        return None
    return LabelNow(
        value=fate.label.value,
        origin=fate.label.origin,
        quality=fate.label.quality,
        since=fate.label.since,
    )


def _taught(lesson: Lesson) -> TaughtVersion:
    return TaughtVersion(
        version=lesson.version.name,
        status=lesson.version.status,
        trained_at=lesson.version.created_at,
        promoted_at=lesson.promoted_at,
    )


def _fate_sentence(fate: Fate) -> str:
    if fate.state == "quarantined":
        return f"Kept but not counted: {'; '.join(fate.reasons) or 'no reason was given'}."
    if fate.state == "superseded":
        later = f" ({fate.superseded_by})" if fate.superseded_by else ""
        return f"Replaced by a later thumb of the same subject{later}."
    if fate.state == "landed":
        return "Landed; the digest has not looked at it yet."
    said = "Contradicted the model" if fate.is_disputed else "Agreed with the model"
    return {
        "confirmed": f"{said}, and annotators confirmed it.",
        "contradicted": f"{said}, but annotators decided otherwise.",
        "waiting": f"{said}; its text waits for an annotator.",
        "none": f"{said} and was counted.",
    }[_review(fate)]


def _lesson_sentences(lessons: list[Lesson], shipped: Lesson | None) -> list[str]:
    if not lessons:
        return []
    names = ", ".join(lesson.version.name for lesson in lessons)
    if shipped is None:
        return [f"Trained into {names}, which did not ship yet."]
    state = "serves now" if shipped.version.status == LIVE else "served for a while"
    return [f"Trained into {names}; {shipped.version.name} {state}."]


class FeedbackJourneyView(ProjectEndpoint):
    """One thumb, followed to where it ended."""

    permission_classes = [has_scope(Scope.FEEDBACK)]

    @extend_schema(
        operation_id="get_feedback",
        summary="What became of a feedback event",
        description=(
            "Whether it was counted, disputed and confirmed, which model versions were trained on "
            "the label it taught, and whether one of them shipped. An event that was not accepted "
            "in the first place (400) is not kept under its id."
        ),
        tags=["feedback"],
        responses={
            200: OpenApiResponse(schema_of(FeedbackJourney), "Its journey so far."),
            **problems(404),
        },
        examples=[
            example(
                "Trained and shipped",
                {
                    "event_id": "0d5f3c9e-thumb-1",
                    "received_at": "2026-11-20T09:30:00Z",
                    "state": "counted",
                    "reasons": [],
                    "superseded_by": None,
                    "suggested_label": "negative",
                    "is_disputed": True,
                    "review": "confirmed",
                    "label": {
                        "value": "negative",
                        "origin": "annotation",
                        "quality": 0.95,
                        "since": "2026-11-20T10:02:11Z",
                    },
                    "trained_into": [
                        {
                            "version": "v2",
                            "status": "live",
                            "trained_at": "2026-11-20T11:00:00Z",
                            "promoted_at": "2026-11-21T08:00:00Z",
                        }
                    ],
                    "shipped_in": "v2",
                    "summary": (
                        "Contradicted the model, and annotators confirmed it. "
                        "Trained into v2; v2 serves now."
                    ),
                },
                status=200,
            )
        ],
    )
    def get(self, request: Request, project: str, event_id: str) -> HttpResponse:
        """Follow one event."""
        journey = journey_of(project=self.facts().project, event_id=event_id)
        if journey is None:
            raise Problem(404, f"No feedback with the event_id `{event_id[:200]}` has landed here.")
        return answer(journey)
