"""Which queues an annotator's items are drawn from when they chose none. Pure."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from curation.models.review import Queue
from feedbackhub.core.subjects import unit_interval

# Each item is drawn by itself, so that the reveal of one says nothing about the queue of the next,
# and with it whether users contradict the model. Shares are of the queues with something free:
# disputes would otherwise starve the audit, the only unbiased view of accuracy.
SHARES: dict[str, float] = {
    Queue.DISPUTED: 50,
    Queue.UNCERTAIN: 30,
    Queue.AUDIT: 20,
    Queue.LABEL_ERROR: 20,
    Queue.SLICE: 10,
    Queue.GOLD: 10,
    Queue.SPAM: 5,
}


def draw(*, free: Mapping[str, int], slots: int, user_id: int, now: datetime) -> dict[str, int]:
    """How many items to take from each queue, when so many are ``free`` in each.

    Each slot draws by the shares of the queues that are not used up. The draws are hashes of
    annotator, time and slot: nothing to store, and fixed in a test.

    >>> draw(free={"disputed": 1, "audit": 9}, slots=0, user_id=1, now=datetime(2026, 1, 1))
    {}
    """
    drawn: Counter[str] = Counter()
    for slot in range(slots):
        left = [queue for queue in SHARES if free.get(queue, 0) > drawn[queue]]
        if not left:
            break
        point = unit_interval("mixing", f"{user_id}:{now.isoformat()}:{slot}")
        drawn[_at(point, left)] += 1
    return dict(drawn)


def _at(point: float, queues: list[str]) -> str:
    """The queue whose stretch of [0, 1) the point falls into."""
    reach = point * sum(SHARES[queue] for queue in queues)
    for queue in queues:
        reach -= SHARES[queue]
        if reach < 0:
            return queue
    return queues[-1]
