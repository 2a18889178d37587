"""How far a voice has earned to be believed, from how often it was right. Pure.

The beta reputation system (Jøsang and Ismail, "The Beta Reputation System", 15th Bled Electronic
Commerce Conference, 2002): with ``r`` agreements and ``s`` contradictions remembered, trust is the
mean of Beta(w m + r, w (1 - m) + s), where ``m`` is what to expect of somebody unknown and ``w``
how many adjudications that expectation is worth. Both counts fade (their section 3.5, there by
a forgetting factor a step, here by a half-life in days):

    r(t) = sum over agreements i of 0.5 ** ((t - t_i) / half_life)

so what is remembered can be kept as one number and brought up to date by one multiplication.

What to expect comes from around and above: of a source what a project's other sources proved, of a
subject what its source did. Who honestly dissents a few times stays near what is expected of all.
"""

from dataclasses import dataclass

# What a project without any adjudication is taken for, and how many ones that is worth.
START_RATE = 0.75
START_WORTH = 20.0
SOURCE_WORTH = 20.0
SUBJECT_WORTH = 10.0
# No voice falls silent, and none speaks for two.
LEAST_WEIGHT, MOST_WEIGHT = 0.1, 1.5


@dataclass(frozen=True)
class Trust:
    """The posterior of how often someone agrees with adjudicated labels."""

    agreed: float
    """Agreements, faded to the present."""
    disagreed: float
    """Contradictions, faded likewise."""
    agreed_count: int
    """Agreements ever, as they were counted."""
    disagreed_count: int
    expected: float
    """What was expected beforehand, in (0, 1)."""
    worth: float
    """How many adjudications that expectation counts for."""
    usual: float
    """The project's overall rate, in (0, 1)."""

    @property
    def mean(self) -> float:
        """How likely the next adjudication finds them right, in (0, 1)."""
        return rate(self.agreed, self.disagreed, expected=self.expected, worth=self.worth)

    @property
    def weight(self) -> float:
        """How many voices theirs counts as, in [0.1, 1.5], in steps of 0.05; 1 when unknown."""
        return weight(self.mean, usual=self.usual)

    def interval(self, *, level: float = 0.95) -> tuple[float, float]:
        """The central credible interval of the rate."""
        # SciPy takes a moment to import, and only pages show intervals.
        from scipy.special import betaincinv

        a = self.worth * self.expected + self.agreed
        b = self.worth * (1 - self.expected) + self.disagreed
        tail = (1 - level) / 2
        return float(betaincinv(a, b, tail)), float(betaincinv(a, b, 1 - tail))


def faded(mass: float, *, days: float, half_life_days: float) -> float:
    """What is left of a remembered count after so many days.

    >>> faded(8.0, days=180, half_life_days=90)
    2.0
    """
    return float(mass * 0.5 ** (days / half_life_days))


def rate(agreed: float, disagreed: float, *, expected: float, worth: float) -> float:
    """The posterior mean, in (0, 1).

    >>> rate(0, 0, expected=0.75, worth=10)
    0.75
    >>> rate(0, 2, expected=0.75, worth=10)
    0.625
    >>> round(rate(0, 40, expected=0.75, worth=10), 2)
    0.15
    """
    return (worth * expected + agreed) / (worth + agreed + disagreed)


def weight(mean: float, *, usual: float) -> float:
    """How many voices one counts as whose rate is ``mean`` where ``usual`` is the rule.

    Relative, because what gets adjudicated is mostly what was disputed: there honest voices are
    wrong more often than elsewhere, and all alike.

    >>> weight(0.75, usual=0.75), weight(0.15, usual=0.75), weight(0.95, usual=0.75)
    (1.0, 0.2, 1.25)
    """
    share = min(max(mean / usual, LEAST_WEIGHT), MOST_WEIGHT)
    return round(round(share * 20) / 20, 2)
