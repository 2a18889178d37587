"""How far annotators agree beyond chance: Krippendorff's alpha with a bootstrap interval. Pure.

K. Krippendorff (2011), Computing Krippendorff's alpha-reliability,
https://repository.upenn.edu/asc_papers/43. 1 is perfect agreement, 0 what chance would give, and
less than 0 systematic disagreement. The sufficient statistic is how many annotators gave each
label to each unit: who they were does not matter, and missing answers are no trouble.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Metric = Literal["nominal", "ordinal", "interval"]
# Resamples held in memory at once.
CHUNK = 250


@dataclass(frozen=True)
class Alpha:
    """Agreement with its uncertainty."""

    value: float | None
    """In [-1, 1]; None when no unit has two answers, or all answers are the same label."""
    low: float | None
    """Of the percentile interval; None with ``value``, and with less than two units."""
    high: float | None
    n_units: int
    """Units with at least two answers: the others cannot agree or disagree."""
    n_answers: int
    """Answers to those units."""


def alpha(
    votes: NDArray[np.int64],
    *,
    metric: Metric = "nominal",
    resamples: int = 1000,
    confidence: float = 0.95,
    rng_seed: int = 0,
) -> Alpha:
    """Alpha of ``votes`` (n_units, n_labels), labels in their order for other than nominal ones.

    The interval resamples units, since the answers to one unit are no independent evidence; alike
    units are drawn together, by a multinomial over their kinds, which is the same and faster.
    """
    paired = votes[votes.sum(axis=1) >= 2]
    kinds, sizes = np.unique(paired, axis=0, return_counts=True)
    coincidences = _coincidences(kinds)
    value = float(_alphas(np.tensordot(sizes, coincidences, 1)[None], metric)[0])
    n_units, n_answers = len(paired), int(paired.sum())
    if np.isnan(value):
        return Alpha(None, None, None, n_units, n_answers)
    if n_units < 2:
        return Alpha(value, None, None, n_units, n_answers)
    drawn = _resampled(coincidences, sizes, metric, resamples, rng_seed)
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn[~np.isnan(drawn)], [tail, 1 - tail])
    # A skewed resampling distribution may leave out the estimate itself.
    return Alpha(value, min(float(low), value), max(float(high), value), n_units, n_answers)


def _coincidences(votes: NDArray[np.int64]) -> Floats:
    """How often each two labels meet within each unit, weighed so that an answer counts once."""
    given = votes.astype(np.float64)
    pairs = given[:, :, None] * given[:, None, :]
    pairs -= given[:, :, None] * np.eye(votes.shape[1])
    result: Floats = pairs / (given.sum(axis=1) - 1)[:, None, None]
    return result


def _resampled(
    coincidences: Floats, sizes: NDArray[np.int64], metric: Metric, resamples: int, rng_seed: int
) -> Floats:
    rng = np.random.default_rng(rng_seed)
    n_units = int(sizes.sum())
    parts = []
    for start in range(0, resamples, CHUNK):
        n = min(CHUNK, resamples - start)
        drawn = rng.multinomial(n_units, sizes / n_units, size=n)
        parts.append(_alphas(np.tensordot(drawn, coincidences, 1), metric))
    return np.concatenate(parts)


def _alphas(coincidences: Floats, metric: Metric) -> Floats:
    """Alpha of each matrix of coincidences (n, K, K); NaN where there is nothing to disagree on."""
    totals = coincidences.sum(axis=2)
    distances = _distances(totals, metric)
    observed = (coincidences * distances).sum(axis=(1, 2))
    expected = (totals[:, :, None] * totals[:, None, :] * distances).sum(axis=(1, 2))
    scale = totals.sum(axis=1) - 1
    by_chance = np.divide(expected, scale, out=np.zeros_like(expected), where=scale > 0)
    share = np.full_like(observed, np.nan)
    np.divide(observed, by_chance, out=share, where=by_chance > 0)
    result: Floats = 1 - share
    return result


def _distances(totals: Floats, metric: Metric) -> Floats:
    """Squared differences of labels, (n, K, K), given how often each was used, (n, K)."""
    k = totals.shape[1]
    if metric == "nominal":
        return np.broadcast_to(1 - np.eye(k), (len(totals), k, k))
    if metric == "interval":
        apart = np.arange(k)[:, None] - np.arange(k)[None, :]
        return np.broadcast_to(apart.astype(np.float64) ** 2, (len(totals), k, k))
    # Ordinal: the answers that lie between the two labels, half of those at either end.
    middles = np.cumsum(totals, axis=1) - totals / 2
    result: Floats = (middles[:, :, None] - middles[:, None, :]) ** 2
    return result
