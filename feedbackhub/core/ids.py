"""Time-ordered UUIDs (version 7, RFC 9562 section 5.7) made from a given clock."""

import os
import uuid
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def uuid7(now: datetime) -> uuid.UUID:
    """A UUIDv7 whose leading 48 bits are the milliseconds of ``now``; the rest is random."""
    random = int.from_bytes(os.urandom(10), "big")
    value = _milliseconds(now) << 80
    value |= 0x7 << 76 | (random >> 68 & 0xFFF) << 64  # version, rand_a
    value |= 0b10 << 62 | random & ((1 << 62) - 1)  # variant, rand_b
    return uuid.UUID(int=value)


def uuid7_floor(at: datetime) -> uuid.UUID:
    """The smallest UUID of the millisecond ``at``: a partition bound, or the start of a range."""
    return uuid.UUID(int=_milliseconds(at) << 80)


def uuid7_time(value: uuid.UUID) -> datetime:
    """When a UUIDv7 was made, to the millisecond, aware UTC."""
    return _EPOCH + timedelta(milliseconds=value.int >> 80)


def _milliseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)
