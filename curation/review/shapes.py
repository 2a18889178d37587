"""What review sends and gets, page and REST API alike.

A claimed item shows its text and nothing else about itself: queue, prediction and votes arrive in
the answer to a submission. The one exception is ``ReservedItem.shown``: see
:mod:`curation.review.anchoring`.
"""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from curation.models.review import Queue

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


class PreferencesBody(_Body, frozen=True, kw_only=True):
    """A person's keys and goal; actions that are not named get their usual keys."""

    keys: Annotated[dict[str, Annotated[str, Meta(max_length=20)]], Meta(max_length=100)]
    daily_goal: Annotated[int, Meta(ge=1, le=9_999)] | None = None


class NoBody(_Body, frozen=True, kw_only=True):
    """Nothing to say."""


class RevealedPrediction(msgspec.Struct, frozen=True, kw_only=True):
    """What the model had said."""

    label: str
    confidence: float | None
    model_version: str | None


class ReservedItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item to answer."""

    id: int
    text: str
    reason: str
    """The same for every item: it must not tell one queue from another."""
    guideline: int
    """The newest version of the guidelines."""
    shown: RevealedPrediction | None = None
    """What the model says, on the few items where it is shown first to measure how far it sways;
    null everywhere else. Whoever presents the item shows it where it is present."""
    expires_at: datetime | None
    """When the reservation runs out; null for an item taken back after its answer."""


class EmptyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is nothing to do."""

    message: str
    leased_by_others: int
    done_by_you: int
    seen_by_you: int
    """Seen on another page, so not to be answered blind."""
    waiting_for_senior: int
    """Only a senior annotator may decide them."""
    open_items: int
    next_free_at: datetime | None


class ClaimAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the annotator holds."""

    items: list[ReservedItem]
    depth: int
    """Items free beside these, counted up to a thousand."""
    empty: EmptyAnswer | None


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


class AnsweredText(msgspec.Struct, frozen=True, kw_only=True):
    """A text like this one that was answered before."""

    text: str
    value: str
    """The label it has now."""


class RevealAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What was hidden until the answer."""

    prediction: RevealedPrediction | None
    votes: Votes
    queue: str
    why: str
    ranked: str
    """Which version the queue is ranked by and how long ago, of an uncertain item; else empty."""
    peers: list[Peer]
    precedents: list[AnsweredText]
    """At most three, the most alike first."""


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
    """Others gave the same reason: no annotator will be asked again."""
    routed: str
    """Where the skips sent it; empty while others are asked."""


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


class PreferencesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What holds now."""

    keys: dict[str, str]
    daily_goal: int | None


class GuidelineAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The guidelines in force."""

    number: int
    html: str
