"""Which queues an annotator's items are drawn from when they chose none. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
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
    Queue.SPAM: 5,
}
# Served among the others at a share of its own, and never alone: with nothing else free it would
# be known for what it is.
GOLD = str(Queue.GOLD)


@dataclass(frozen=True)
class Lot:
    """A draw by lot: where on the circle to start, and which of the items from there to take."""

    start: float
    """In [0, 1)."""
    pick: float
    """In [0, 1)."""


@dataclass(frozen=True)
class Drawn:
    """What to take: so many items of each queue, the most urgent first, and some by lot."""

    queues: Mapping[str, int] = field(default_factory=dict)
    lots: tuple[Lot, ...] = ()


def draw(
    *,
    free: Mapping[str, int],
    slots: int,
    user_id: int,
    now: datetime,
    random_share: float = 0.0,
    gold_share: float = 0.0,
) -> Drawn:
    """What to take for each of ``slots``, when so many items are ``free`` in each queue.

    A slot is gold, by lot, or of a queue; a queue is drawn by the shares of those that are not used
    up. The draws are hashes of annotator, time and slot: nothing to store, and fixed in a test.

    >>> draw(free={"disputed": 1, "audit": 9}, slots=0, user_id=1, now=datetime(2026, 1, 1))
    Drawn(queues={}, lots=())
    >>> draw(free={"gold": 9}, slots=5, user_id=1, now=datetime(2026, 1, 1), gold_share=0.2)
    Drawn(queues={}, lots=())
    """
    drawn: Counter[str] = Counter()
    lots: list[Lot] = []
    others = sum(free.get(queue, 0) for queue in SHARES)
    for slot in range(slots):
        if drawn.total() - drawn[GOLD] + len(lots) >= others:
            break
        point = unit_interval("serving", f"{user_id}:{now.isoformat()}:{slot}")
        if point < gold_share and free.get(GOLD, 0) > drawn[GOLD]:
            drawn[GOLD] += 1
        elif gold_share <= point < gold_share + random_share:
            start, pick = (
                unit_interval(each, f"{user_id}:{now.isoformat()}:{slot}")
                for each in ("lot", "pick")
            )
            lots.append(Lot(start, pick))
        else:
            left = [queue for queue in SHARES if free.get(queue, 0) > drawn[queue]]
            point = unit_interval("mixing", f"{user_id}:{now.isoformat()}:{slot}")
            drawn[_at(point, left)] += 1
    return Drawn(dict(drawn), tuple(lots))


def _at(point: float, queues: list[str]) -> str:
    """The queue whose stretch of [0, 1) the point falls into."""
    reach = point * sum(SHARES[queue] for queue in queues)
    for queue in queues:
        reach -= SHARES[queue]
        if reach < 0:
            return queue
    return queues[-1]
