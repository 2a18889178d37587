"""Time-ordered UUIDs (version 7, RFC 9562 section 5.7) made from a given clock."""

import os
import uuid
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The nibble that holds the variant, from a random one: 10 and two bits of it.
_VARIANT = {f"{nibble:x}": f"{nibble & 3 | 8:x}" for nibble in range(16)}


def uuid7(now: datetime) -> uuid.UUID:
    """A UUIDv7 whose leading 48 bits are the milliseconds of ``now``; the rest is random."""
    return uuid7s(now, count=1)[0]


def uuid7s(now: datetime, *, count: int) -> list[uuid.UUID]:
    """``count`` UUIDs of one moment, in ascending order: the order of the things they will name."""
    return [uuid.UUID(hex=digits) for digits in uuid7_hexes(now, count=count)]


def uuid7_hexes(now: datetime, *, count: int) -> list[str]:
    """The same as 32 hexadecimal digits each: what Postgres reads, at a third of the cost.

    Within a millisecond UUIDv7s are random among themselves, so they are sorted here.
    """
    # Milliseconds and version; then 12 random bits, the variant with 2 of its nibble, 60 more.
    head = f"{_milliseconds(now):012x}7"
    random = os.urandom(10 * count).hex()
    return sorted(
        f"{head}{random[at : at + 3]}{_VARIANT[random[at + 3]]}{random[at + 4 : at + 19]}"
        for at in range(0, 20 * count, 20)
    )


def uuid7_floor(at: datetime) -> uuid.UUID:
    """The smallest UUID of the millisecond ``at``: a partition bound, or the start of a range."""
    return uuid.UUID(int=_milliseconds(at) << 80)


def uuid7_time(value: uuid.UUID) -> datetime:
    """When a UUIDv7 was made, to the millisecond, aware UTC."""
    return _EPOCH + timedelta(milliseconds=value.int >> 80)


def _milliseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)
