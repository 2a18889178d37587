"""Who gets which arm: a pure function of a salt and the unit, so that every process agrees.

One hash, and ranges with fixed starts: control owns ``[0, coverage · w_c)`` and treatment
``[w_c, w_c + coverage · w_t)``. Raising the coverage only lengthens the ranges, so a ramp brings
units in and moves nobody. Units between the ranges are outside: the champion answers them and
they are not compared, so that treatment is always set against a control of its own time and
kind, never against the rest of the traffic. A second choice for the same unit takes another
salt; re-using the hash would tie the two choices together.
"""

import uuid
from dataclasses import dataclass

from feedbackhub.core.subjects import unit_interval

CONTROL = "control"
TREATMENT = "treatment"
OUTSIDE = ""
LOOP = "loop"
DAY0 = "day0"
BUCKETS = 10_000


@dataclass(frozen=True)
class Assignment:
    """Where a unit belongs."""

    arm: str
    """``control``, ``treatment``, or empty: outside the comparison, answered by the champion."""
    bucket: int
    """The unit's place on the line, 0 to 9,999; logged to find out what went wrong."""


def unit_of(*, subject_hash: bytes | None, prediction_id: uuid.UUID) -> bytes:
    """What is assigned: the subject, or without one the prediction (a stratum of its own)."""
    return prediction_id.bytes if subject_hash is None else subject_hash


def coverage_and_weight(treatment_share: float) -> tuple[float, float]:
    """The coverage and treatment weight that give treatment ``treatment_share`` of all units.

    Up to one half, control is as large as treatment and the rest stays outside; beyond, treatment
    eats into control from the top, so that a ramp never takes a unit out of treatment.

    >>> coverage_and_weight(0.1), coverage_and_weight(0.5), coverage_and_weight(0.8)
    ((0.2, 0.5), (1.0, 0.5), (1.0, 0.8))
    """
    if treatment_share <= 0.5:
        return 2 * treatment_share, 0.5
    return 1.0, treatment_share


def assign(*, salt: str, unit: bytes, coverage: float, treatment_weight: float) -> Assignment:
    """The arm of ``unit`` in the rollout that owns ``salt``; the same at every call.

    ``coverage`` is the share of units compared, ``treatment_weight`` treatment's share of those.

    >>> assign(salt="rollout-1", unit=b"anna", coverage=1.0, treatment_weight=0.5)
    Assignment(arm='treatment', bucket=8455)
    """
    place = unit_interval(salt, unit)
    start = 1 - treatment_weight
    if place < coverage * start:
        arm = CONTROL
    elif start <= place < start + coverage * treatment_weight:
        arm = TREATMENT
    else:
        arm = OUTSIDE
    return Assignment(arm=arm, bucket=int(place * BUCKETS))


def programme_group(*, salt: str, unit: bytes, holdback_share: float) -> str:
    """``day0`` for a unit kept on the day-0 version, to show what the loop pays; else ``loop``."""
    return DAY0 if _chosen("programme", salt, unit, holdback_share) else LOOP


def in_audit(*, salt: str, prediction_id: uuid.UUID, share: float) -> bool:
    """Whether a prediction belongs to the uniform random share that annotators label blind."""
    return _chosen("audit", salt, prediction_id.bytes, share)


def _chosen(purpose: str, salt: str, unit: bytes, share: float) -> bool:
    """One independent choice: the purpose is part of the salt, so that callers may share theirs."""
    return unit_interval(f"{purpose}:{salt}", unit) < share
