"""Answers taken back, or given back, by someone else than their author: a lead, over many."""

from collections.abc import Sequence
from datetime import datetime

from curation.models import Annotation, Project
from curation.review import answering, conclusions


def take_back(
    *, project: Project, user_id: int, annotation_ids: Sequence[int], now: datetime
) -> list[int]:
    """Undo these answers as if their author had; which of them stood until now.

    Their labels go, and their items ask again. Its caller holds the samples' locks.
    """
    taken = []
    for annotation_id in annotation_ids:
        undone = answering.undo(annotation_id=annotation_id, user_id=user_id, now=now)
        if undone is not None:
            conclusions.withdraw(
                project=project, item_id=undone.item_id, sample_id=undone.sample_id, now=now
            )
            taken.append(annotation_id)
    return taken


def settle_items_of(*, project: Project, annotation_ids: Sequence[int], now: datetime) -> None:
    """Conclude anew the items of answers that stand again."""
    rows = Annotation.objects.filter(pk__in=list(annotation_ids)).order_by("item_id")
    for item_id in rows.values_list("item_id", flat=True).distinct():
        conclusions.settle(project=project, item_id=item_id, now=now)
