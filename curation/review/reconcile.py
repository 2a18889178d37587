"""A nightly look that the counters of open items equal what they count."""

import logging
from datetime import datetime

from django.db import connection, transaction

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
