"""How many labels a comparison takes, and how long they take to come."""

from datetime import timedelta
from math import asin, ceil, sqrt
from statistics import NormalDist

from rollout.statistics.estimates import Tally
from rollout.statistics.sequential import ALPHA, reach, spread_of_difference

MOST_LABELS = 1_000_000  # Beyond it "so many labels" is no plan.


def per_arm(
    *, control: float, treatment: float, power: float = 0.8, alpha: float = ALPHA
) -> int | None:
    """Observations in each arm that show a change of shares; None when there is no change to show.

    Two-sided z-test on Cohen's arcsine effect size h (Statistical Power Analysis, 2nd ed.,
    section 6.4): ``n = 2 ((z_{1-α/2} + z_power) / h)²``. Worked: 80 % to 82 % accuracy has
    h = 0.051, hence 2 × ((1.960 + 0.842) / 0.051)².

    >>> per_arm(control=0.80, treatment=0.82)
    6036
    """
    effect = abs(2 * asin(sqrt(treatment)) - 2 * asin(sqrt(control)))
    if effect == 0:
        return None
    z = NormalDist().inv_cdf
    return ceil(2 * ((z(1 - alpha / 2) + z(power)) / effect) ** 2)


def labels_to_decide(
    *, control: Tally, treatment: Tally, margin: float, decision_size: int, alpha: float = ALPHA
) -> int | None:
    """More labels, in both arms together, until the difference is known from ``-margin``.

    It assumes that the difference and the split seen so far hold, and inverts the confidence
    sequence of :func:`rollout.statistics.sequential.difference`; 0 when it is known already, None
    when that would take more than a million labels. Both arms must have labels.

    >>> labels_to_decide(
    ...     control=Tally(160, 200), treatment=Tally(180, 200), margin=0.0, decision_size=400
    ... )
    66
    """
    n = control.n + treatment.n
    away = abs(treatment.hits / treatment.n - control.hits / control.n + margin)
    spread = spread_of_difference(control=control, treatment=treatment)

    def decided(size: int) -> bool:
        return reach(spread=spread, n=size, decision_size=decision_size, alpha=alpha) < away

    if decided(n):
        return 0
    if not decided(n + MOST_LABELS):
        return None
    undecided, enough = n, n + MOST_LABELS
    while enough - undecided > 1:
        middle = (undecided + enough) // 2
        undecided, enough = (undecided, middle) if decided(middle) else (middle, enough)
    return enough - n


def time_left(*, labels: int, per_hour: float) -> timedelta | None:
    """How long ``labels`` more take at the present rate; None while none come in.

    >>> time_left(labels=412, per_hour=46)
    datetime.timedelta(seconds=32243, microseconds=478261)
    """
    return timedelta(hours=labels / per_hour) if per_hour > 0 else None
