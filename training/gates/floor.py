"""The absolute gate: macro-F1 and every class's recall stand above their floors, surely.

"Surely" is one-sided 95 % at each look: the lower bound must reach the floor to pass, the upper
bound must stay below it to fail; in between the labels do not tell. Recalls use the Wilson score
interval, macro-F1 the delta method, see :func:`training.metrics.macro_f1_standard_error`.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.gates.base import (
    Z_95,
    GateInput,
    GateOutcome,
    GatePolicy,
    GateStatus,
    answers_of,
    how_sure,
    labels_text,
)
from training.metrics import (
    BadAnswers,
    confusion_matrix,
    macro_f1,
    macro_f1_standard_error,
    recalls,
    wilson,
)

NAME = "floor"
# Both ends of a two-sided 90 % interval are one-sided 95 % bounds.
TWO_SIDED = 0.90


@dataclass(frozen=True)
class _Measured:
    """One measure against its floor."""

    what: str
    value: float
    low: float
    high: float
    floor: float
    needs: int | None

    @property
    def status(self) -> GateStatus:
        if self.low >= self.floor:
            return GateStatus.PASSED
        return GateStatus.FAILED if self.high < self.floor else GateStatus.INSUFFICIENT

    def __str__(self) -> str:
        return f"{self.what} is {self.value:.3f} ({self.low:.3f} to {self.high:.3f})"

    def as_json(self) -> dict[str, Any]:
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "floor": self.floor,
            "status": self.status.value,
        }


class FloorGate:
    """Refuses a model that is bad in itself, whatever the champion is."""

    name = NAME

    def __call__(self, given: GateInput) -> GateOutcome:
        """Passed, failed or insufficient, with every measure beside its floor."""
        try:
            truth, answers = answers_of(given, given.candidate)
        except BadAnswers as error:
            return GateOutcome(NAME, GateStatus.FAILED, f"The answers are unusable: {error}", {})
        counts = np.bincount(truth, minlength=len(given.classes))
        short = _too_few(counts, given)
        if short:
            return short
        confusion = confusion_matrix(truth, answers, len(given.classes), None)
        return _judge(_measures(confusion, given), len(truth), how_sure(given))


def _too_few(counts: NDArray[np.intp], given: GateInput) -> GateOutcome | None:
    policy, n = given.policy, int(counts.sum())
    supports = dict(zip(given.classes, counts.tolist(), strict=True))
    evidence = {"n": n, "support": supports, "min_test_labels": policy.min_test_labels}
    rarest = min(supports, key=lambda name: supports[name])
    needs = max(policy.min_test_labels - n, _labels_for_support(supports[rarest], n, policy))
    if needs <= 0:
        return None
    if n < policy.min_test_labels:
        why = f"{n} test labels are fewer than the {policy.min_test_labels} asked for."
    else:
        why = f"Only {supports[rarest]} test labels are `{rarest}`; {policy.min_class_support}"
        why += " are asked for."
    summary = why + labels_text(needs)
    return GateOutcome(NAME, GateStatus.INSUFFICIENT, summary, evidence, needs)


def _labels_for_support(support: int, n: int, policy: GatePolicy) -> int:
    """Further labels until the rarest class has its minimum, if it keeps its share."""
    lacking = policy.min_class_support - support
    if lacking <= 0:
        return 0
    share = max(support, 1) / max(n, 1)
    return math.ceil(lacking / min(share, 1.0))


def _measures(confusion: NDArray[np.float64], given: GateInput) -> list[_Measured]:
    n = float(confusion.sum())
    value, error = macro_f1(confusion), macro_f1_standard_error(confusion)
    assert value is not None  # every class has samples: _too_few has seen to it
    assert error is not None
    half, floor = Z_95 * error, given.policy.macro_f1_floor
    low, high = max(0.0, value - half), min(1.0, value + half)
    measures = [_Measured("Macro-F1", value, low, high, floor, _more(value, floor, half, n))]
    floor = given.policy.recall_floor
    for name, recall, support in zip(
        given.classes, recalls(confusion), confusion.sum(axis=1), strict=True
    ):
        interval = wilson((recall or 0.0) * support, support, confidence=TWO_SIDED)
        assert recall is not None
        assert interval is not None
        half = (interval.high - interval.low) / 2
        needs = _more(recall, floor, half, n)
        what = f"Recall of `{name}`"
        measures.append(_Measured(what, recall, interval.low, interval.high, floor, needs))
    return measures


def _more(value: float, floor: float, half: float, n: float) -> int | None:
    """Further labels until the interval leaves the floor, which it does as 1/√n; None at a tie."""
    gap = abs(value - floor)
    if gap < 1e-9:
        return None
    return max(1, math.ceil(n * ((half / gap) ** 2 - 1)))


def _judge(measures: list[_Measured], n: int, sure: dict[str, Any]) -> GateOutcome:
    found = {measure.what: measure.as_json() for measure in measures}
    evidence = {"n": n, "measures": found, **sure}
    failed = [measure for measure in measures if measure.status == GateStatus.FAILED]
    if failed:
        said = "; ".join(f"{measure}, below the floor of {measure.floor:g}" for measure in failed)
        return GateOutcome(NAME, GateStatus.FAILED, f"{said}; n = {n:,}.", evidence)
    unsure = [measure for measure in measures if measure.status == GateStatus.INSUFFICIENT]
    if unsure:
        said = "; ".join(f"{m}, too close to the floor of {m.floor:g}" for m in unsure)
        known = [measure.needs for measure in unsure if measure.needs is not None]
        needs = max(known, default=None)
        summary = f"{said}; n = {n:,}." + labels_text(needs)
        return GateOutcome(NAME, GateStatus.INSUFFICIENT, summary, evidence, needs)
    weakest = min(measures, key=lambda measure: measure.low - measure.floor)
    summary = f"All measures stand above their floors; {weakest} against {weakest.floor:g}"
    return GateOutcome(NAME, GateStatus.PASSED, f"{summary}; n = {n:,}.", evidence)
