"""The queue engine: one statement each of the ``.sql`` files beside it, frozen rows out.

Truth stands in counters: ``taken`` is leases plus answers, ``done`` is answers that count. Only
these statements change them. Callers give the transaction; the locks are named in the SQL.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.db import connection

from curation.review import consensus
from curation.review.agreement.skill import Skill
from curation.review.consensus import MOST_ANSWERS
from feedbackhub.core.roles import CAPABILITIES, Can
from feedbackhub.core.sql import execute, fetch, statements

SQL = {
    name: statement
    for story in ("claiming", "answering", "housekeeping")
    for name, statement in statements(Path(__file__).with_name(f"{story}.sql")).items()
}
# The first of the two numbers of an advisory lock: this kind of lock, apart from all others.
ANNOTATOR_LOCK = 7411
LEASE_CAP = timedelta(minutes=30)
MOST_CLAIMED = 10
DEPTH_BOUND = 1000
UNDO_DEPTH = 20
UNDO_WINDOW = timedelta(hours=24)
SWEEP_LIMIT = 5000
SENIOR_ROLES = [str(role) for role, may in CAPABILITIES.items() if Can.REVIEW_SENIOR in may]


@dataclass(frozen=True)
class Reserved:
    """An item as its annotator sees it before answering: nothing here tells queues apart."""

    id: int
    text: str | None
    expires_at: datetime | None
    """When the lease runs out; None for an item taken back, which needs no lease."""
    guideline: int
    """The newest version of the guidelines, 0 without any."""


@dataclass(frozen=True)
class Answer:
    """What became of a submitted answer."""

    annotation_id: int
    sample_id: int
    is_blind: bool
    is_extra: bool
    is_done: bool
    """The item has all the answers it needs."""
    ballots: "Sequence[Ballot]"
    """The answers to the item that count, with this one, by age."""
    labels: Sequence[str]
    """The project's, in display order."""


@dataclass(frozen=True)
class Ballot:
    """An answer to weigh, and what is known of who gave it."""

    annotation_id: int
    answer: consensus.Answer
    skill: Skill


@dataclass(frozen=True)
class Skipped:
    """What became of a skip."""

    annotation_id: int
    is_closed: bool
    """A second annotator gave the same reason: nobody will be asked again."""


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
    value: str
    skip_reason: str
    note: str
    had_slot: bool
    is_open: bool


@dataclass(frozen=True)
class HeldLease:
    """A lease that lives on."""

    id: int
    """The item's."""
    expires_at: datetime


@dataclass(frozen=True)
class Free:
    """What one annotator could claim in a queue, counted up to what they may ask for."""

    queue: str
    free: int
    held: int
    """Theirs already."""


@dataclass(frozen=True)
class WhyEmpty:
    """Why nothing could be claimed, in numbers."""

    open_items: int
    done_by_you: int
    seen_by_you: int
    """On a page that shows what is hidden."""
    leased_by_others: int
    next_free_at: datetime | None


@dataclass(frozen=True)
class QueueDepth:
    """One queue's open items."""

    queue: str
    open: int
    free: int
    """Open, and neither leased nor waiting for a second answer that is leased."""
    oldest_at: datetime


@dataclass(frozen=True)
class Reveal:
    """What an annotator may see once they have answered."""

    queue: str
    why: dict[str, object]
    predicted: str | None
    confidence: float | None
    model_version: str | None
    votes: list[tuple[str, str, int]]
    """Rating, suggested label, how many."""
    peers: list[tuple[str, str]]
    """Username, answer."""


def free(
    *, project_id: int, user_id: int, queues: Sequence[str], limit: int, now: datetime
) -> list[Free]:
    """What the annotator could claim and what they hold, queue by queue; nothing is locked."""
    params = {
        "project": project_id,
        "user": user_id,
        "queues": list(queues),
        "limit": limit,
        "now": now,
    }
    return fetch(SQL["free"], params, into=Free)


def claim(
    *,
    project_id: int,
    user_id: int,
    queues: Sequence[str],
    drawn: Mapping[str, int],
    limit: int,
    now: datetime,
) -> list[Reserved]:
    """The annotator's live leases in ``queues``, then as many as ``drawn``, ``limit`` in all."""
    params = {
        "lock_class": ANNOTATOR_LOCK,
        "project": project_id,
        "user": user_id,
        "queues": list(queues),
        "drawn": [drawn.get(queue, 0) for queue in queues],
        "limit": limit,
        "now": now,
    }
    return fetch(SQL["claim"], params, into=Reserved)


