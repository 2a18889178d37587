"""Statistics that stay valid however often one looks: the harm guardrail and the interval shown.

A fixed-n test that is looked at 300 times raises the alarm in a third of all harmless rollouts;
these two keep their promise at every look, and at the moment one stops looking.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import exp, log, sqrt

from rollout.statistics.estimates import Estimate, Measured, Tally, not_enough

ALPHA = 0.05
SHRINK = 0.18  # The prior of Turner, Ly and Grünwald (2024) that costs the least growth.
MINIMUM_PER_ARM = 20  # The confidence sequence is asymptotic: below this it promises too much.
LARGEST_LOG = 700.0  # exp() of more overflows.


@dataclass(frozen=True)
class Outcome:
    """One outcome of one subject, in order of arrival."""

    treated: bool
    """Whether the subject was in the treatment arm (else in control)."""
    harmed: bool
    """Whether it was the bad outcome: a thumb down, a wrong answer."""


@dataclass(frozen=True)
class EProcess:
    """Evidence that treatment does more harm than control, gathered one outcome at a time.

    A test martingale after Turner, Ly and Grünwald, "Generic E-variables for exact sequential
    k-sample tests that allow for optional stopping" (2024), with the arm random: each outcome x
    multiplies E by ``p̂_arm(x) / p̄(x)``, where p̂ is an arm's rate so far, shrunk by γ
    (``(harm + γ) / (n + 2γ)``), and p̄ the mean of the arms' p̂ weighted by their allocation. It
    bets only while treatment looks worse. If both arms are alike, whatever their rate and however
    it drifts, E is a martingale of mean 1, so that it ever reaches 1/α with probability ≤ α
    (Ville). Subjects who answer more often in one arm than planned matter little: then p̄ is still
    close to the common rate. Count each subject's *first* outcome only, and never reorder: a bet
    placed on the past is settled once. The fields are plain numbers: ``asdict`` stores it,
    ``EProcess(**stored)`` brings it back.

    Worked: after one harmless outcome in control, p̂ is 0.18/1.36 = 0.132 there and 0.5 in
    treatment, so p̄ = 0.316; harm in treatment then makes E = 0.5/0.316.

    >>> e = EProcess().after([Outcome(treated=False, harmed=False), Outcome(True, True)])
    >>> round(exp(e.log_e), 3)
    1.581
    """

    treatment_share: float = 0.5
    """Share of the compared subjects that go to treatment."""
    control_n: int = 0
    control_harmed: int = 0
    treatment_n: int = 0
    treatment_harmed: int = 0
    log_e: float = 0.0
    log_peak: float = 0.0
    """The highest ``log_e`` ever: Ville's bound covers it, so a crossing stays a crossing."""

    def after(self, outcomes: Iterable[Outcome]) -> "EProcess":
        """The process once ``outcomes``, later than all before, have been settled."""
        tallies = [[self.control_n, self.control_harmed], [self.treatment_n, self.treatment_harmed]]
        log_e, log_peak = self.log_e, self.log_peak
        for outcome in outcomes:
            rates = [(harmed + SHRINK) / (n + 2 * SHRINK) for n, harmed in tallies]
            if rates[1] > rates[0]:
                mean = (1 - self.treatment_share) * rates[0] + self.treatment_share * rates[1]
                rate = rates[outcome.treated]
                log_e += log(rate / mean) if outcome.harmed else log((1 - rate) / (1 - mean))
                log_peak = max(log_peak, log_e)
            tallies[outcome.treated][0] += 1
            tallies[outcome.treated][1] += outcome.harmed
        return replace(
            self,
            control_n=tallies[0][0],
            control_harmed=tallies[0][1],
            treatment_n=tallies[1][0],
            treatment_harmed=tallies[1][1],
            log_e=log_e,
            log_peak=log_peak,
        )


