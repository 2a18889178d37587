"""The anchoring meter: how far seeing the model's answer first sways annotators.

On a small share of items, chosen by hash of item and person, the prediction is shown before the
answer. That is the one exception to "nothing before the answer". What is answered so is stored as
not blind and marked ``was_shown``: it counts neither as audit nor as gold, nor towards consensus
or anyone's record, and as a label it weighs less. Someone else answers the text blind.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from curation.models import CurationPolicy, Project
from curation.proportions import Difference, Share, difference
from feedbackhub.core.models import User
from feedbackhub.core.sql import fetch, statements
from feedbackhub.core.subjects import unit_interval

SQL = statements(Path(__file__).with_name("anchoring.sql"))
# Fewer first answers on either side say nothing worth a page.
MINIMUM = 30


@dataclass(frozen=True)
class Shown:
    """A prediction that is shown before the answer."""

    item_id: int
    label: str
    confidence: float | None
    model_version: str


@dataclass(frozen=True)
class Anchoring:
    """What the meter reads."""

    share: float
    """Share of items on which the prediction is shown first; 0: the meter is off."""
    shown: Share
    """First answers after a shown prediction, and those that agreed with it."""
    blind: Share
    """First answers given blind meanwhile, and those that agreed with what was hidden."""
    difference: Difference | None
    """Shown less blind, with Newcombe's 95 % interval; None before there is enough."""
    missing: int
    """How many more answers after a shown prediction it takes to say anything."""


@dataclass(frozen=True)
class _Arm:
    was_shown: bool
    n: int
    agreed: int


def show_first(
    *, project: Project, user: User, item_ids: Sequence[int], now: datetime
) -> dict[int, Shown]:
    """Of items ``user`` holds, the predictions to show before the answer, on record from now on."""
    if not item_ids:
        return {}
    params = {
        "project": project.pk,
        "user": user.pk,
        "items": list(item_ids),
        "points": [_point(item_id, user.pk) for item_id in item_ids],
        "now": now,
    }
    return {shown.item_id: shown for shown in fetch(SQL["show_first"], params, into=Shown)}


def anchoring(*, project: Project) -> Anchoring:
    """How often annotators agree with the model when they see its answer first, and when not.

    Which items are shown is drawn by lot among the same queues, so the difference is the effect of
    seeing. Answers of one annotator are taken as independent.
    """
    arms = {arm.was_shown: arm for arm in fetch(SQL["arms"], {"project": project.pk}, into=_Arm)}
    shown, blind = (
        Share(arms[was_shown].agreed, arms[was_shown].n) if was_shown in arms else Share(0, 0)
        for was_shown in (True, False)
    )
    is_enough = min(shown.n, blind.n) >= MINIMUM
    policy = CurationPolicy.objects.filter(project=project).first() or CurationPolicy()
    return Anchoring(
        share=policy.shown_first_share,
        shown=shown,
        blind=blind,
        difference=difference(shown, blind) if is_enough else None,
        missing=max(0, MINIMUM - shown.n),
    )


def _point(item_id: int, user_id: int) -> float:
    return unit_interval("shown first", f"{item_id}:{user_id}")
