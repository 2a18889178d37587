"""One share, the difference of two shares, and their odds ratio, each with an interval.

All intervals here are for one look. A page that is looked at again and again needs
:mod:`rollout.statistics.sequential`. Observations are taken as independent: count each subject
once where it matters.
"""

from math import exp, log, sqrt
from statistics import NormalDist

from rollout.statistics.estimates import CONFIDENCE, Estimate, Measured, Tally, not_enough


def share(
    tally: Tally, *, unit: str = "observations", minimum: int = 1, confidence: float = CONFIDENCE
) -> Measured:
    """The share of hits with Wilson's score interval; too few observations say so.

    Wilson (1927), as method 3 in Newcombe (1998), Statistics in Medicine 17:857-872, Table I:

    >>> estimate = share(Tally(81, 263))
    >>> round(estimate.value, 4), round(estimate.low, 4), round(estimate.high, 4)
    (0.308, 0.2553, 0.3662)
    """
    if tally.n < max(minimum, 1):
        return not_enough(needed=max(minimum, 1) - tally.n, unit=unit)
    low, high = _wilson(tally, confidence=confidence)
    return Estimate(tally.hits / tally.n, low, high, tally.n)


def difference(
    *,
    control: Tally,
    treatment: Tally,
    unit: str = "observations",
    minimum: int = 1,
    confidence: float = CONFIDENCE,
) -> Measured:
    """Share of treatment minus share of control, with Newcombe's hybrid score interval.

    Method 10 in Newcombe (1998), Statistics in Medicine 17:873-890, Table II, (a):

    >>> estimate = difference(control=Tally(48, 80), treatment=Tally(56, 70))
    >>> round(estimate.value, 4), round(estimate.low, 4), round(estimate.high, 4)
    (0.2, 0.0524, 0.3339)
    """
    if lacking := _lacking(control, treatment, minimum=minimum):
        return not_enough(needed=lacking, unit=unit)
    p, q = treatment.hits / treatment.n, control.hits / control.n
    p_low, p_high = _wilson(treatment, confidence=confidence)
    q_low, q_high = _wilson(control, confidence=confidence)
    below = sqrt((p - p_low) ** 2 + (q_high - q) ** 2)
    above = sqrt((p_high - p) ** 2 + (q - q_low) ** 2)
    return Estimate(p - q, p - q - below, p - q + above, control.n + treatment.n)


def odds_ratio(
    *,
    control: Tally,
    treatment: Tally,
    unit: str = "observations",
    minimum: int = 1,
    confidence: float = CONFIDENCE,
) -> Measured:
    """Odds of a hit in treatment over those in control, with Woolf's interval on the log scale.

    It survives reporting that depends on the outcome, if both arms report alike, which a
    difference of thumbs shares does not. An empty cell adds one half to all four (Haldane 1956,
    Anscombe 1956); without any hit, or any miss, in either arm nothing is known of the odds.
    Agresti, Categorical Data Analysis, 2nd ed., section 3.1.1, aspirin and heart attacks:

    >>> estimate = odds_ratio(control=Tally(104, 11037), treatment=Tally(189, 11034))
    >>> round(estimate.value, 2), round(estimate.low, 2), round(estimate.high, 2)
    (1.83, 1.44, 2.33)
    """
    if lacking := _lacking(control, treatment, minimum=minimum):
        return not_enough(needed=lacking, unit=unit)
    if control.hits + treatment.hits == 0 or control.misses + treatment.misses == 0:
        return not_enough(needed=None, unit=unit)
    cells = [treatment.hits, treatment.misses, control.hits, control.misses]
    a, b, c, d = (cell + 0.5 if 0 in cells else float(cell) for cell in cells)
    log_ratio = log(a * d / (b * c))
    reach = _z(confidence) * sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    return Estimate(
        exp(log_ratio), exp(log_ratio - reach), exp(log_ratio + reach), control.n + treatment.n
    )


def _lacking(control: Tally, treatment: Tally, *, minimum: int) -> int:
    """How many observations the two arms together lack to reach ``minimum`` each."""
    floor = max(minimum, 1)
    return max(0, floor - control.n) + max(0, floor - treatment.n)


def _wilson(tally: Tally, *, confidence: float) -> tuple[float, float]:
    z2 = _z(confidence) ** 2
    centre = 2 * tally.hits + z2
    reach = sqrt(z2 * (z2 + 4 * tally.hits * tally.misses / tally.n))
    scale = 2 * (tally.n + z2)
    # At 0 and n hits one end is exact; rounding must not push it past the edge.
    low = 0.0 if tally.hits == 0 else (centre - reach) / scale
    high = 1.0 if tally.misses == 0 else (centre + reach) / scale
    return low, high


def _z(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)
