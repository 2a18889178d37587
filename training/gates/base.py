"""What a gate reads, what it says, and how several of them become one verdict.

A gate answers passed, failed, or insufficient evidence. Only *passed* opens it: a gate that is
missing, could not measure, or has too few labels never lets a candidate through.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from training.metrics import BadAnswers, checked_probabilities, class_indices

# One-sided 95 % and, for planning, 80 % power. The level is that of one look: a version that is
# judged again has another chance to pass by luck, so pages and evidence tell how often it was.
Z_95 = 1.6448536269514722
Z_POWER = 0.8416212335729143
EACH_LOOK = "one-sided 95 % at each look"


class GateStatus(StrEnum):
    """Three answers; only the first opens a gate."""

    PASSED = "passed"
    FAILED = "failed"
    INSUFFICIENT = "insufficient"


class VerdictStatus(StrEnum):
    """What all gates together say of a candidate."""

    BLESSED = "blessed"
    REJECTED = "rejected"
    INSUFFICIENT = "insufficient"


@dataclass(frozen=True)
class GatePolicy:
    """The thresholds in force."""

    delta: float = 0.01
    """Non-inferiority margin: how much accuracy a candidate may lose, 0 to 1."""
    min_test_labels: int = 250
    """Fewer test labels decide nothing."""
    min_class_support: int = 20
    """Fewer test labels of any one class decide nothing."""
    macro_f1_floor: float = 0.6
    recall_floor: float = 0.5
    """For every class."""
    latency_ratio: float = 1.2
    """A candidate's 95th percentile over the champion's, at most."""
    probe_timeout_s: float = 300.0

    def __post_init__(self) -> None:
        shares = (self.delta, self.macro_f1_floor, self.recall_floor)
        if not all(0 <= share <= 1 for share in shares):
            raise ValueError("The margin and the floors lie between 0 and 1.")
        if not (math.isfinite(self.latency_ratio) and self.latency_ratio > 0):
            raise ValueError("The latency ratio is a positive number.")


@dataclass(frozen=True)
class Claim:
    """A model file and what the registry says of it."""

    path: Path
    sha256: str
    fingerprint: str


@dataclass(frozen=True)
class GateInput:
    """All that gates may look at. Both models answered the same held-out samples."""

    labels: Sequence[str]
    """True labels, (n_samples,)."""
    classes: Sequence[str]
    """The columns of the probabilities."""
    candidate: NDArray[np.float64]
    """The candidate's probabilities, (n_samples, n_classes)."""
    champion: NDArray[np.float64] | None
    """The champion's, in the same columns; None when there is no champion."""
    policy: GatePolicy = field(default_factory=GatePolicy)
    candidate_artifact: Claim | None = None
    champion_artifact: Claim | None = None
    probe_texts: Sequence[str] = ()
    """Queries for the artifact gate; at least ten."""
    look: int = 1
    """How often the candidate has been judged, this time included."""
    probe_answers: NDArray[np.float64] | None = None
    """What the candidate answered to them in the process that trained it, in its own columns."""


@dataclass(frozen=True)
class GateOutcome:
    """What one gate said."""

    name: str
    status: GateStatus
    summary: str
    """A sentence for people."""
    evidence: dict[str, Any]
    """The numbers behind it; plain JSON."""
    needs: int | None = None
    """About how many more test labels would decide; None when labels are not what is missing."""


class Gate(Protocol):
    """One check of a candidate."""

    name: str

    def __call__(self, given: GateInput) -> GateOutcome:
        """The gate's answer; expected trouble is an answer, not an exception."""
        ...


@dataclass(frozen=True)
class Verdict:
    """What all gates together say."""

    status: VerdictStatus
    reason: str
    needs: int | None = None
    """About how many more test labels would decide."""


def verdict(outcomes: Sequence[GateOutcome], required: Collection[str]) -> Verdict:
    """Blessed only if every required gate passed; rejected if one failed; else insufficient.

    Fails closed: no required gates, a missing or doubled outcome, a status that is none of the
    three or a number that is not finite never bless.
    """
    if not required:
        return Verdict(VerdictStatus.INSUFFICIENT, "No gate is required, so nothing was shown.")
    by_name = {outcome.name: outcome for outcome in outcomes}
    if len(by_name) != len(outcomes):
        return Verdict(VerdictStatus.INSUFFICIENT, "A gate answered twice.")
    asked = [by_name[name] for name in sorted(required) if name in by_name]
    failed = [outcome for outcome in asked if outcome.status == GateStatus.FAILED]
    if failed:
        return Verdict(VerdictStatus.REJECTED, " ".join(outcome.summary for outcome in failed))
    missing = sorted(set(required) - by_name.keys())
    if missing:
        return Verdict(VerdictStatus.INSUFFICIENT, f"Not measured: {', '.join(missing)}.")
    unsure = [outcome for outcome in asked if outcome.status != GateStatus.PASSED]
    if unsure:
        needs = [outcome.needs for outcome in unsure if outcome.needs is not None]
        # Two gates that lack the same labels say so in the same words; once is enough.
        reason = " ".join(dict.fromkeys(outcome.summary for outcome in unsure))
        return Verdict(VerdictStatus.INSUFFICIENT, reason, max(needs, default=None))
    for outcome in asked:
        if not _is_finite(outcome.evidence):
            reason = f"The {outcome.name} gate passed on a number that is not finite."
            return Verdict(VerdictStatus.INSUFFICIENT, reason)
    return Verdict(VerdictStatus.BLESSED, f"Passed {', '.join(o.name for o in asked)}.")


def answers_of(
    given: GateInput, probabilities: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """True classes and answered classes as column numbers, each (n_samples,).

    Raises :class:`training.metrics.BadAnswers`.
    """
    if not given.classes:
        raise BadAnswers("No classes were given.")
    checked = checked_probabilities(
        probabilities, n_samples=len(given.labels), n_classes=len(given.classes)
    )
    return class_indices(given.labels, given.classes), checked.argmax(axis=1)


def labels_text(n: int | None) -> str:
    """How pages say how much is missing: `` about 40 more test labels decide.``"""
    return "" if n is None else f" About {n:,} more test labels would decide."


def how_sure(given: GateInput) -> dict[str, Any]:
    """What the bounds of a gate mean, as part of its evidence."""
    return {"confidence": EACH_LOOK, "look": given.look}


def _is_finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_finite(item) for item in value.values())
    if isinstance(value, list | tuple):
        return all(_is_finite(item) for item in value)
    return not isinstance(value, float) or math.isfinite(value)
