"""Keyed hashes hide names; unit_interval spreads units evenly and independently by salt."""

import hashlib
import statistics

import pytest

from feedbackhub.core.subjects import DIGEST_BYTES, keyed_digest, keyed_hash, unit_interval


def test_hash_is_stable_and_depends_on_name_key_and_project() -> None:
    one = keyed_hash("ann@example.com", key="k" * 32, project_id=1)
    assert one == keyed_hash("ann@example.com", key="k" * 32, project_id=1)
    assert len(one) == DIGEST_BYTES
    assert b"ann" not in one
    others = {
        keyed_hash("bob@example.com", key="k" * 32, project_id=1),
        keyed_hash("ann@example.com", key="q" * 32, project_id=1),
        keyed_hash("ann@example.com", key="k" * 32, project_id=2),
    }
    assert one not in others
    assert len(others) == 3


@pytest.mark.parametrize("length", [1, 32, 63, 64, 65, 200])
def test_digest_is_keyed_blake2b_for_keys_of_every_length(length: int) -> None:
    key = "ä"[: length % 2] + "k" * length
    raw = key.encode() if len(key.encode()) <= 64 else hashlib.blake2b(key.encode()).digest()
    for message in (b"", b"ann", b"x" * 1000):
        known = hashlib.blake2b(message, key=raw, digest_size=32).digest()
        assert keyed_digest(message, key=key) == known
        assert keyed_digest(message, key=key) == known
    name = hashlib.blake2b(b"7:ann", key=raw, digest_size=16).digest()
    assert keyed_hash("ann", key=key, project_id=7) == name


def test_units_are_uniform_and_two_salts_are_independent() -> None:
    units = [str(i) for i in range(20_000)]
    first = [unit_interval("first", unit) for unit in units]
    second = [unit_interval("second", unit) for unit in units]
    assert min(first) >= 0
    assert max(first) < 1
    assert abs(statistics.fmean(first) - 0.5) < 0.01
    # The standard error of a correlation of independent values is 1/sqrt(n), here 0.007.
    assert abs(statistics.correlation(first, second)) < 0.03
