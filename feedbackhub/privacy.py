"""Erasing a subject across rooms: curation erases, training says which versions had learned."""

from datetime import datetime

from curation.models import Erasure
from curation.privacy.erasure import carry_out, finish
from training.queries import versions_trained_on


def erase(*, erasure: Erasure, now: datetime) -> Erasure:
    """Carry an erasure out to its end; safe to repeat after whatever stopped it."""
    erasure = carry_out(erasure=erasure, now=now)
    if erasure.finished_at is None:
        versions = versions_trained_on(project=erasure.project, sample_ids=erasure.sample_ids)
        finish(erasure=erasure, versions=[version.name for version in versions], now=now)
    return erasure


def erase_due(*, now: datetime) -> int:
    """Carry out every erasure that is open, the oldest first; how many there were."""
    due = list(Erasure.objects.filter(finished_at=None).order_by("requested_at", "id"))
    for erasure in due:
        erase(erasure=erasure, now=now)
    return len(due)
