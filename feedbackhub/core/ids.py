"""Time-ordered UUIDs (version 7, RFC 9562 section 5.7) made from a given clock."""

import os
import uuid
from datetime import UTC, datetime, timedelta
from operator import attrgetter

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def uuid7(now: datetime) -> uuid.UUID:
    """A UUIDv7 whose leading 48 bits are the milliseconds of ``now``; the rest is random."""
    random = int.from_bytes(os.urandom(10), "big")
    value = _milliseconds(now) << 80
    value |= 0x7 << 76 | (random >> 68 & 0xFFF) << 64  # version, rand_a
    value |= 0b10 << 62 | random & ((1 << 62) - 1)  # variant, rand_b
    return uuid.UUID(int=value)


def uuid7s(now: datetime, *, count: int) -> list[uuid.UUID]:
    """``count`` UUIDs of one moment, in ascending order: the order of the things they will name.

    Within a millisecond UUIDv7s are random among themselves, so they are sorted here.
    """
    return sorted((uuid7(now) for _ in range(count)), key=attrgetter("int"))


def uuid7_floor(at: datetime) -> uuid.UUID:
    """The smallest UUID of the millisecond ``at``: a partition bound, or the start of a range."""
    return uuid.UUID(int=_milliseconds(at) << 80)


def uuid7_time(value: uuid.UUID) -> datetime:
    """When a UUIDv7 was made, to the millisecond, aware UTC."""
    return _EPOCH + timedelta(milliseconds=value.int >> 80)


def _milliseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)