@dataclass(frozen=True)
class Guardrail:
    """One harm that is watched all the time, as it stands now."""

    name: str
    """What is watched, as read in a sentence: "thumbs-down rate"."""
    control: Tally
    """Harmed, of the outcomes seen in control."""
    treatment: Tally
    e_value: float
    """Evidence of harm now: 1 is none; 1/α or more is as rare as α among harmless candidates."""
    peak: float
    threshold: float
    """1/α of this guardrail."""

    @property
    def crossed(self) -> bool:
        """Whether the evidence of harm ever sufficed; valid at any sample size."""
        return self.peak >= self.threshold

    @property
    def sentence(self) -> str:
        """What the guardrail knows, in words."""
        if not self.treatment.n or not self.control.n:
            return f"The {self.name} is not known yet in both arms."
        rates = (
            f"{self.treatment.hits:,} of {self.treatment.n:,} in treatment against "
            f"{self.control.hits:,} of {self.control.n:,} in control"
        )
        verdict = "is worse" if self.crossed else "is not shown to be worse"
        return (
            f"The {self.name} {verdict}: {rates} (E = {self.peak:.3g}, limit {self.threshold:g})."
        )


def guardrail(*, name: str, process: EProcess, alpha: float) -> Guardrail:
    """The reading of a process at level ``alpha``: its share when several guardrails are watched.

    >>> guardrail(name="thumbs-down rate", process=EProcess(), alpha=0.05).crossed
    False
    """
    return Guardrail(
        name=name,
        control=Tally(process.control_harmed, process.control_n),
        treatment=Tally(process.treatment_harmed, process.treatment_n),
        e_value=exp(min(process.log_e, LARGEST_LOG)),
        peak=exp(min(process.log_peak, LARGEST_LOG)),
        threshold=1 / alpha,
    )


def reach(*, spread: float, n: int, decision_size: int, alpha: float = ALPHA) -> float:
    """Half the width of the two-sided asymptotic confidence sequence after ``n`` observations.

    Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and
    asymptotic confidence sequences" (2024), eq. 9, narrowest at ``decision_size`` observations
    by their choice of ρ. ``spread`` is the standard deviation of one observation: the standard
    error times √n. After 5,000 observations of spread 1 it is 1.5 times the fixed-n 0.0277:

    >>> round(reach(spread=1.0, n=5000, decision_size=5000), 4)
    0.0429
    """
    rho2 = (-2 * log(alpha) + log(-2 * log(alpha) + 1)) / decision_size
    width = 2 * (n * rho2 + 1) * log(sqrt(n * rho2 + 1) / alpha) / (n * n * rho2)
    return spread * sqrt(width)


def spread_of_difference(*, control: Tally, treatment: Tally) -> float:
    """The spread that :func:`reach` takes, for the difference of two shares, per observation.

    Agresti and Caffo (2000): one hit and one miss more in each arm, so that two arms without a
    miss are not taken to be known for certain.
    """
    variance = 0.0
    for tally in (control, treatment):
        p = (tally.hits + 1) / (tally.n + 2)
        variance += p * (1 - p) / (tally.n + 2)
    return sqrt(variance * (control.n + treatment.n))


def difference(
    *,
    control: Tally,
    treatment: Tally,
    decision_size: int,
    unit: str = "observations",
    alpha: float = ALPHA,
) -> Measured:
    """Share of treatment minus share of control, with an interval one may look at at any time.

    ``decision_size`` is the planned number of observations in both arms together.

    >>> estimate = difference(control=Tally(160, 200), treatment=Tally(180, 200), decision_size=400)
    >>> round(estimate.value, 3), round(estimate.low, 3), round(estimate.high, 3)
    (0.1, -0.008, 0.208)
    """
    lacking = sum(max(0, MINIMUM_PER_ARM - tally.n) for tally in (control, treatment))
    if lacking:
        return not_enough(needed=lacking, unit=unit)
    n = control.n + treatment.n
    value = treatment.hits / treatment.n - control.hits / control.n
    spread = spread_of_difference(control=control, treatment=treatment)
    half = reach(spread=spread, n=n, decision_size=decision_size, alpha=alpha)
    return Estimate(value, max(-1.0, value - half), min(1.0, value + half), n)
