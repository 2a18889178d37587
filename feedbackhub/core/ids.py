"""Time-ordered UUIDs (version 7, RFC 9562 section 5.7) made from a given clock."""

import os
import uuid
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def uuid7(now: datetime) -> uuid.UUID:
    """A UUIDv7 whose leading 48 bits are the milliseconds of ``now``; the rest is random."""
    return uuid7s(now, count=1)[0]


def uuid7s(now: datetime, *, count: int) -> list[uuid.UUID]:
    """``count`` UUIDs of one moment, in ascending order: the order of the things they will name.

    Within a millisecond UUIDv7s are random among themselves, so they are sorted here.
    """
    fixed = _milliseconds(now) << 80 | 0x7 << 76 | 0b10 << 62
    random = os.urandom(10 * count)
    values = sorted(
        fixed | _spread(int.from_bytes(random[at : at + 10], "big"))
        for at in range(0, 10 * count, 10)
    )
    return [uuid.UUID(int=value) for value in values]


def _spread(random: int) -> int:
    """Random bits in their places: 12 between version and variant (rand_a), 62 after (rand_b)."""
    return (random >> 68 & 0xFFF) << 64 | random & (1 << 62) - 1


def uuid7_floor(at: datetime) -> uuid.UUID:
    """The smallest UUID of the millisecond ``at``: a partition bound, or the start of a range."""
    return uuid.UUID(int=_milliseconds(at) << 80)


def uuid7_time(value: uuid.UUID) -> datetime:
    """When a UUIDv7 was made, to the millisecond, aware UTC."""
    return _EPOCH + timedelta(milliseconds=value.int >> 80)


def _milliseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)
