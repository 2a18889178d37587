"""Putting samples into queues."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from curation.models import Project
from curation.models.review import Queue
from curation.review.engine import SQL
from feedbackhub.core.sql import execute


@dataclass(frozen=True)
class Pick:
    """A sample chosen for review, and why."""

    sample_id: int
    queue: str
    """A value of ``Queue``."""
    priority: float
    """Higher is served sooner; kept to two decimals."""
    why: Mapping[str, Any]
    """Shown after the answer; ``sentence`` is what the page prints."""
    prediction_id: UUID | str | None = None
    model_version: str = ""
    """Which version ranked it."""
    inclusion_probability: float | None = None
    """How likely it was to be picked, in [0, 1]."""
    for_senior: bool = False
    """Only a senior annotator is asked; about spam always."""


def open_items(*, project: Project, picks: Sequence[Pick], now: datetime) -> int:
    """Open an item for each pick; one open already takes the newer priority and reason.

    Returns how many items were opened or changed. How many answers each needs is the policy's
    overlap. Of two picks of one sample for one queue the last counts.
    """
    if not picks:
        return 0
    chosen = list({(pick.sample_id, Queue(pick.queue)): pick for pick in picks}.values())
    with transaction.atomic():
        lock_items(sample_ids=[pick.sample_id for pick in chosen])
        return execute(
            SQL["open_items"],
            {
                "project": project.pk,
                "samples": [pick.sample_id for pick in chosen],
                "queue_names": [str(Queue(pick.queue)) for pick in chosen],
                "priorities": [round(pick.priority, 2) for pick in chosen],
                "whys": [json.dumps(_why(pick)) for pick in chosen],
                "predictions": [pick.prediction_id for pick in chosen],
                "versions": [pick.model_version for pick in chosen],
                "inclusions": [pick.inclusion_probability for pick in chosen],
                "now": now,
            },
        )


def close_untouched(
    *,
    sample_ids: Sequence[int],
    queue: str,
    reason: str,
    now: datetime,
    but_item: int | None = None,
) -> int:
    """Close the open items of these samples in ``queue`` that nobody holds or has answered.

    ``but_item`` stays as it is.
    """
    if not sample_ids:
        return 0
    return execute(
        SQL["close_untouched"],
        {
            "samples": list(sample_ids),
            "queue": str(queue),
            "reason": reason,
            "but": but_item,
            "now": now,
        },
    )


def lock_items(*, sample_ids: Sequence[int]) -> None:
    """Lock the open items of these samples in the order everyone does."""
    execute(SQL["lock_items"], {"samples": list(sample_ids)})


def _why(pick: Pick) -> dict[str, Any]:
    is_seniors = pick.for_senior or pick.queue == Queue.SPAM
    return {**pick.why, "senior": True} if is_seniors else dict(pick.why)
