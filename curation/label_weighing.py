"""The quality of current labels, weighed anew as they age and as models bear them out or not.

What was said never changes: the value, the word and its grounds. Only the quality made of them
does, by one statement, on current labels; a snapshot keeps the weight it was frozen with.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction

from curation.digest.quality import Quality, label_quality, next_age_step
from feedbackhub.core.sql import execute, fetch, statements

SQL = statements(Path(__file__).with_name("label_weighing.sql"))
DAY = timedelta(days=1)
AGED_AT_ONCE = 2_000
MEASURED_AT_ONCE = 5_000
# Two fits on other folds differ by so much: less is not worth a write.
LEAST_CHANGE = 0.05


@dataclass(frozen=True)
class _Held:
    """A label as it is weighed."""

    id: int
    word: float
    grounds: str
    """JSON."""
    support: float | None
    created_at: datetime
    quality: float


def weigh_next(*, age_days: float, now: datetime) -> datetime | None:
    """When a label of this age is to be weighed next; None when age no longer matters."""
    step = next_age_step(age_days)
    return None if step is None else now + (step - age_days) * DAY


def age_labels(*, now: datetime, limit: int = AGED_AT_ONCE) -> int:
    """Weigh the labels whose age has come to count for more; how many. One query when none has."""
    with transaction.atomic():
        due = fetch(SQL["ageing"], {"now": now, "limit": limit}, into=_Held)
        _weigh(due, {}, "", now)
    return len(due)


def record_support(*, support: Mapping[int, float], model_version: str, now: datetime) -> int:
    """Weigh labels, by id, by the probability that models trained without them gave their value.

    Returns how many changed. Labels that are no longer current are passed over, and so are
    probabilities that hardly differ from those known.
    """
    changed = 0
    ids = sorted(support)
    for start in range(0, len(ids), MEASURED_AT_ONCE):
        with transaction.atomic():
            params = {"ids": ids[start : start + MEASURED_AT_ONCE]}
            found = [
                held
                for held in fetch(SQL["measured"], params, into=_Held)
                if held.support is None or abs(held.support - support[held.id]) >= LEAST_CHANGE
            ]
            _weigh(found, support, model_version, now)
            changed += len(found)
    return changed


def _weigh(
    labels: Sequence[_Held], support: Mapping[int, float], version: str, now: datetime
) -> None:
    if not labels:
        return
    supports = [
        round(support[held.id], 3) if held.id in support else held.support for held in labels
    ]
    ages = [(now - held.created_at) / DAY for held in labels]
    weighed = [
        _quality(held, known, age) for held, known, age in zip(labels, supports, ages, strict=True)
    ]
    execute(
        SQL["weigh"],
        {
            "ids": [held.id for held in labels],
            "qualities": [each.quality for each in weighed],
            "reasons": [json.dumps(each.reasons) for each in weighed],
            "supports": supports,
            "versions": [version if held.id in support else None for held in labels],
            "weigh_at": [weigh_next(age_days=age, now=now) for age in ages],
        },
    )


def _quality(held: _Held, support: float | None, age_days: float) -> Quality:
    return label_quality(
        word=held.word,
        grounds=json.loads(held.grounds),
        support=support,
        age_days=age_days,
    )
