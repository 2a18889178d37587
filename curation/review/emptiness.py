"""Why there is nothing to claim, in numbers and in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from curation.review import engine
from curation.review.engine import Asking, WhyEmpty


@dataclass(frozen=True)
class Empty:
    """Why nothing could be claimed."""

    message: str
    leased_by_others: int
    done_by_you: int
    seen_by_you: int
    """Seen on a page that shows what is hidden, so not to be answered blind."""
    waiting_for_senior: int
    """Only a senior annotator may decide them."""
    open_items: int
    next_free_at: datetime | None


def why_empty(*, asking: Asking) -> Empty:
    """Why the annotator gets nothing from these queues; the words name none of them."""
    why = engine.why_empty(asking=asking)
    return Empty(
        message=_message(why),
        leased_by_others=why.leased_by_others,
        done_by_you=why.done_by_you,
        seen_by_you=why.seen_by_you,
        waiting_for_senior=why.waiting_for_senior,
        open_items=why.open_items,
        next_free_at=why.next_free_at,
    )


def _message(why: WhyEmpty) -> str:
    parts = []
    if why.leased_by_others:
        until = f", the next free at {why.next_free_at:%H:%M} UTC" if why.next_free_at else ""
        parts.append(f"{why.leased_by_others} with other annotators{until}")
    if why.done_by_you:
        parts.append(f"{why.done_by_you} answered or skipped by you and waiting for someone else")
    if why.seen_by_you:
        parts.append(f"{why.seen_by_you} seen by you on their own pages, so left to someone else")
    if why.waiting_for_senior:
        parts.append(f"{why.waiting_for_senior} waiting for a senior annotator")
    if parts:
        return " ".join([f"Nothing is free for you: {_listed(parts)}.", *_missing(why)])
    if why.open_items:
        return "What is left is being updated this moment; look again."
    return "The queue is empty: everything is answered. New samples arrive with traffic."


def _missing(why: WhyEmpty) -> list[str]:
    """Who would have to join the project for anything to go on."""
    missing = []
    if (why.done_by_you or why.seen_by_you) and not why.has_others:
        missing.append("The project needs a second annotator for them: it has no other.")
    if why.waiting_for_senior and not why.has_seniors:
        missing.append("The project needs a senior annotator: it has none.")
    return missing


def _listed(parts: Sequence[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
