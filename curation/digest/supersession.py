"""One voice per subject and prediction: which of several events speaks. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

EventId = str
"""A UUIDv7 in its canonical text, which sorts as the UUID does and costs no parsing."""
VoiceKey = tuple[EventId, bytes]
"""Prediction and subject."""


@dataclass
class Supersession:
    """Which events of a batch are superseded at once, and which standing ones by the batch."""

    by: dict[EventId, EventId] = field(default_factory=dict)
    """Events of the batch → the later event that speaks instead."""
    gave_way: dict[EventId, EventId] = field(default_factory=dict)
    """Events that spoke before → the later event of the batch."""


def supersede(
    *, events: Iterable[tuple[EventId, VoiceKey | None]], standing: Mapping[VoiceKey, EventId]
) -> Supersession:
    """Let the latest event of each voice speak, by the order of receipt that UUIDv7 ids carry.

    An event digested after a later one is superseded straight away. Events without a key (no
    subject, or no prediction) supersede nothing.
    """
    result = Supersession()
    speaking = dict(standing)
    before = set(standing.values())
    for event, key in sorted(events, key=lambda pair: pair[0]):
        if key is None:
            continue
        held = speaking.get(key)
        if held is not None and held > event:
            result.by[event] = held
            continue
        if held in before:
            result.gave_way[held] = event
        elif held is not None:
            result.by[held] = event
        speaking[key] = event
    # An event that gave way to one that itself gave way points to the one that speaks.
    for chain in (result.by, result.gave_way):
        for event in chain:
            while chain[event] in result.by:
                chain[event] = result.by[chain[event]]
    return result
