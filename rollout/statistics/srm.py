"""Sample ratio mismatch: whether the arms hold the shares of subjects they were meant to.

A mismatch means that assignment, serving or counting is broken, so that no comparison of the
arms can be trusted. It holds a rollout; it does not roll it back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, lgamma, log

from scipy.special import chdtrc

from rollout.statistics.estimates import NotEnough

CONCENTRATION = 1000.0
"""α₀ of the Dirichlet prior: how close to the plan a real mismatch is expected to be."""
LOG_THRESHOLD = log(1000)
LEAST_EXPECTED = 5.0  # Cochran's rule: below it the χ² distribution does not fit.


@dataclass(frozen=True)
class SampleRatio:
    """How the arms' sizes compare with the plan."""

    observed: tuple[int, ...]
    weights: tuple[float, ...]
    log_bayes_factor: float
    """Evidence of a mismatch; a martingale under the plan, so it may be looked at at any time."""
    p_value: float | NotEnough
    """Pearson's χ² p of one look: for display, never acted on."""

    @property
    def mismatched(self) -> bool:
        """Whether the shares are not those planned; wrong once in a thousand rollouts at most."""
        return self.log_bayes_factor > LOG_THRESHOLD

    @property
    def sentence(self) -> str:
        """The finding in words."""
        total = sum(self.observed)
        if not total:
            return "No subject has been assigned yet."
        found = " / ".join(f"{count / total:.1%}" for count in self.observed)
        planned = " / ".join(f"{weight:.1%}" for weight in self.weights)
        if self.mismatched:
            return (
                f"Subjects are split {found} where {planned} was planned: do not trust this test."
            )
        return f"Subjects are split {found} as planned ({planned})."


def sample_ratio(*, observed: Sequence[int], weights: Sequence[float]) -> SampleRatio:
    """The sequential Dirichlet-multinomial test of ``observed`` against planned ``weights``.

    Lindon and Malek, "Anytime-valid inference for multinomial count data" (2022), eq. 6:
    ``ln BF = ln B(α₀w + o) − ln B(α₀w) − Σ o·ln w``. Subjects in an arm of weight 0 are certain
    proof; such an arm without subjects is left out, degrees of freedom too. Restart when the
    weights change. Worked: 5,200/4,800, whose χ² p of 6e-5 ignores the looks before, falls just
    short of ln 1000 = 6.91.

    >>> round(sample_ratio(observed=[5200, 4800], weights=[0.5, 0.5]).log_bayes_factor, 2)
    6.08
    """
    if len(observed) != len(weights) or min(observed) < 0 or min(weights) < 0:
        raise ValueError("One count and one weight for each arm, none of them negative.")
    total = sum(weights)
    shares = tuple(weight / total for weight in weights)
    arms = [(count, share) for count, share in zip(observed, shares, strict=True) if share]
    strays = sum(observed) - sum(count for count, _ in arms)
    return SampleRatio(
        observed=tuple(observed),
        weights=shares,
        log_bayes_factor=inf if strays else _log_bayes_factor(arms),
        p_value=0.0 if strays else _p_value(arms),
    )


def _log_bayes_factor(arms: list[tuple[int, float]]) -> float:
    n = sum(count for count, _ in arms)
    value = lgamma(CONCENTRATION) - lgamma(CONCENTRATION + n)
    for count, share in arms:
        prior = CONCENTRATION * share
        value += lgamma(prior + count) - lgamma(prior) - count * log(share)
    return value


def _p_value(arms: list[tuple[int, float]]) -> float | NotEnough:
    n = sum(count for count, _ in arms)
    least = min(share for _, share in arms)
    if n * least < LEAST_EXPECTED:
        lacking = int(LEAST_EXPECTED / least) + 1 - n
        return NotEnough(lacking, f"Not enough data, about {lacking:,} more subjects.")
    statistic = sum((count - n * share) ** 2 / (n * share) for count, share in arms)
    return float(chdtrc(len(arms) - 1, statistic))
