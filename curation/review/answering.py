"""Answers, skips and undos: one statement of ``answering.sql`` each, frozen rows out.

Each records what a person did and keeps the item's counters. Where that sends the item is decided
afterwards, in the same transaction: see :mod:`curation.review.deciding`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from curation.review.engine import ANNOTATOR_LOCK, SQL, Reserved
from feedbackhub.core.sql import execute, fetch

UNDO_DEPTH = 20
UNDO_WINDOW = timedelta(hours=24)


@dataclass(frozen=True)
class Locked:
    """What locking an item told."""

    is_there: bool
    """The project has such an item."""
    role: str | None
    """The person's in the project; None for a stranger."""


@dataclass(frozen=True)
class Answer:
    """What became of a submitted answer."""

    annotation_id: int
    sample_id: int
    is_blind: bool
    is_extra: bool


@dataclass(frozen=True)
class Skipped:
    """What became of a skip."""

    annotation_id: int
    sample_id: int


@dataclass(frozen=True)
class Earlier:
    """What an annotator did before under the same key, or on the same item."""

    annotation_id: int
    item_id: int
    sample_id: int
    kind: str
    value: str
    skip_reason: str
    is_blind: bool
    is_extra: bool
    is_undone: bool
    is_same_key: bool
    status: str
    routed: str


@dataclass(frozen=True)
class Last:
    """What an undo would take back."""

    annotation_id: int
    item_id: int
    is_undone: bool


@dataclass(frozen=True)
class TakenBack:
    """What an undo took back."""

    annotation_id: int
    item_id: int
    sample_id: int
    kind: str
    had_slot: bool


def lock(*, project_id: int, item_id: int, user_id: int) -> Locked:
    """Lock annotator and sample, in that order, and say who asks."""
    params = {
        "lock_class": ANNOTATOR_LOCK,
        "project": project_id,
        "item": item_id,
        "user": user_id,
    }
    return fetch(SQL["lock"], params, into=Locked)[0]


def submit(
    *,
    project_id: int,
    item_id: int,
    user_id: int,
    is_senior: bool,
    value: str,
    note: str,
    key: UUID,
    seconds: float | None,
    now: datetime,
) -> Answer | None:
    """Record an answer; None when the key or the item was used before, or the label is unknown.

    After :func:`lock`, in its transaction.
    """
    params = {
        "project": project_id,
        "item": item_id,
        "user": user_id,
        "is_senior": is_senior,
        "value": value,
        "note": note,
        "key": key,
        "seconds": seconds,
        "now": now,
    }
    return next(iter(fetch(SQL["submit"], params, into=Answer)), None)


def skip(
    *,
    project_id: int,
    item_id: int,
    user_id: int,
    reason: str,
    note: str,
    key: UUID,
    seconds: float | None,
    now: datetime,
) -> Skipped | None:
    """Record a skip and free its slot; None when the key or the item was used before."""
    params = {
        "project": project_id,
        "item": item_id,
        "user": user_id,
        "reason": reason,
        "note": note,
        "key": key,
        "seconds": seconds,
        "now": now,
    }
    return next(iter(fetch(SQL["skip"], params, into=Skipped)), None)


def earlier(*, project_id: int, item_id: int, user_id: int, key: UUID) -> Earlier | None:
    """What was done before under ``key``, or else what of the annotator stands on the item."""
    params = {"project": project_id, "item": item_id, "user": user_id, "key": key}
    return next(iter(fetch(SQL["earlier"], params, into=Earlier)), None)


def last(*, project_id: int, user_id: int, key: UUID | None, now: datetime) -> Last | None:
    """The answer or skip an undo takes back, among the last 20 of one day; None without any."""
    params = {
        "project": project_id,
        "user": user_id,
        "key": key,
        "depth": UNDO_DEPTH,
        "since": now - UNDO_WINDOW,
    }
    return next(iter(fetch(SQL["last"], params, into=Last)), None)


def undo(*, annotation_id: int, user_id: int, now: datetime) -> TakenBack | None:
    """Take an annotation back and free its slot; None when it was undone meanwhile."""
    params = {"annotation": annotation_id, "user": user_id, "now": now}
    return next(iter(fetch(SQL["undo"], params, into=TakenBack)), None)


def lease_again(
    *, project_id: int, item_id: int, user_id: int, is_senior: bool, now: datetime
) -> bool:
    """A lease on one item, if a slot is free; whether there was one."""
    params = {
        "project": project_id,
        "item": item_id,
        "user": user_id,
        "is_senior": is_senior,
        "now": now,
    }
    return execute(SQL["lease_again"], params) > 0


def undone_item(*, project_id: int, item_id: int, user_id: int) -> Reserved:
    """An item that was taken back, as its annotator sees it."""
    params = {"project": project_id, "item": item_id, "user": user_id}
    return fetch(SQL["undone"], params, into=Reserved)[0]
