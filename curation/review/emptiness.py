"""Why there is nothing to claim, in numbers and in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from curation.models import Project
from curation.review import engine
from feedbackhub.core.models import User


@dataclass(frozen=True)
class Empty:
    """Why nothing could be claimed."""

    message: str
    leased_by_others: int
    done_by_you: int
    seen_by_you: int
    """Seen on a page that shows what is hidden, so not to be answered blind."""
    open_items: int
    next_free_at: datetime | None


def why_empty(*, project: Project, user: User, queues: Sequence[str]) -> Empty:
    """Why ``user`` gets nothing from these queues; the words name none of them."""
    why = engine.why_empty(project_id=project.pk, user_id=user.pk, queues=queues)
    parts = []
    if why.leased_by_others:
        until = f", the next free at {why.next_free_at:%H:%M} UTC" if why.next_free_at else ""
        parts.append(f"{why.leased_by_others} with other annotators{until}")
    if why.done_by_you:
        parts.append(f"{why.done_by_you} answered or skipped by you and waiting for someone else")
    if why.seen_by_you:
        parts.append(f"{why.seen_by_you} seen by you on their own pages, so left to someone else")
    if parts:
        message = f"Nothing is free for you: {_listed(parts)}."
    elif why.open_items:
        message = "What is left is being updated this moment; look again."
    else:
        message = "The queue is empty: everything is answered. New samples arrive with traffic."
    return Empty(
        message=message,
        leased_by_others=why.leased_by_others,
        done_by_you=why.done_by_you,
        seen_by_you=why.seen_by_you,
        open_items=why.open_items,
        next_free_at=why.next_free_at,
    )


def _listed(parts: Sequence[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
