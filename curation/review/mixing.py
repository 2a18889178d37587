"""Which queue an annotator is served from when they chose none. Pure."""

from datetime import datetime

from curation.models.review import Queue
from feedbackhub.core.subjects import unit_interval

# One claim in five looks at the audit queue first. Disputes would otherwise starve it, and with it
# the only unbiased view of accuracy.
AUDIT_SHARE_OF_CLAIMS = 0.2
BY_URGENCY = (
    Queue.DISPUTED,
    Queue.LABEL_ERROR,
    Queue.UNCERTAIN,
    Queue.SLICE,
    Queue.GOLD,
    Queue.AUDIT,
    Queue.SPAM,
)


def queue_order(*, chosen: str | None, user_id: int, now: datetime) -> list[str]:
    """The queues to look in, in order: the chosen one alone, or all, at times the audit first.

    Which claims those are is a hash of annotator and time: nothing to store, and fixed in a test.
    """
    if chosen is not None:
        return [str(Queue(chosen))]
    if unit_interval("mixing", f"{user_id}:{now.isoformat()}") < AUDIT_SHARE_OF_CLAIMS:
        audit_first = [Queue.AUDIT, *(queue for queue in BY_URGENCY if queue != Queue.AUDIT)]
        return [str(queue) for queue in audit_first]
    return [str(queue) for queue in BY_URGENCY]
