"""The relative gate: the candidate is not worse than the champion by more than δ, surely.

Both answered the same labels, so only the discordant ones tell: b where the candidate alone is
right, c where the champion alone is. d = (b - c)/n, SE = √(b + c - (b - c)²/n)/n; passed when the
one-sided 95 % lower bound of d lies above -δ, failed when the upper bound lies below it. That is
the level of one look; it is not corrected for the looks before.

With few discordant labels that interval is too narrow, and without any it has no width at all,
which would bless whatever agreed with the champion on a handful of samples. So the wider of it and
Tango's score interval decides (Tango 1998, "Equivalence test and confidence interval for the
difference in proportions for the paired-sample design", Statistics in Medicine 17, 891-908).
With many discordant labels the two agree. Without any, δ = 0.01 asks for 268 labels.
"""

import math
from dataclasses import dataclass
from typing import Any

from training.gates.base import (
    Z_95,
    Z_POWER,
    GateInput,
    GateOutcome,
    GateStatus,
    answers_of,
    how_sure,
    labels_text,
)
from training.metrics import BadAnswers

NAME = "non_inferior"


@dataclass(frozen=True)
class PairedDifference:
    """Candidate minus champion accuracy on the same ``n`` samples, with one-sided 95 % bounds."""

    n: int
    b: int
    """Only the candidate is right."""
    c: int
    """Only the champion is right."""
    difference: float
    low: float
    high: float
    p_mcnemar: float
    """Exact two-sided McNemar p of "both are equally often right"; for the record."""


class NonInferiorGate:
    """Refuses a candidate that may be worse than what serves now."""

    name = NAME

    def __call__(self, given: GateInput) -> GateOutcome:
        """Passed, failed or insufficient, which is also the answer without a champion."""
        if given.champion is None:
            summary = "Does not apply: there is no champion to compare with."
            return GateOutcome(NAME, GateStatus.INSUFFICIENT, summary, {"applies": False})
        try:
            truth, candidate = answers_of(given, given.candidate)
            _, champion = answers_of(given, given.champion)
        except BadAnswers as error:
            summary = f"The models cannot be compared: {error}"
            return GateOutcome(NAME, GateStatus.INSUFFICIENT, summary, {"applies": True})
        right, champion_right = candidate == truth, champion == truth
        b, c = int((right & ~champion_right).sum()), int((~right & champion_right).sum())
        return _judge(b, c, len(truth), given)


def paired_difference(b: int, c: int, n: int) -> PairedDifference:
    """The difference d = (b - c)/n with the wider of Wald's and Tango's bounds; n must be positive.

    b = 30, c = 20, n = 1,000 → 0.010 (-0.0017 to 0.0221), McNemar p = 0.20.
    """
    # A second of import that only a judgement needs.
    from scipy.stats import binomtest

    difference = (b - c) / n
    error = math.sqrt(b + c - (b - c) ** 2 / n) / n
    low = min(difference - Z_95 * error, _score_bound(b, c, n, upper=False))
    high = max(difference + Z_95 * error, _score_bound(b, c, n, upper=True))
    p_mcnemar = float(binomtest(b, b + c, 0.5).pvalue) if b + c else 1.0
    return PairedDifference(n, b, c, difference, max(-1.0, low), min(1.0, high), p_mcnemar)


def labels_needed(b: int, c: int, n: int, delta: float) -> int | None:
    """About how many further labels decide, at 80 % power; None when they hardly would pass it.

    Supposes that the models are equally good: n = (1.645 + 0.842)²·ψ/δ² with ψ the share of
    discordant labels (never below 3/n, what none of n still allows). When more than that many
    were already seen, supposes the measured difference instead.
    """
    psi = max(b + c, 3) / n
    factor = (Z_95 + Z_POWER) ** 2 * psi
    margin = (b - c) / n + delta
    if delta > 0 and factor / delta**2 > n:
        return math.ceil(factor / delta**2) - n
    return math.ceil(factor / margin**2) - n if margin > 0 else None


def _points(share: float) -> str:
    """A share as signed points, with a minus sign rather than a hyphen: ``+1.3``, ``−5.0``."""
    return f"{100 * share:+.1f}".replace("-", "−")


def _judge(b: int, c: int, n: int, given: GateInput) -> GateOutcome:
    policy = given.policy
    if n < max(1, policy.min_test_labels):
        needs = max(1, policy.min_test_labels) - n
        summary = f"{n} test labels are fewer than the {policy.min_test_labels} asked for."
        evidence = {"applies": True, "n": n, "b": b, "c": c, "delta": policy.delta}
        summary += labels_text(needs)
        return GateOutcome(NAME, GateStatus.INSUFFICIENT, summary, evidence, needs)
    measured = paired_difference(b, c, n)
    said = (
        f"Accuracy changes by {_points(measured.difference)} points "
        f"({_points(measured.low)} to {_points(measured.high)}) against the champion; "
        f"the margin is {_points(-policy.delta)}, n = {n:,}"
    )
    evidence = _evidence(measured, policy.delta) | how_sure(given)
    if measured.low > -policy.delta:
        return GateOutcome(NAME, GateStatus.PASSED, f"Not worse. {said}.", evidence)
    if measured.high < -policy.delta:
        return GateOutcome(NAME, GateStatus.FAILED, f"Worse. {said}.", evidence)
    needs_more = labels_needed(b, c, n, policy.delta)
    summary = f"Undecided. {said}." + labels_text(needs_more)
    return GateOutcome(NAME, GateStatus.INSUFFICIENT, summary, evidence, needs_more)


def _evidence(measured: PairedDifference, delta: float) -> dict[str, Any]:
    return {
        "applies": True,
        "n": measured.n,
        "b": measured.b,
        "c": measured.c,
        "difference": measured.difference,
        "low": measured.low,
        "high": measured.high,
        "delta": delta,
        "p_mcnemar": measured.p_mcnemar,
    }


def _score_bound(b: int, c: int, n: int, *, upper: bool) -> float:
    """Tango's one-sided 95 % bound of d: where the score statistic crosses ±1.645, by bisection."""
    inside, outside = (b - c) / n, 1.0 if upper else -1.0
    for _ in range(60):
        middle = (inside + outside) / 2
        if abs(_score_statistic(b, c, n, middle)) < Z_95:
            inside = middle
        else:
            outside = middle
    return outside


def _score_statistic(b: int, c: int, n: int, difference: float) -> float:
    """Tango (1998), equations 5 to 8: how far the counts lie from d = ``difference``, in SEs."""
    linear = -b - c + (2 * n - b + c) * difference
    constant = -c * difference * (1 - difference)
    q = (math.sqrt(max(linear**2 - 8 * n * constant, 0.0)) - linear) / (4 * n)
    variance = n * (2 * q + difference * (1 - difference))
    distance = b - c - n * difference
    if variance <= 0:
        return 0.0 if distance == 0 else math.copysign(math.inf, distance)
    return distance / math.sqrt(variance)
