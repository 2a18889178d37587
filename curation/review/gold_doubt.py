"""When gold is in doubt rather than those who fail it. Pure."""

from math import comb

# A weak prior: as if two annotators had got it right before, and one had not.
PRIOR_RIGHT, PRIOR_WRONG = 2, 1
# Gold that at least half of the crowd fails tells more about itself than about them.
FAILED_BY_HALF = 0.5
IN_DOUBT = 0.9
# Passed on so often as unclear, spam or in another language.
MOST_PASSED = 2


def doubt(*, n_right: int, n_wrong: int) -> float:
    """How likely it is that most people would fail this gold, in (0, 1).

    The share of people who get it right has a Beta(2 + right, 1 + wrong) posterior (Gelman et al.,
    Bayesian Data Analysis, 3rd ed., section 2.4); this is its mass below a half, which for whole
    numbers a, b is P(X >= a) of a Binomial(a + b - 1, 1/2).

    >>> [round(doubt(n_right=0, n_wrong=n), 3) for n in (0, 1, 3, 4, 5)]
    [0.25, 0.5, 0.812, 0.891, 0.938]
    >>> round(doubt(n_right=5, n_wrong=8), 3)
    0.696
    """
    right, wrong = PRIOR_RIGHT + n_right, PRIOR_WRONG + n_wrong
    n = right + wrong - 1
    return sum(comb(n, k) for k in range(right, n + 1)) * FAILED_BY_HALF**n


def why_retired(*, n_right: int, n_wrong: int, n_passed: int) -> str:
    """Why this gold must go, as a sentence; empty when it may stay.

    >>> why_retired(n_right=0, n_wrong=5, n_passed=0)
    '5 of 5 annotators answered otherwise: its answer is in doubt.'
    >>> why_retired(n_right=20, n_wrong=5, n_passed=1)
    ''
    """
    if doubt(n_right=n_right, n_wrong=n_wrong) >= IN_DOUBT:
        who = f"{n_wrong} of {n_right + n_wrong} annotators"
        return f"{who} answered otherwise: its answer is in doubt."
    if n_passed >= MOST_PASSED:
        return f"{n_passed} annotators passed it on as unclear, spam or in another language."
    return ""
