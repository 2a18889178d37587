"""When a project retrains: counts and times in, a reason or nothing out. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Trigger(StrEnum):
    """What started a run."""

    FIRST = "first"
    LABELS = "labels"
    AGE = "age"
    BUTTON = "button"


@dataclass(frozen=True)
class Situation:
    """What the decision rests on."""

    is_enabled: bool
    """Whether the policy lets the project retrain by itself."""
    min_new_labels: int
    max_age_hours: int
    new_labels: int
    """Trainable labels since the last run froze its snapshot; all of them before the first run."""
    last_run_at: datetime | None


@dataclass(frozen=True)
class Due:
    """A run to start."""

    trigger: Trigger
    reason: str
    """A sentence for the run's page."""


def due(situation: Situation, *, now: datetime) -> Due | None:
    """The run that should start now, if any.

    A run that failed or taught nothing counts too: the next one waits for further labels, so that
    a lasting trouble is not repeated at every tick.
    """
    if not situation.is_enabled:
        return None
    enough = situation.new_labels >= max(1, situation.min_new_labels)
    if situation.last_run_at is None:
        if not enough:
            return None
        return Due(Trigger.FIRST, f"The first {situation.new_labels:,} labels have come together.")
    if enough:
        asked = f"the policy asks for {situation.min_new_labels:,}"
        return Due(Trigger.LABELS, f"{situation.new_labels:,} new labels; {asked}.")
    if situation.new_labels and now >= _stale_at(situation, situation.last_run_at):
        age = f"the last run is more than {situation.max_age_hours:,} hours old"
        return Due(Trigger.AGE, f"{_labels(situation.new_labels)}, and {age}.")
    return None


def outlook(situation: Situation, *, now: datetime) -> str:
    """What happens next, as a sentence for people; for a project without an active run."""
    have, want = situation.new_labels, max(1, situation.min_new_labels)
    if not situation.is_enabled:
        return f"{_labels(have)}. Retraining by itself is switched off."
    if due(situation, now=now):
        return f"{_labels(have)}; a run starts within seconds."
    if situation.last_run_at is None:
        return f"{have:,} of {want:,} labels; the first training starts by itself at {want:,}."
    said = f"{have:,} of {want:,} new labels; retraining starts by itself at {want:,}"
    stale_at = _stale_at(situation, situation.last_run_at)
    hours = max(1, round((stale_at - now).total_seconds() / 3600))
    if have:
        return f"{said}, or in {_hours(hours)} with those there are."
    if stale_at <= now:
        return f"{said}, or with the first new label."
    return f"{said}, or in {_hours(hours)} if there is any."


def _stale_at(situation: Situation, last_run_at: datetime) -> datetime:
    return last_run_at + timedelta(hours=situation.max_age_hours)


def _labels(n: int) -> str:
    return "1 new label" if n == 1 else f"{n:,} new labels"


def _hours(n: int) -> str:
    if n >= 48:
        return f"{round(n / 24)} days"
    return "1 hour" if n == 1 else f"{n} hours"
