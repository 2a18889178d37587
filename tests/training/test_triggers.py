"""When a project retrains, and how the page says so."""

from datetime import timedelta
from typing import Any

import pytest

from tests.factories import NOW
from training.triggers import Situation, Trigger, due, outlook


def situation(**changes: Any) -> Situation:
    facts: dict[str, Any] = {
        "is_enabled": True,
        "min_new_labels": 100,
        "max_age_hours": 48,
        "new_labels": 0,
        "last_run_at": NOW - timedelta(hours=1),
    }
    return Situation(**(facts | changes))


def started(**changes: Any) -> str | None:
    found = due(situation(**changes), now=NOW)
    return found.trigger if found else None


@pytest.mark.parametrize(
    ("changes", "trigger"),
    [
        ({"new_labels": 99}, None),
        ({"new_labels": 100}, Trigger.LABELS),
        ({"new_labels": 99, "last_run_at": None}, None),
        ({"new_labels": 100, "last_run_at": None}, Trigger.FIRST),
        ({"new_labels": 1, "last_run_at": NOW - timedelta(hours=48)}, Trigger.AGE),
        ({"new_labels": 1, "last_run_at": NOW - timedelta(hours=47)}, None),
        ({"new_labels": 0, "last_run_at": NOW - timedelta(days=99)}, None),
        ({"new_labels": 0, "min_new_labels": 0}, None),
        ({"new_labels": 500, "is_enabled": False}, None),
    ],
)
def test_a_run_starts_when_the_policy_says_so(changes: dict[str, Any], trigger: str | None) -> None:
    assert started(**changes) == trigger


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"new_labels": 41},
            "41 of 100 new labels; retraining starts by itself at 100, "
            "or in 47 hours with those there are.",
        ),
        (
            {"new_labels": 0, "last_run_at": NOW - timedelta(hours=50)},
            "0 of 100 new labels; retraining starts by itself at 100, or with the first new label.",
        ),
        (
            {"new_labels": 12, "last_run_at": None},
            "12 of 100 labels; the first training starts by itself at 100.",
        ),
        ({"new_labels": 1_200}, "1,200 new labels; a run starts within seconds."),
        (
            {"new_labels": 1, "is_enabled": False},
            "1 new label. Retraining by itself is switched off.",
        ),
    ],
)
def test_the_outlook_says_what_happens_next(changes: dict[str, Any], sentence: str) -> None:
    assert outlook(situation(**changes), now=NOW) == sentence
