"""Gold: it grows from what seniors agree on, is served unrecognised, judges, and retires itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction

from curation.models import GoldItem, Project
from curation.models.review import Queue
from curation.review.engine import SENIOR_ROLES
from curation.review.gold_doubt import why_retired
from curation.review.items import Pick, open_items
from feedbackhub.core.models import User
from feedbackhub.core.roles import Can
from feedbackhub.core.sql import execute, fetch, statements

SQL = statements(Path(__file__).with_name("gold.sql"))
# What seniors answered before this was looked at by an earlier tick.
LOOK_BACK = timedelta(days=2)
# Active gold in a project, and how much of it is made in one tick.
MOST_GOLD = 500
GROWN_AT_ONCE = 50
# Items that wait in a project's gold queue, and for how long.
SERVED_AT_ONCE = 20
ROTATED_AFTER = timedelta(hours=12)
UNFOUNDED = "A senior annotator took an answer back or decided otherwise."


class AlreadyRetired(Exception):
    """Someone has retired it before, or it retired itself."""


@dataclass(frozen=True)
class GoldAnswer:
    """What one annotator answered to gold without knowing it."""

    user_id: int
    sample_id: int
    value: str
    truth: str
    """What seniors agree on."""
    submitted_at: datetime

    @property
    def is_right(self) -> bool:
        """Whether they agree with the seniors."""
        return self.value == self.truth


@dataclass(frozen=True)
class Tended:
    """What one look did."""

    grown: int
    served: int
    retired: int


@dataclass(frozen=True)
class _Tally:
    id: int
    project_id: int
    sample_id: int
    value: str
    n_right: int
    n_wrong: int
    n_passed: int


@dataclass(frozen=True)
class _Unfounded:
    id: int
    project_id: int
    sample_id: int
    value: str


def gold_answers(*, project: Project) -> list[GoldAnswer]:
    """All blind answers to gold that stand, by annotator and age; without gold that is in doubt.

    They judge annotators and make no label: each text has its label from its seniors already.
    """
    return fetch(SQL["answers"], {"project": project.pk}, into=GoldAnswer)


def tend(*, now: datetime) -> Tended:
    """Retire what is in doubt, make gold of what seniors agree on, and keep some in the queue.

    Bounded; running it twice changes nothing more.
    """
    retired = retire_unfounded(now=now) + _retire_doubtful(now)
    execute(SQL["rotate"], {"before": now - ROTATED_AFTER, "now": now})
    grown = execute(
        SQL["grow"],
        {
            "senior_roles": SENIOR_ROLES,
            "since": now - LOOK_BACK,
            "most": MOST_GOLD,
            "limit": GROWN_AT_ONCE,
            "now": now,
        },
    )
    served = execute(SQL["serve"], {"size": SERVED_AT_ONCE, "now": now})
    return Tended(grown=grown, served=served, retired=retired)


def retire(*, gold: GoldItem, by: User, reason: str, now: datetime) -> None:
    """A lead takes gold out for good, as in doubt: a senior is asked about its text.

    Raises ``PermissionDenied`` without :attr:`Can.CURATE`, ``ValueError`` without a reason, and
    :class:`AlreadyRetired`.
    """
    gold.project.require(by, Can.CURATE)
    if not reason.strip():
        raise ValueError("Say why it is retired.")
    with transaction.atomic():
        if not _retire(gold.pk, reason.strip(), by.pk, now):
            raise AlreadyRetired("This gold is retired already.")
        _ask_senior(gold.project, gold.sample_id, reason.strip(), now)


def retire_unfounded(*, now: datetime, sample_ids: Sequence[int] | None = None) -> int:
    """Retire gold (of these samples) whose seniors' word no longer stands; how much."""
    params = {
        "senior_roles": SENIOR_ROLES,
        "samples": None if sample_ids is None else list(sample_ids),
    }
    found = fetch(SQL["unfounded"], params, into=_Unfounded)
    return sum(_retire(each.id, UNFOUNDED, None, now) for each in found)


def _retire_doubtful(now: datetime) -> int:
    n = 0
    for each in fetch(SQL["tallies"], {}, into=_Tally):
        reason = why_retired(n_right=each.n_right, n_wrong=each.n_wrong, n_passed=each.n_passed)
        if not reason:
            continue
        with transaction.atomic():
            if _retire(each.id, reason, None, now):
                _ask_senior(Project.objects.get(pk=each.project_id), each.sample_id, reason, now)
                n += 1
    return n


def _retire(gold_id: int, reason: str, by: int | None, now: datetime) -> bool:
    params = {"gold": gold_id, "reason": reason, "by": by, "is_bad": True, "now": now}
    return execute(SQL["retire"], params) > 0


def _ask_senior(project: Project, sample_id: int, reason: str, now: datetime) -> None:
    """The label that the gold came from is in doubt as much."""
    pick = Pick(
        sample_id=sample_id,
        queue=Queue.LABEL_ERROR,
        priority=1.0,
        why={"sentence": f"It was gold. {reason}"},
        for_senior=True,
    )
    open_items(project=project, picks=[pick], now=now)
