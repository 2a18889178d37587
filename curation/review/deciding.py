"""Reading where an item stands, and putting it where it goes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection

from curation.models import ReviewItem
from curation.models.review import Queue
from curation.review.agreement.skill import Skill
from curation.review.consensus import Answer
from curation.review.engine import SENIOR_ROLES
from curation.review.overlap import Ballot, Decision, Skip, Standing
from feedbackhub.core.sql import execute, fetch, statements

ADOPT_LIMIT = 1_000
STRANDED_LIMIT = 500
SQL = statements(Path(__file__).with_name("deciding.sql"))


@dataclass(frozen=True)
class Statement:
    """SQL to run together with another statement, and its parameters."""

    sql: str
    params: Mapping[str, Any]


def standing(*, item_id: int) -> Standing:
    """What decides where the item goes; under the lock of its sample."""
    with connection.cursor() as cursor:
        cursor.execute(SQL["standing"], {"item": item_id, "senior_roles": SENIOR_ROLES})
        names = [column.name for column in cursor.description]
        row = dict(zip(names, cursor.fetchone(), strict=True))
    row["ballots"] = [
        Ballot(annotation_id, Answer(user_id, value, is_senior=is_senior), Skill(confusion or {}))
        for annotation_id, user_id, value, is_senior, confusion in json.loads(row["ballots"])
    ]
    row["skips"] = [Skip(*each) for each in json.loads(row["skips"])]
    return Standing(**{field.name: row[field.name] for field in fields(Standing)})


def statement(*, of: Standing, decision: Decision, now: datetime) -> Statement:
    """What puts the item where ``decision`` says, and closes its siblings once it is settled."""
    # Answers in other queues count, but take no slot of this item.
    lacking = max(1, decision.needed - len(of.ballots))
    params = {
        "item": of.item_id,
        "sample": of.sample_id,
        "status": decision.status,
        "needed": of.done + lacking,
        "for_senior": decision.for_senior,
        "routed": decision.routed,
        "saved": decision.saved,
        "now": now,
    }
    sql = f"{SQL['decide']};\n"
    if decision.agreed is not None or decision.is_spam:
        sql += f"{SQL['settle_siblings']};\n"
    return Statement(sql, params)


def put(*, of: Standing, decision: Decision, now: datetime) -> None:
    """Put the item where ``decision`` says."""
    placing = statement(of=of, decision=decision, now=now)
    execute(placing.sql, placing.params)


def adopt(*, project_id: int, now: datetime) -> int:
    """Let earlier blind answers stand for audit items that nobody can answer any more; how many."""
    return execute(SQL["adopt"], {"project": project_id, "adopted": ADOPT_LIMIT, "now": now})


@dataclass(frozen=True)
class Stranded:
    """An item that waits for someone who will not come."""

    id: int
    project_id: int
    sample_id: int


def stranded() -> list[Stranded]:
    """Items that were answered and that nobody is left to answer too."""
    return fetch(SQL["stranded"], {"limit": STRANDED_LIMIT}, into=Stranded)


def lock_sample(*, sample_id: int) -> None:
    """Before its items are decided outside of an answer."""
    execute(SQL["lock_sample"], {"sample": sample_id})


def done_siblings(*, item_id: int, sample_id: int) -> list[int]:
    """Other items of the sample whose conclusion may rest on an answer to this one."""
    done = ReviewItem.objects.filter(sample=sample_id, status=ReviewItem.Status.DONE)
    others = done.exclude(pk=item_id).exclude(queue__in=[Queue.AUDIT, Queue.GOLD])
    return list(others.order_by("pk").values_list("pk", flat=True))


def reopen_adopted(*, sample_id: int) -> None:
    """Audit items whose adopted answer was taken back ask again."""
    execute(SQL["reopen_adopted"], {"sample": sample_id})
