"""Where the model fails a group, people are asked about more of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from curation.groups.comparing import Compared, Counts
from curation.groups.slicing import Group
from curation.models import CurationPolicy, Project, ReviewItem
from curation.models.review import Queue
from curation.review.items import Pick, open_items
from feedbackhub.core.sql import fetch, statements

SQL = statements(Path(__file__).with_name("groups.sql"))
# Open items of one failing group; more would keep annotators from everything else.
QUEUE_SIZE = 25
# Texts looked at for members of the failing groups.
MOST_LOOKED_AT = 5_000


@dataclass(frozen=True)
class _Askable:
    id: int
    text: str
    metadata: Any
    source_id: int


def ask_about(
    *,
    project: Project,
    failing: Sequence[Compared],
    sorter: Callable[[Sequence[Any]], list[list[Group]]],
    total: Counts,
    now: datetime,
) -> int:
    """Fill the slice queue with texts of the failing groups, drawn at random; how many are new.

    Every pick carries its chance within the group, where all of the group could be looked at.
    """
    if not failing:
        return 0
    policy = CurationPolicy.objects.filter(project=project).first() or CurationPolicy()
    params = {
        "project": project.pk,
        "min_quality": policy.min_label_quality,
        "salt": now.isoformat(),
        "limit": MOST_LOOKED_AT,
    }
    askable = fetch(SQL["askable"], params, into=_Askable)
    members: dict[Group, list[int]] = {each.group: [] for each in failing}
    for text, groups in zip(askable, sorter(askable), strict=True):
        for group in members.keys() & set(groups):
            members[group].append(text.id)
    picks: dict[int, Pick] = {}
    for each in failing:
        ids = members[each.group]
        chosen = [i for i in ids if i not in picks][: QUEUE_SIZE - _waiting(project, each.group)]
        chance = len(chosen) / len(ids) if ids and len(askable) < MOST_LOOKED_AT else None
        for sample_id in chosen:
            picks[sample_id] = _pick(sample_id, each, total, chance)
    return open_items(project=project, picks=list(picks.values()), now=now)


def _waiting(project: Project, group: Group) -> int:
    return min(
        QUEUE_SIZE,
        ReviewItem.objects.filter(
            project=project, queue=Queue.SLICE, status="open", why__group=list(group)
        ).count(),
    )


def _pick(sample_id: int, group: Compared, total: Counts, chance: float | None) -> Pick:
    counts = group.counts
    here = counts.correct / counts.audited
    rest = (total.correct - counts.correct) / (total.audited - counts.audited)
    dimension, name = group.group
    return Pick(
        sample_id=sample_id,
        queue=Queue.SLICE,
        priority=round(1 - here, 2),
        why={
            "sentence": (
                f"The model is right about {here:.0%} of the audited texts with "
                f"{dimension} “{name}”, about {rest:.0%} of the others."
            ),
            "group": [dimension, name],
        },
        inclusion_probability=chance,
    )