def lock(*, project_id: int, item_id: int, user_id: int) -> bool:
    """Lock annotator and sample, in that order; False when the project has no such item."""
    params = {
        "lock_class": ANNOTATOR_LOCK,
        "project": project_id,
        "item": item_id,
        "user": user_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(SQL["lock"], params)
        return cursor.fetchone() is not None


def submit(
    *,
    project_id: int,
    item_id: int,
    user_id: int,
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
        "value": value,
        "note": note,
        "key": key,
        "seconds": seconds,
        "senior_roles": SENIOR_ROLES,
        "now": now,
    }
    taken = next(iter(fetch(SQL["submit"], params, into=Answer)), None)
    return None if taken is None else replace(taken, ballots=_ballots(str(taken.ballots)))


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


def lease_again(*, project_id: int, item_id: int, user_id: int, now: datetime) -> bool:
    """A lease on one item, if a slot is free; whether there was one."""
    params = {"project": project_id, "item": item_id, "user": user_id, "now": now}
    return execute(SQL["lease_again"], params) > 0


def undone_item(*, project_id: int, item_id: int, user_id: int) -> Reserved:
    """An item that was taken back, as its annotator sees it."""
    params = {"project": project_id, "item": item_id, "user": user_id}
    return fetch(SQL["undone"], params, into=Reserved)[0]


def widen(*, item_id: int) -> bool:
    """Ask one more annotator, up to three; False when the limit is reached."""
    return execute(SQL["widen"], {"item": item_id, "most": MOST_ANSWERS}) > 0


def heartbeat(
    *, project_id: int, user_id: int, items: Sequence[int], now: datetime
) -> list[HeldLease]:
    """Extend leases; those that are gone, or as old as the cap, are missing from the answer."""
    params = {
        "project": project_id,
        "user": user_id,
        "items": list(items),
        "cap": LEASE_CAP,
        "now": now,
    }
    return fetch(SQL["heartbeat"], params, into=HeldLease)


def release(*, project_id: int, user_id: int, items: Sequence[int]) -> int:
    """Give leases back; how many."""
    return execute(SQL["release"], {"project": project_id, "user": user_id, "items": list(items)})


def sweep(*, now: datetime) -> int:
    """Free the slots of leases that ran out; how many items changed."""
    return execute(SQL["sweep"], {"now": now, "limit": SWEEP_LIMIT})


def expose(*, sample_ids: Sequence[int], user_id: int, now: datetime) -> None:
    """Someone has seen what is hidden about these samples; their leases on them end."""
    execute(SQL["expose"], {"samples": list(sample_ids), "user": user_id, "now": now})


def why_empty(*, project_id: int, user_id: int, queues: Sequence[str]) -> WhyEmpty:
    """The numbers behind "nothing to do"."""
    params = {"project": project_id, "user": user_id, "queues": list(queues)}
    return fetch(SQL["why_empty"], params, into=WhyEmpty)[0]


def depth(*, project_id: int, queues: Sequence[str]) -> int:
    """How many items are free to claim, counted up to a thousand."""
    with connection.cursor() as cursor:
        cursor.execute(
            SQL["depth"], {"project": project_id, "queues": [*queues], "limit": DEPTH_BOUND}
        )
        return int(cursor.fetchone()[0])


def depths(*, project_id: int) -> list[QueueDepth]:
    """Open items by queue, by name."""
    return fetch(SQL["depths"], {"project": project_id}, into=QueueDepth)


def reveal(*, item_id: int, user_id: int, settled_sample: int | None, now: datetime) -> Reveal:
    """What to show after an answer; when that settled the sample, other queues stop asking.

    Both in one round trip: the answer to a key press waits for it.
    """
    sql = SQL["reveal"]
    if settled_sample is not None:
        sql = f"{SQL['settle_siblings']};\n{sql}"
    params: dict[str, int | datetime | None] = {
        "item": item_id,
        "user": user_id,
        "sample": settled_sample,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        queue, why, predicted, confidence, version, votes, peers = cursor.fetchone()
    return Reveal(
        queue=queue,
        why=json.loads(why),
        predicted=predicted,
        confidence=confidence,
        model_version=version,
        votes=[(rating, label, n) for rating, label, n in json.loads(votes)],
        peers=[(name, value) for name, value in json.loads(peers)],
    )


def _ballots(rows: str) -> list[Ballot]:
    return [
        Ballot(
            annotation_id=annotation_id,
            answer=consensus.Answer(user_id=user_id, value=value, is_senior=is_senior),
            skill=Skill(confusion or {}),
        )
        for annotation_id, user_id, value, is_senior, confusion in json.loads(rows)
    ]
