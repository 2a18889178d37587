"""Keyed hashes: the only form in which an end user's or a session's name is stored."""

import hashlib
import hmac
import os

DIGEST_BYTES = 16
# What stands where an erased subject's hash stood begins so; a trigger lets nothing else be written.
TOMBSTONE_PREFIX = b"erased:"


def keyed_hash(name: str, *, key: str, project_id: int) -> bytes:
    """HMAC-SHA256 of a name, 16 bytes, of no use in another project or without the key."""
    message = f"{project_id}:{name}".encode()
    return hmac.digest(key.encode(), message, hashlib.sha256)[:DIGEST_BYTES]


def tombstone() -> bytes:
    """A random stand-in for a subject's hash: tells its rows from others' and leads to nobody."""
    return TOMBSTONE_PREFIX + os.urandom(DIGEST_BYTES - len(TOMBSTONE_PREFIX))


def unit_interval(salt: str, unit: bytes | str) -> float:
    """A uniform number in [0, 1) fixed by ``salt`` and ``unit``: the first 8 bytes of SHA-256.

    A second, independent choice for the same unit needs another salt.
    """
    unit_bytes = unit.encode() if isinstance(unit, str) else unit
    digest = hashlib.sha256(salt.encode() + b":" + unit_bytes).digest()
    # 53 bits, so that the division is exact and 1.0 cannot come out.
    return (int.from_bytes(digest[:8], "big") >> 11) / (1 << 53)
