"""The queue engine: one statement each of the ``.sql`` files beside it, frozen rows out.

Truth stands in counters: ``taken`` is leases plus answers, ``done`` is answers that count. Only
these statements change them. Callers give the transaction; the locks are named in the SQL.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection

from curation.review.mixing import GOLD, Drawn
from feedbackhub.core.roles import CAPABILITIES, Can
from feedbackhub.core.sql import execute, fetch, statements


def _statements() -> dict[str, str]:
    """All of the engine's; what one annotator may be served is said once and stands in several."""
    found = {
        name: sql
        for story in ("claiming", "answering", "housekeeping")
        for name, sql in statements(Path(__file__).with_name(f"{story}.sql")).items()
    }
    for fragment in ("drawable", "claimable"):
        lines = found.pop(fragment).splitlines()
        condition = "\n".join(line for line in lines if not line.startswith("--"))
        found = {name: sql.replace(f"{{{fragment}}}", condition) for name, sql in found.items()}
    return found


SQL = _statements()
# The first of the two numbers of an advisory lock: this kind of lock, apart from all others.
ANNOTATOR_LOCK = 7411
LEASE_CAP = timedelta(minutes=30)
MOST_CLAIMED = 10
DEPTH_BOUND = 1000
REASONS_BOUND = 20_000
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
class HeldLease:
    """A lease that lives on."""

    id: int
    """The item's."""
    expires_at: datetime


@dataclass(frozen=True)
class Seat:
    """Who claims, and how the project mixes what is served."""

    role: str | None
    """In the project; None for a stranger."""
    random_share: float
    """Of the items served, in [0, 1]."""
    gold_share: float
    """Of the items served, in [0, 1]."""


@dataclass(frozen=True)
class Asking:
    """Who asks for items, and of what."""

    project_id: int
    user_id: int
    is_senior: bool
    """What waits for a senior is theirs too."""
    queues: Sequence[str]
    limit: int
    """At most so many items are held."""

    def params(self) -> dict[str, Any]:
        """By the names the statements use."""
        return {
            "project": self.project_id,
            "user": self.user_id,
            "is_senior": self.is_senior,
            "queues": list(self.queues),
            "limit": self.limit,
        }


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
    waiting_for_senior: int
    has_others: bool
    """Whether anyone else reviews here."""
    has_seniors: bool


@dataclass(frozen=True)
class QueueDepth:
    """One queue's open items."""

    queue: str
    open: int
    free: int
    """Open, and neither leased nor waiting for a second answer that is leased."""
    for_senior: int
    """Open, and waiting for a senior annotator."""
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


def seat(*, project_id: int, user_id: int) -> Seat:
    """The person's role and the project's mix."""
    return fetch(SQL["seat"], {"project": project_id, "user": user_id}, into=Seat)[0]


def free(*, asking: Asking, now: datetime) -> list[Free]:
    """What the annotator could claim and what they hold, queue by queue; nothing is locked."""
    return fetch(SQL["free"], {**asking.params(), "now": now}, into=Free)


def claim(*, asking: Asking, drawn: Drawn, now: datetime) -> list[Reserved]:
    """The annotator's live leases in their queues, then what was ``drawn``."""
    params = {
        **asking.params(),
        "lock_class": ANNOTATOR_LOCK,
        "starts": [lot.start for lot in drawn.lots],
        "picks": [lot.pick for lot in drawn.lots],
        "drawn": [drawn.queues.get(queue, 0) for queue in asking.queues],
        "now": now,
    }
    return fetch(SQL["claim"], params, into=Reserved)


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


def why_empty(*, asking: Asking) -> WhyEmpty:
    """The numbers behind "nothing to do"; gold is none of them."""
    params = {
        **asking.params(),
        "queues": [queue for queue in asking.queues if queue != GOLD],
        "senior_roles": SENIOR_ROLES,
        "limit": REASONS_BOUND,
    }
    return fetch(SQL["why_empty"], params, into=WhyEmpty)[0]


def depth(*, asking: Asking) -> int:
    """How many items are free to claim, counted up to a thousand."""
    with connection.cursor() as cursor:
        cursor.execute(SQL["depth"], {**asking.params(), "limit": DEPTH_BOUND})
        return int(cursor.fetchone()[0])


def depths(*, project_id: int) -> list[QueueDepth]:
    """Open items by queue, by name."""
    return fetch(SQL["depths"], {"project": project_id}, into=QueueDepth)


def reveal(
    *, item_id: int, user_id: int, after: str = "", given: Mapping[str, Any] | None = None
) -> Reveal:
    """What to show after an answer; statements that come ``after`` the answer run before it.

    In one round trip: the answer to a key press waits for it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"{after}{SQL['reveal']}", {**(given or {}), "item": item_id, "user": user_id}
        )
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
