"""A look now and then that counters equal what they count, and that no item waits in vain."""

import logging
from datetime import datetime

from django.db import connection, transaction

from curation.models import Project
from curation.review import conclusions, deciding
from curation.review.engine import SQL
from feedbackhub.core.sql import execute

logger = logging.getLogger(__name__)
AT_ONCE = 1_000


def reconcile(*, now: datetime) -> int:
    """Set counters right that are not; how many items. There should be none, so each is logged."""
    with connection.cursor() as cursor:
        cursor.execute(SQL["crooked"], {"limit": AT_ONCE})
        suspects = [row[0] for row in cursor.fetchall()]
    if not suspects:
        return 0
    with transaction.atomic():
        mended = execute(SQL["straighten"], {"items": suspects, "now": now})
    if mended:
        logger.error("The counters of %d review items did not add up: %s", mended, suspects[:20])
    return mended


def settle_stranded(*, now: datetime) -> int:
    """Conclude items whose next reviewer has left, or has seen the text elsewhere; how many.

    What only the policy's overlap asks for waits on: the claim page says who is missing.
    """
    settled = 0
    for item in deciding.stranded():
        with transaction.atomic():
            deciding.lock_sample(sample_id=item.sample_id)
            project = Project.objects.get(pk=item.project_id)
            decision = conclusions.settle(project=project, item_id=item.id, now=now)
            settled += decision.status != "open"
    return settled
