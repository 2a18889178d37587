"""The difference of two shares with its interval. Pure."""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    hits: int
    n: int

    @property
    def value(self) -> float | None:
        """In [0, 1]; None of nothing."""
        return self.hits / self.n if self.n else None


@dataclass(frozen=True)
class Difference:
    """One share less another, with its interval; each in [-1, 1]."""

    value: float
    low: float
    high: float


def wilson(share: Share, *, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
    """Wilson's score interval of a share; None of nothing.

    Wilson (1927), as method 3 in Newcombe (1998), Statistics in Medicine 17:857-872, Table I:

    >>> low, high = wilson(Share(81, 263)) or (0, 0)
    >>> round(low, 4), round(high, 4)
    (0.2553, 0.3662)
    """
    if not share.n:
        return None
    z2 = NormalDist().inv_cdf((1 + confidence) / 2) ** 2
    misses = share.n - share.hits
    centre = 2 * share.hits + z2
    reach = sqrt(z2 * (z2 + 4 * share.hits * misses / share.n))
    scale = 2 * (share.n + z2)
    # At 0 and n hits one end is exact; rounding must not push it past the edge.
    low = 0.0 if share.hits == 0 else (centre - reach) / scale
    high = 1.0 if misses == 0 else (centre + reach) / scale
    return low, high


def difference(one: Share, other: Share, *, confidence: float = CONFIDENCE) -> Difference | None:
    """``one`` less ``other`` with Newcombe's hybrid score interval; None when either is of nothing.

    Observations are taken as independent. Method 10 in Newcombe (1998), Statistics in Medicine
    17:873-890, Table II, (a):

    >>> found = difference(Share(56, 70), Share(48, 80))
    >>> found and (round(found.value, 4), round(found.low, 4), round(found.high, 4))
    (0.2, 0.0524, 0.3339)
    """
    ends, other_ends = (wilson(each, confidence=confidence) for each in (one, other))
    if ends is None or other_ends is None:
        return None
    p, q = one.hits / one.n, other.hits / other.n
    below = sqrt((p - ends[0]) ** 2 + (other_ends[1] - q) ** 2)
    above = sqrt((ends[1] - p) ** 2 + (q - other_ends[0]) ** 2)
    return Difference(p - q, p - q - below, p - q + above)
