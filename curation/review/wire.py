"""Review on the wire: what page and REST API send and get, and each use case between the two.

A claimed item shows its text and nothing else about itself: queue, prediction and votes arrive in
the answer to a submission. A refusal is a problem document; what was typed stays with its sender,
whose key makes sending it again safe.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from curation.models import Project
from curation.models.review import Queue
from curation.review import engine, services
from curation.review.services import (
    AlreadyAnswered,
    KeyReused,
    NoSuchItem,
    NotALabel,
    NothingToUndo,
    ReviewRefused,
)
from feedbackhub.core.models import User
from feedbackhub.core.problems import Problem
from feedbackhub.core.roles import Can

STATUS: dict[type[ReviewRefused], int] = {
    NoSuchItem: 404,
    NotALabel: 400,
    AlreadyAnswered: 409,
    KeyReused: 409,
    NothingToUndo: 409,
}
NEUTRAL_REASON = "Selected for review"

Note = Annotated[str, Meta(max_length=5_000, pattern=r"^[^\x00]*$")]
ItemId = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Items = Annotated[list[ItemId], Meta(max_length=100, description="Ids of items.")]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]


class _Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A misspelt field is refused rather than lost."""


class ClaimBody(_Body, frozen=True, kw_only=True):
    """How many items; a queue, of which senior annotators alone may ask."""

    queue: Literal[tuple(Queue.values)] | None = None  # type: ignore[valid-type]
    count: Annotated[int, Meta(ge=1, le=1_000)] = 5


class SubmitBody(_Body, frozen=True, kw_only=True):
    """One answer."""

    value: Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00]*$")]
    submission_key: UUID
    note: Note = ""
    seconds_spent: Seconds | None = None


class SkipBody(_Body, frozen=True, kw_only=True):
    """One item passed on."""

    reason: str
    submission_key: UUID
    note: Note = ""
    seconds_spent: Seconds | None = None


class UndoBody(_Body, frozen=True, kw_only=True):
    """What to take back: the submission with this key, or the newest."""

    submission_key: UUID | None = None


class ItemsBody(_Body, frozen=True, kw_only=True):
    """Leases to keep or to give back."""

    items: Items


class ReservedItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item to answer."""

    id: int
    text: str
    reason: str
    """The same for every item: it must not tell one queue from another."""
    guideline: int
    """The newest version of the guidelines."""
    expires_at: datetime | None
    """When the reservation runs out; null for an item taken back after its answer."""


class EmptyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is nothing to do."""

    message: str
    leased_by_others: int
    done_by_you: int
    seen_by_you: int
    """Seen on another page, so not to be answered blind."""
    open_items: int
    next_free_at: datetime | None


class ClaimAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the annotator holds."""

    items: list[ReservedItem]
    depth: int
    """Items free beside these, counted up to a thousand."""
    empty: EmptyAnswer | None


class RevealedPrediction(msgspec.Struct, frozen=True, kw_only=True):
    """What the model had said."""

    label: str
    confidence: float | None
    model_version: str | None


class Votes(msgspec.Struct, frozen=True, kw_only=True):
    """What users had said."""

    up: int
    down: int
    suggestions: dict[str, int]
    """How many hold each label to be true."""


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """What another annotator answered."""

    annotator: str
    value: str


class RevealAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What was hidden until the answer."""

    prediction: RevealedPrediction | None
    votes: Votes
    queue: str
    why: str
    peers: list[Peer]


class SubmitAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an answer."""

    id: int
    """The item's."""
    annotation: int
    value: str
    status: Literal["accepted", "extra", "unblinded"]
    """``extra``: kept beside the answers asked for; ``unblinded``: kept, given after the reveal."""
    reveal: RevealAnswer


class SkipAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a skip."""

    id: int
    annotation: int
    reason: str
    is_closed: bool


class UndoAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken back."""

    item: ReservedItem
    kind: Literal["label", "skip"]
    value: str
    reason: str
    note: str
    is_blind: bool
    """Whether a new answer would still be blind."""


class LeaseAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A lease that lives on."""

    id: int
    expires_at: datetime


class HeartbeatAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Which leases live on; items not named here are lost."""

    items: list[LeaseAnswer]


class ReleaseAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How many leases were given back."""

    released: int


def claim(*, project: Project, user: User, body: ClaimBody, now: datetime) -> ClaimAnswer:
    """Reserve items. Naming a queue is for seniors: it tells why a text waits before the answer."""
    if body.queue is not None:
        project.require(user, Can.REVIEW_SENIOR)
    claimed = services.claim(
        project=project, user=user, queue=body.queue, limit=body.count, now=now
    )
    empty = claimed.empty
    return ClaimAnswer(
        items=[_item(item) for item in claimed.items],
        depth=claimed.depth,
        empty=None if empty is None else EmptyAnswer(**vars(empty)),
    )


def submit(
    *, project: Project, user: User, item: int, body: SubmitBody, now: datetime
) -> SubmitAnswer:
    """Take an answer and reveal what was hidden."""
    with _refusals("value"):
        done = services.submit(
            project=project,
            user=user,
            item_id=item,
            value=body.value,
            submission_key=body.submission_key,
            note=body.note,
            seconds_spent=body.seconds_spent,
            now=now,
        )
    kept = "extra" if done.is_extra else "accepted"
    return SubmitAnswer(
        id=item,
        annotation=done.annotation_id,
        value=done.value,
        status="unblinded" if not done.is_blind else kept,  # type: ignore[arg-type]
        reveal=_revealed(done.reveal),
    )


def skip(*, project: Project, user: User, item: int, body: SkipBody, now: datetime) -> SkipAnswer:
    """Pass an item on."""
    with _refusals("reason"):
        skipped = services.skip(
            project=project,
            user=user,
            item_id=item,
            reason=body.reason,
            submission_key=body.submission_key,
            note=body.note,
            seconds_spent=body.seconds_spent,
            now=now,
        )
    return SkipAnswer(
        id=item,
        annotation=skipped.annotation_id,
        reason=skipped.reason,
        is_closed=skipped.is_closed,
    )


def undo(*, project: Project, user: User, body: UndoBody, now: datetime) -> UndoAnswer:
    """Take an answer or a skip back."""
    with _refusals("submission_key"):
        undone = services.undo(
            project=project, user=user, submission_key=body.submission_key, now=now
        )
    return UndoAnswer(
        item=_item(undone.item),
        kind=undone.kind,  # type: ignore[arg-type]
        value=undone.value,
        reason=undone.reason,
        note=undone.note,
        is_blind=undone.is_blind,
    )


def heartbeat(*, project: Project, user: User, body: ItemsBody, now: datetime) -> HeartbeatAnswer:
    """Keep leases alive."""
    kept = services.heartbeat(project=project, user=user, items=body.items, now=now)
    return HeartbeatAnswer(
        items=[LeaseAnswer(id=lease.id, expires_at=lease.expires_at) for lease in kept]
    )


def release(*, project: Project, user: User, body: ItemsBody, now: datetime) -> ReleaseAnswer:
    """Give leases back."""
    return ReleaseAnswer(released=services.release(project=project, user=user, items=body.items))


@contextmanager
def _refusals(field: str) -> Iterator[None]:
    """Turn a refusal into the problem it is on the wire."""
    try:
        yield
    except ReviewRefused as refused:
        status = STATUS[type(refused)]
        errors = [{"field": field, "message": str(refused)}] if status == 400 else []
        raise Problem(status, str(refused), errors) from refused


def _item(item: engine.Reserved) -> ReservedItem:
    return ReservedItem(
        id=item.id,
        text=item.text or "",
        reason=NEUTRAL_REASON,
        guideline=item.guideline,
        expires_at=item.expires_at,
    )


def _revealed(reveal: engine.Reveal) -> RevealAnswer:
    thumbs = {"up": 0, "down": 0}
    suggestions: dict[str, int] = {}
    for rating, label, count in reveal.votes:
        thumbs[rating] += count
        if label:
            suggestions[label] = suggestions.get(label, 0) + count
    prediction = None
    if reveal.predicted is not None:
        prediction = RevealedPrediction(
            label=reveal.predicted,
            confidence=reveal.confidence,
            model_version=reveal.model_version,
        )
    return RevealAnswer(
        prediction=prediction,
        votes=Votes(up=thumbs["up"], down=thumbs["down"], suggestions=suggestions),
        queue=reveal.queue,
        why=_sentence(reveal.queue, reveal.why),
        peers=[Peer(annotator=name, value=value) for name, value in reveal.peers],
    )


def _sentence(queue: str, why: dict[str, Any]) -> str:
    return str(why.get("sentence") or f"It was in the {Queue(queue).label.lower()} queue.")
