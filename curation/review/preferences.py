"""How one person likes to review: their keys and their goal for the day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from curation.models import ReviewPreference
from curation.review import keymap
from feedbackhub.core.models import User


@dataclass(frozen=True)
class Preference:
    """What holds for a person, with the usual where they chose nothing."""

    keys: dict[str, str]
    """Key by action, every action."""
    daily_goal: int | None
    """Answers a day; None without a goal."""


def preference_of(*, user: User) -> Preference:
    """The keys and the goal of ``user``."""
    found = ReviewPreference.objects.filter(user=user).first()
    if found is None:
        return Preference(keymap.effective({}), None)
    return Preference(keymap.effective(found.keys), found.daily_goal)


def keep_preference(
    *, user: User, keys: Mapping[str, str], daily_goal: int | None, now: datetime
) -> Preference:
    """Keep a choice of keys and a goal; actions that are not named get their usual keys.

    Raises :class:`~curation.review.keymap.BadKeys` when the keys clash or cannot be keys.
    """
    chosen = keymap.differing(keys)
    values = {"keys": chosen, "daily_goal": daily_goal, "updated_at": now}
    ReviewPreference.objects.update_or_create(user=user, defaults=values)
    return Preference(keymap.effective(chosen), daily_goal)
