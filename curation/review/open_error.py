"""How often the model is wrong about what waits for review, by the share served by lot.

What annotators are served otherwise is what the model is unsure of or users dispute: its errors
are over-represented. A draw by lot is uniform over all open texts, so its answers stand for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import sqrt
from pathlib import Path
from statistics import NormalDist

from curation.models import Project
from feedbackhub.core.sql import fetch, statements

SQL = statements(Path(__file__).with_name("open_error.sql"))
MOST_DRAWS = 20_000
LEAST_DRAWS = 30
CONFIDENCE = 0.95


@dataclass(frozen=True)
class DrawnAnswer:
    """A blind answer to a text drawn by lot."""

    is_wrong: bool
    """It contradicts what the model had said."""
    inclusion_probability: float
    """Of the draw, in (0, 1]."""


@dataclass(frozen=True)
class OpenError:
    """The share of open texts that the model is wrong about."""

    share: float
    """In [0, 1]."""
    low: float
    high: float
    """Of its 95 % interval."""
    n: int
    """Draws it rests on."""


def open_error(*, project: Project, since: datetime) -> OpenError | None:
    """The model's error on what was open ``since`` then; None with fewer than 30 draws."""
    params = {"project": project.pk, "since": since, "most": MOST_DRAWS}
    return weighted_share(fetch(SQL["drawn"], params, into=DrawnAnswer))


def weighted_share(drawn: Sequence[DrawnAnswer]) -> OpenError | None:
    """Hájek's ratio estimate: each draw weighs one over its probability; None with fewer than 30.

    Hájek (1971), as in Särndal, Swensson & Wretman (1992), Model Assisted Survey Sampling, eq.
    5.7.1 and, for draws with replacement, 2.9.9. The interval is Wilson's with Kish's effective
    number of draws, which stays in [0, 1] and is honest near its ends.

    >>> half = [DrawnAnswer(n % 2 == 0, 0.01) for n in range(100)]
    >>> found = weighted_share(half)
    >>> found and (found.share, round(found.low, 3), round(found.high, 3), found.n)
    (0.5, 0.404, 0.596, 100)
    """
    if len(drawn) < LEAST_DRAWS:
        return None
    weights = [1 / each.inclusion_probability for each in drawn]
    total = sum(weights)
    share = sum(w for w, each in zip(weights, drawn, strict=True) if each.is_wrong) / total
    n = total**2 / sum(w * w for w in weights)
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    return OpenError(share, max(0.0, centre - reach), min(1.0, centre + reach), len(drawn))
