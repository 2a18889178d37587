"""Which samples to ask a person about: modAL's uncertainty strategies plus a uniform share.

modAL only queries here. Its ``teach`` fails on scikit-learn 1.8 and later and keeps all training
data in memory, and an unfitted estimator scores every sample alike without a word, so an
estimator is fitted elsewhere and an unfitted one is refused.

Every pick carries its inclusion probability, so that what is learned from the picked samples can
be weighted back to the pool (Horvitz and Thompson 1952): 1 for the most uncertain ones, which are
picked for certain, and the drawn share for the rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

# scikit-learn and its kin take seconds to import: only those who fit or load a model pay.
if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Strategy = Literal["margin", "entropy", "least_confident"]
UNIFORM = "uniform"
# By the name of modAL's function.
STRATEGIES: Mapping[str, str] = {
    "margin": "margin_sampling",
    "entropy": "entropy_sampling",
    "least_confident": "uncertainty_sampling",
}


class UnfittedEstimator(ValueError):
    """The pipeline was never fitted, so its uncertainty would be an invention."""


class UnknownStrategy(ValueError):
    """No strategy has this name."""


@dataclass(frozen=True)
class Pick:
    """One sample to ask about."""

    index: int
    """Position in the pool that was given."""
    score: float | None
    """What the strategy measured (margin: low is unsure; the others: high); None for a draw."""
    strategy: str
    """What picked it: a strategy's name, or ``uniform``."""
    inclusion_probability: float
    """The chance that this sample was picked from this pool, in (0, 1]."""


class _Answered:
    """An estimator, to modAL, whose pool is already answered: rows in, the same rows out."""

    def predict_proba(self, answers: NDArray[np.float64]) -> NDArray[np.float64]:
        return answers


def rank_uncertain(
    pipeline: "Pipeline | None",
    texts: Sequence[str],
    *,
    n: int,
    strategy: Strategy = "margin",
    rng_seed: int,
    uniform_share: float = 0.1,
) -> list[Pick]:
    """Up to ``n`` texts, the least sure first, then the uniform draws.

    Without a pipeline (a cold start) all are uniform draws. Raises :class:`UnfittedEstimator` and
    :class:`UnknownStrategy`.
    """
    if pipeline is None:
        return _draws(range(len(texts)), n=n, rng_seed=rng_seed)
    from sklearn.utils.validation import NotFittedError, check_is_fitted

    try:
        check_is_fitted(pipeline)
    except NotFittedError as error:
        raise UnfittedEstimator("Fit the pipeline before asking what it is unsure of.") from error
    # Objects, because modAL would copy a list into an array as wide as its longest text.
    pool = np.array([*texts, None], dtype=object)[:-1]
    return _rank(pipeline, pool, n, strategy, rng_seed, uniform_share)


def rank_answers(
    probabilities: NDArray[np.float64],
    *,
    n: int,
    strategy: Strategy = "margin",
    rng_seed: int,
    uniform_share: float = 0.1,
) -> list[Pick]:
    """As :func:`rank_uncertain`, from answers (n_samples, n_classes) that were already served.

    Raises :class:`UnknownStrategy`.
    """
    return _rank(_Answered(), probabilities, n, strategy, rng_seed, uniform_share)


def _rank(
    estimator: Any, pool: Any, n: int, strategy: str, rng_seed: int, uniform_share: float
) -> list[Pick]:
    if strategy not in STRATEGIES:
        raise UnknownStrategy(f"No strategy `{strategy}`; there are {', '.join(STRATEGIES)}.")
    if not 0 <= uniform_share <= 1:
        raise ValueError("The uniform share lies between 0 and 1.")
    size = min(n, len(pool))
    n_uncertain = size - round(size * uniform_share)
    picks = _most_uncertain(estimator, pool, n_uncertain, strategy)
    taken = {pick.index for pick in picks}
    rest = [index for index in range(len(pool)) if index not in taken]
    return picks + _draws(rest, n=size - len(picks), rng_seed=rng_seed)


def _most_uncertain(estimator: Any, pool: Any, n: int, strategy: str) -> list[Pick]:
    if n <= 0:  # modAL would pick everything but one
        return []
    from modAL import uncertainty
    from modAL.models import ActiveLearner

    query = getattr(uncertainty, STRATEGIES[strategy])
    learner = ActiveLearner(estimator=estimator, query_strategy=query)
    indices, _, scores = learner.query(pool, n_instances=n, return_metrics=True)
    picks = [
        Pick(int(index), float(score), strategy, 1.0)
        for index, score in zip(indices, scores, strict=True)
    ]
    direction = 1 if strategy == "margin" else -1
    return sorted(picks, key=lambda pick: (direction * (pick.score or 0.0), pick.index))


def _draws(pool: Sequence[int], *, n: int, rng_seed: int) -> list[Pick]:
    size = min(n, len(pool))
    if size <= 0:
        return []
    chosen = np.random.default_rng(rng_seed).choice(len(pool), size=size, replace=False)
    return [Pick(pool[position], None, UNIFORM, size / len(pool)) for position in chosen.tolist()]
