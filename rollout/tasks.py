"""What beat asks of the rollout room."""

from celery import shared_task

from feedbackhub.core.clock import utcnow
from rollout import reconcile


@shared_task(time_limit=120, soft_time_limit=110)
def advance() -> None:
    """Look at every rollout that is due."""
    reconcile.advance(now=utcnow())
