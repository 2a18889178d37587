"""Landing feedback: one statement makes a whole request durable, each event once.

The first answer to an event id is kept with its key and repeated for ever. The same id with
another body is a conflict: nothing is stored, and the differences are named.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings

from curation.digest.normalise import content_hash
from curation.intake.answers import FeedbackAnswer
from curation.intake.facts import masks
from curation.intake.masking import mask_within
from curation.intake.metrics import events_counter, ratings_counter
from curation.intake.schemas import FeedbackRequest
from curation.models import Project
from feedbackhub.core.ids import uuid7, uuid7_hexes
from feedbackhub.core.prepared import Prepared
from feedbackhub.core.problems import FieldErrors
from feedbackhub.core.sql import fetch, statements
from feedbackhub.core.subjects import keyed_digest, keyed_hash

SQL = statements(Path(__file__).with_name("landing.sql"))
_land = Prepared(
    "land_feedback",
    SQL["land_feedback"],
    {
        "events": "jsonb",
        "project_id": "bigint",
        "source_id": "bigint",
        "address_hash": "text",
        "now": "timestamptz",
    },
)
_ACCEPTED: list[str] = []
# Keys of metadata in one order, so that the order they came in makes no difference.
_encoder = msgspec.json.Encoder(order="deterministic")

DIFFERS = "differs from the event that has this event_id"


class KeyedName(str):
    """A subject or session whose name is known by its keyed hash only: a replayed event's."""

    __slots__ = ()


class Outcome(StrEnum):
    """What happened to one event of a request."""

    LANDED = "landed"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"


