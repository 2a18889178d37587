"""What Celery calls where a use case spans rooms."""

from celery import shared_task

from feedbackhub import privacy
from feedbackhub.core.clock import utcnow


# Reads whole event tables: beside training rather than before the next tick.
@shared_task(queue="training", soft_time_limit=3600, time_limit=3660)
def erase() -> None:
    """Carry out the erasures that were asked for."""
    privacy.erase_due(now=utcnow())
