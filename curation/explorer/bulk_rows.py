"""What every bulk action works with: the facts of its samples, and the rows it keeps of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from curation.models import BulkAction
from feedbackhub.core.sql import execute, fetch, statements

SQL = statements(Path(__file__).with_name("bulk.sql"))


@dataclass(frozen=True)
class Facts:
    """What decides whether a sample may be touched."""

    sample_id: int
    is_erased: bool
    split: str
    """Empty when it is in none."""
    label: str
    label_origin: str
    quality: float
    is_annotated: bool
    """Its label rests on someone's answer in a queue."""
    queues: list[str]
    """Where it waits."""
    is_excluded: bool


@dataclass(frozen=True)
class Done:
    """What was done to one sample."""

    label_id: int | None = None
    """The label that was made."""
    change: dict[str, Any] = field(default_factory=dict)
    """What taking it back needs to know."""


@dataclass(frozen=True)
class Row:
    """One sample that was changed."""

    sample_id: int
    label_id: int | None
    change: Any


class Kind(Protocol):
    """One thing that can be done to many samples."""

    def leaves_out(self, action: BulkAction, facts: Sequence[Facts]) -> dict[int, str]:
        """The samples it will not touch, each with the reason as a sentence."""

    def apply(self, action: BulkAction, ids: Sequence[int], now: datetime) -> dict[int, Done]:
        """Do it; samples that are missing in the answer did not need it."""

    def undo(self, action: BulkAction, rows: Sequence[Row], now: datetime) -> dict[int, str]:
        """Take it back; the samples where that cannot be done, each with the reason."""


def facts_of(*, sample_ids: Sequence[int]) -> list[Facts]:
    """The facts of these samples, by id."""
    return fetch(SQL["facts"], {"samples": list(sample_ids)}, into=Facts)


def settle(
    *,
    action: BulkAction,
    states: Mapping[int, str],
    whys: Mapping[int, str] | None = None,
    done: Mapping[int, Done] | None = None,
) -> None:
    """Write down what became of these samples of an action."""
    if not states:
        return
    whys, done = whys or {}, done or {}
    ids = sorted(states)
    execute(
        SQL["settle"],
        {
            "action": action.pk,
            "samples": ids,
            "states": [str(states[pk]) for pk in ids],
            "whys": [whys.get(pk, "") for pk in ids],
            "labels": [done[pk].label_id if pk in done else None for pk in ids],
            "changes": [json.dumps(done[pk].change if pk in done else {}) for pk in ids],
        },
    )