# Made by the thousand, and never part of a circle: the garbage collector need not look at them.
class LandedFeedback(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What became of one event, in the order of the request."""

    event_id: str
    feedback_hex: str
    """:attr:`feedback_id` in hexadecimal."""
    outcome: Outcome
    status: str
    """``accepted`` or ``quarantined``: the first answer."""
    reasons: list[str]
    """Why it is quarantined; empty when accepted."""
    differences: FieldErrors
    """What a conflicting body says differently; empty otherwise."""

    @property
    def feedback_id(self) -> UUID:
        """Of the event that holds the id: this one, or the one that came first."""
        return UUID(hex=self.feedback_hex)

    def answer(self) -> FeedbackAnswer:
        """The body of the answer; the same for the first sending and every repetition."""
        return FeedbackAnswer(event_id=self.event_id, status=self.status, reasons=self.reasons)


class _Row(msgspec.Struct, omit_defaults=True, kw_only=True, gc=False):
    """An event as the statement takes it: hashes for names, hexadecimal for bytes."""

    event_id: str
    rating: str
    prediction_id: UUID | None = None
    corrected_label: str = ""
    comment: str | None = None
    subject_hash: str | None = None
    session_hash: str | None = None
    occurred_at: datetime | None = None
    metadata: dict[str, Any] | None = None
    external_text: str | None = None
    external_label: str | None = None
    external_confidence: float | None = None
    external_version: str | None = None
    # Not part of what the sender said, and set after the digest of that is taken.
    body_digest: str | None = None
    id: str = ""
    external_id: str | None = None
    external_hash: str | None = None


def land_feedback(
    *,
    project: Project,
    source_id: int,
    events: Sequence[FeedbackRequest],
    now: datetime,
    address_hash: str | None = None,
) -> list[LandedFeedback]:
    """Land events that passed their checks; what became of each, in order.

    Idempotent and safe under concurrency: of equal event ids, however they arrive, one lands.
    Events whose prediction is unknown or another project's, or which contradict themselves, land
    as quarantined. Within one call the order of the events is the order of receipt.
    ``address_hash`` is that of the client who sent them all, in hexadecimal; None when unknown.
    """
    if not events:
        return []
    if masks(project.pk):
        events = [_masked(event) for event in events]
    rows = _rows(events, project_id=project.pk, now=now)
    params: dict[str, Any] = {
        "events": msgspec.json.encode(rows).decode(),
        "project_id": project.pk,
        "source_id": source_id,
        "address_hash": address_hash,
        "now": now,
    }
    # What is out of the ordinary: reasons of the quarantined, None for a key that was taken.
    special = {
        identity: None if reasons is None else json.loads(reasons)
        for identity, reasons in _land.run(params)
    }
    if special:
        results = _told_apart(rows, special, project_id=project.pk)
    else:
        results = [_landed(row, _ACCEPTED) for row in rows]
    _count(project, results, events)
    return results


def _told_apart(
    rows: list[_Row], special: dict[str, list[str] | None], *, project_id: int
) -> list[LandedFeedback]:
    """Results where some of the events are quarantined, or came before."""
    old = [row for row in rows if special.get(row.id, _ACCEPTED) is None]
    first = _first_answers(old, project_id=project_id)
    differences = _differences(old, first)
    results = []
    for row in rows:
        reasons = special.get(row.id, _ACCEPTED)
        if reasons is None:
            results.append(_repeated(row, first, differences))
        else:
            results.append(_landed(row, reasons))
    return results


def _masked(event: FeedbackRequest) -> FeedbackRequest:
    """The event as a project that masks may keep it; bodies equal but for numbers become equal."""
    prediction = event.prediction
    return msgspec.structs.replace(
        event,
        comment=mask_within(event.comment),
        metadata=mask_within(event.metadata),
        prediction=prediction
        and msgspec.structs.replace(prediction, text=mask_within(prediction.text)),
    )


def _rows(events: Sequence[FeedbackRequest], *, project_id: int, now: datetime) -> list[_Row]:
    """The events as the statement takes them, their ids in the order they came in."""
    key = settings.SUBJECT_HASH_KEY
    rows = [_row(event, project_id=project_id, key=key) for event in events]
    for row, identity in zip(rows, uuid7_hexes(now, count=len(rows)), strict=True):
        row.id = identity
        if row.external_text is not None:
            row.external_id = uuid7(now).hex
            row.external_hash = content_hash(row.external_text).hex()
    return rows


def _row(event: FeedbackRequest, *, project_id: int, key: str) -> _Row:
    subject, session = event.subject, event.session
    row = _Row(
        event_id=event.event_id,
        rating=event.rating,
        prediction_id=event.prediction_id,
        corrected_label=event.corrected_label or "",
        comment=event.comment,
        subject_hash=subject and _hashed(subject, project_id=project_id, key=key),
        session_hash=session and _hashed(session, project_id=project_id, key=key),
        occurred_at=event.occurred_at and event.occurred_at.astimezone(UTC),
        metadata=event.metadata,
    )
    if event.prediction is not None:
        row.external_text = event.prediction.text
        row.external_label = event.prediction.label
        row.external_confidence = event.prediction.confidence
        row.external_version = event.prediction.model_version
    # Keyed, so that the digest does not confirm a guess at what erasure has removed.
    row.body_digest = keyed_digest(_encoder.encode(row), key=key).hex()
    return row


def hashed_name(name: str | None, *, project_id: int) -> str | None:
    """The keyed hash of a subject or session in hexadecimal; None stays None."""
    return name and _hashed(name, project_id=project_id, key=settings.SUBJECT_HASH_KEY)


def _hashed(name: str, *, project_id: int, key: str) -> str:
    if isinstance(name, KeyedName):
        return str(name)
    return keyed_hash(name, key=key, project_id=project_id).hex()


@dataclass(frozen=True)
class _FirstAnswer:
    event_id: str
    feedback_id: str
    body_digest: memoryview
    answer: str


def _first_answers(rows: list[_Row], *, project_id: int) -> dict[str, _FirstAnswer]:
    if not rows:
        return {}
    params = {"project_id": project_id, "event_ids": [row.event_id for row in rows]}
    found = fetch(SQL["first_answers"], params, into=_FirstAnswer)
    return {answer.event_id: answer for answer in found}


def _landed(row: _Row, reasons: list[str]) -> LandedFeedback:
    return LandedFeedback(
        event_id=row.event_id,
        feedback_hex=row.id,
        outcome=Outcome.LANDED,
        status="quarantined" if reasons else "accepted",
        reasons=reasons or [],
        differences=[],
    )


def _repeated(
    row: _Row, first: dict[str, _FirstAnswer], differences: dict[str, FieldErrors]
) -> LandedFeedback:
    known = first[row.event_id]
    answer = json.loads(known.answer)
    conflict = differences.get(row.id, [])
    return LandedFeedback(
        event_id=row.event_id,
        feedback_hex=UUID(known.feedback_id).hex,
        outcome=Outcome.CONFLICT if conflict else Outcome.DUPLICATE,
        status=answer["status"],
        reasons=answer["reasons"],
        differences=conflict,
    )


@dataclass(frozen=True)
class _Stored:
    """An event as it landed, in the form rows are sent in."""

    feedback_id: str
    rating: str
    prediction_id: str | None
    corrected_label: str
    comment: str | None
    subject_hash: str | None
    session_hash: str | None
    occurred_at: datetime | None
    metadata: str | None
    is_external: bool
    external_text: str | None
    external_label: str | None
    external_confidence: float | None
    external_version: str | None


def _differences(rows: Iterable[_Row], first: dict[str, _FirstAnswer]) -> dict[str, FieldErrors]:
    """By row id, what each body that is not the first one says differently; never empty."""
    changed = {
        row.id: row
        for row in rows
        if bytes(first[row.event_id].body_digest).hex() != row.body_digest
    }
    if not changed:
        return {}
    ids = [first[row.event_id].feedback_id for row in changed.values()]
    stored = {
        event.feedback_id: event
        for event in fetch(SQL["stored_feedback"], {"ids": ids}, into=_Stored)
    }
    return {
        identity: _named_differences(row, stored.get(first[row.event_id].feedback_id))
        for identity, row in changed.items()
    }


def _named_differences(row: _Row, stored: _Stored | None) -> FieldErrors:
    """The fields that differ; the values stay out, they may be another caller's."""
    names = []
    if stored is not None:
        prediction = None if stored.is_external else stored.prediction_id
        metadata = None if stored.metadata is None else json.loads(stored.metadata)
        pairs = {
            "rating": (row.rating, stored.rating),
            "prediction_id": (row.prediction_id and str(row.prediction_id), prediction),
            "corrected_label": (row.corrected_label, stored.corrected_label),
            "comment": (row.comment, stored.comment),
            "subject": (row.subject_hash, stored.subject_hash),
            "session": (row.session_hash, stored.session_hash),
            "occurred_at": (row.occurred_at, stored.occurred_at),
            "metadata": (row.metadata, metadata),
            "prediction.text": (row.external_text, stored.external_text),
            "prediction.label": (row.external_label, stored.external_label),
            "prediction.confidence": (row.external_confidence, stored.external_confidence),
            "prediction.model_version": (
                row.external_version or None,
                stored.external_version or None,
            ),
        }
        names = [name for name, (new, old) in pairs.items() if new != old]
    return [{"field": name, "message": DIFFERS} for name in names or ["event_id"]]


def _count(
    project: Project, results: Sequence[LandedFeedback], events: Sequence[FeedbackRequest]
) -> None:
    counts = Counter(
        (result.outcome, event.rating, result.status)
        for result, event in zip(results, events, strict=True)
    )
    for (outcome, rating, status), count in counts.items():
        if outcome == Outcome.LANDED:
            ratings_counter(rating).inc(count)
            events_counter(project.slug, status).inc(count)
        elif outcome == Outcome.DUPLICATE:
            events_counter(project.slug, "duplicate").inc(count)
