"""How far a consumer is behind, for Prometheus and for the log."""

import logging
from time import monotonic

from confluent_kafka import Consumer, KafkaException
from prometheus_client import Counter, Gauge

from curation.intake.kafka.offsets import Offsets

logger = logging.getLogger(__name__)

# Of several processes the latest word counts: a partition moves from one to another.
LAG = Gauge(
    "hub_kafka_lag_messages",
    "Messages of a partition that are not landed and committed.",
    ["topic", "partition", "group"],
    multiprocess_mode="mostrecent",
)
MESSAGES = Counter(
    "hub_kafka_messages_total", "Messages taken from a topic, by outcome.", ["topic", "outcome"]
)
HELD_SECONDS = Counter(
    "hub_kafka_held_seconds_total",
    "Time in which a topic was held back because its messages could not land.",
    ["topic"],
)
EVERY_S = 2.0
SAY_EVERY_S = 10.0
PATIENCE_S = 1.0


class LagReport:
    """Measures the lag of the partitions a consumer owns, every few seconds."""

    def __init__(self, *, topic: str, group: str) -> None:
        """Nothing is measured yet."""
        self._topic = topic
        self._group = group
        self._due = self._say_due = 0.0
        self._landed = self._refused = 0
        self._said = (0, 0)

    def note(self, *, landed: int, duplicates: int, refused: int) -> None:
        """Count a batch."""
        for outcome, count in (
            ("landed", landed),
            ("duplicate", duplicates),
            ("rejected", refused),
        ):
            MESSAGES.labels(self._topic, outcome).inc(count)
        self._landed += landed
        self._refused += refused

    def report_when_due(self, client: Consumer, offsets: Offsets, *, is_held: bool) -> None:
        """Measure and say it, if some seconds have passed."""
        if monotonic() < self._due:
            return
        try:
            behind = self._measure(client, offsets, is_held)
        except KafkaException as error:
            logger.debug("The lag cannot be measured: %s", error)
        else:
            self._say(behind)
        self._due = monotonic() + EVERY_S

    def _measure(self, client: Consumer, offsets: Offsets, is_held: bool) -> int:
        owned = client.assignment()
        unknown = [place for place in owned if place.partition not in offsets.confirmed]
        if unknown:
            offsets.confirm(client.committed(unknown, timeout=PATIENCE_S))
        total = 0
        for place in owned:
            # A fetch says where the partition ends. Held, it is not fetched and must be asked for;
            # to ask always would queue behind the fetches that wait for messages.
            marks = client.get_watermark_offsets(place, timeout=PATIENCE_S, cached=not is_held)
            low, high = marks or (0, 0)
            lag = max(0, high - max(0, low, offsets.confirmed[place.partition]))
            LAG.labels(self._topic, str(place.partition), self._group).set(lag)
            total += lag
        return total

    def _say(self, behind: int) -> None:
        state = (self._landed, self._refused)
        if monotonic() < self._say_due or (state == self._said and not behind):
            return
        logger.info(
            "%s: %d landed, %d rejected since the start; %d behind.", self._topic, *state, behind
        )
        self._said = state
        self._say_due = monotonic() + SAY_EVERY_S
