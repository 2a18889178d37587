"""How the hub connects to Kafka: what the operator decides, and what he may not."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLIENT_ID = "feedbackhub"
# What "every event lands once" rests on.
CONSUMER_PROMISES = {
    # An offset is committed after the Postgres commit, never by a clock.
    "enable.auto.commit": False,
    # A consumer that comes or goes interrupts only the partitions that move.
    "partition.assignment.strategy": "cooperative-sticky",
}
PRODUCER_PROMISES = {"enable.idempotence": True}
CONSUMER_DEFAULTS = {
    # A new group takes what is there already.
    "auto.offset.reset": "earliest",
    # What is fetched ahead: enough for several batches, little enough for a small container.
    "queued.min.messages": 10_000,
    "queued.max.messages.kbytes": 16_384,
}
# A dead letter that nobody takes is reported, and tried again, instead of waiting five minutes.
PRODUCER_DEFAULTS = {"message.timeout.ms": 30_000}


class BadProperties(Exception):
    """The file of client properties cannot be used; the message says why."""


@dataclass(frozen=True)
class Connection:
    """Where Kafka is and how to talk to it."""

    servers: str
    """Brokers as host:port, separated by commas."""
    properties: dict[str, str]
    """librdkafka's properties, such as security and time-outs."""

    def consumer(self) -> dict[str, Any]:
        """The configuration of a consumer, but for its group."""
        return {**CONSUMER_DEFAULTS, **self._common(), **CONSUMER_PROMISES}

    def producer(self) -> dict[str, Any]:
        """The configuration of a producer."""
        return {**PRODUCER_DEFAULTS, **self._common(), **PRODUCER_PROMISES}

    def _common(self) -> dict[str, Any]:
        return {"client.id": CLIENT_ID, **self.properties, "bootstrap.servers": self.servers}


def read_properties(path: Path) -> dict[str, str]:
    """The ``name=value`` lines of a file; raises :class:`BadProperties`."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadProperties(f"{path} cannot be read: {error}") from None
    properties = {}
    for number, line in enumerate(lines, start=1):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not line.strip() or name.startswith("#"):
            continue
        if not equals:
            raise BadProperties(f"{path} line {number} is not of the form name=value.")
        if name in CONSUMER_PROMISES or name in PRODUCER_PROMISES or name == "group.id":
            raise BadProperties(f"{path} line {number}: the hub decides {name} itself.")
        properties[name] = value
    return properties
