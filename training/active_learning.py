"""Which samples to ask a person about: a mixture of strategies, each with an order of its own.

A strategy puts the texts of a pool in the order in which it would ask; ``training.inclusion`` turns
the orders and the project's mixture into inclusion probabilities and draws. modAL measures here and
nothing else. Its ``teach`` fails on scikit-learn 1.8 and later and keeps all training data in
memory; a committee of estimators that name their classes breaks its vote; ranked batches are slow
in large pools; and an unfitted estimator scores every sample alike without a word. So estimators
are fitted elsewhere and checked, votes are cast as numbers, and pools are cut to size.

Adding a strategy: a function from a pool and a number of picks to an order, and an entry in
``STRATEGIES``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from training.inclusion import UNIFORM, design, systematic

# scikit-learn and its kin take seconds to import: only those who fit or load a model pay.
if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Floats = NDArray[np.float64]
# The least sure texts that a committee votes on, and that a ranked batch is chosen from.
COMMITTEE_POOL = 2_000
DIVERSITY_POOL = 1_000
# Ranked batches grow one text at a time; beyond this many the rest follows by margin.
DIVERSITY_RANKED = 200
# Axes that the terms of the texts are reduced to before distances are taken.
DIVERSITY_AXES = 50


@dataclass(frozen=True)
class Measures:
    """How unsure answers are, (n_samples,) each."""

    confidence: Floats
    """Best probability."""
    margin: Floats
    """Best minus second-best probability, 0 (a tie) to 1; 1 for a model with one class."""
    entropy: Floats
    """Shannon's, in nats."""


@dataclass(frozen=True)
class Pool:
    """What strategies may look at: texts by position, the measures in step with them."""

    measures: Measures
    texts: Callable[[Sequence[int]], list[str]]
    """The texts at these positions; costs a query."""
    pipeline: Callable[[], "Pipeline"]
    """The version that measured."""
    committee: Callable[[], Sequence["Pipeline"]]
    """Recent versions, that one among them."""

    def __len__(self) -> int:
        """How many texts there are."""
        return len(self.measures.margin)


@dataclass(frozen=True)
class Strategy:
    """One way to put a pool in order."""

    name: str
    title: str
    """What a person reads when choosing."""
    help: str
    reason: str
    """Why a text was picked, with ``{version}``, ``{margin}`` and ``{confidence}``."""
    order: Callable[[Pool, int], Sequence[int]]
    """Positions, the most wanted first, for about so many picks; may leave texts out."""


@dataclass(frozen=True)
class Pick:
    """One text to ask about."""

    index: int
    """Position in the pool."""
    strategy: str
    """What picked it: a strategy's name, or ``uniform``."""
    inclusion_probability: float
    """The chance that it was picked from this pool, in (0, 1]."""


@dataclass(frozen=True)
class Picked:
    """What was picked from a pool of which the strategies saw a part."""

    picks: list[Pick]
    n_beyond: int
    """How many to take at random from the texts that the strategies did not see."""
    beyond_probability: float
    """The chance of each of those to be picked, in [0, 1]."""


def measures(answers: Floats) -> Measures:
    """How unsure answers (n_samples, n_classes) are, by modAL; rows sum to 1.

    (0.5, 0.3, 0.2) → confidence 0.5, margin 0.2, entropy 1.0297.
    """
    if len(answers) == 0:
        return Measures(np.empty(0), np.empty(0), np.empty(0))
    if answers.shape[1] < 2:  # modAL calls a model without a choice unsure
        return Measures(answers[:, 0], np.ones(len(answers)), np.zeros(len(answers)))
    from modAL.uncertainty import classifier_entropy, classifier_margin, classifier_uncertainty

    answered = SimpleNamespace(predict_proba=lambda rows: rows)
    return Measures(
        confidence=1 - np.asarray(classifier_uncertainty(answered, answers)),
        margin=np.asarray(classifier_margin(answered, answers)),
        entropy=np.asarray(classifier_entropy(answered, answers)),
    )


def pick(
    pool: Pool,
    orders: Mapping[str, Sequence[int]],
    *,
    shares: Mapping[str, float],
    size: int,
    n: int,
    rng_seed: int,
) -> Picked:
    """Up to ``n`` texts of the ``size`` that may be picked, of which ``pool`` lists the least sure.

    ``orders`` is what the strategies of the mixture ``shares`` said. A text that several strategies
    wanted is credited to one of them, by how much each wanted it.
    """
    n_beyond = max(0, size - len(pool))
    designed = design(orders, shares=shares, n_listed=len(pool), n_beyond=n_beyond, n=n)
    drawn = systematic(
        designed.probability, n_beyond=n_beyond, beyond=designed.beyond, seed=rng_seed
    )
    rng = np.random.default_rng([rng_seed, 1])
    names = list(designed.shares)
    picks = []
    for index in drawn.listed:
        wanted = np.array([designed.shares[name][index] for name in names])
        name = names[rng.choice(len(names), p=wanted / wanted.sum())]
        picks.append(Pick(index, name, float(designed.probability[index])))
    return Picked(picks, drawn.n_beyond, designed.beyond)


def _by_margin(pool: Pool, n: int) -> list[int]:
    return _ascending(pool.measures.margin)


def _by_entropy(pool: Pool, n: int) -> list[int]:
    return _ascending(-pool.measures.entropy)


def _by_confidence(pool: Pool, n: int) -> list[int]:
    return _ascending(pool.measures.confidence)


def _ascending(values: Floats) -> list[int]:
    """Positions by value; equal ones as they stand, so that an order can be told again."""
    return [int(position) for position in np.argsort(values, kind="stable")]


def _by_committee(pool: Pool, n: int) -> list[int]:
    """Texts that recent versions answer differently, the most divided vote first.

    Nothing when fewer than two versions can vote, for one cannot disagree.
    """
    members = [member for member in pool.committee() if is_fitted(member)]
    asked = _by_margin(pool, n)[:COMMITTEE_POOL]
    if len(members) < 2 or not asked:
        return []
    division = vote_entropy(members, pool.texts(asked))
    return [asked[place] for place in _ascending(-division) if division[place] > 0]


def _by_diversity(pool: Pool, n: int) -> list[int]:
    """Unsure texts that are unlike one another: ranked batches, Cardoso et al. (2017).

    "Ranked batch-mode active learning", Information Sciences 379. The least sure text begins.
    """
    asked = _by_margin(pool, n)[:DIVERSITY_POOL]
    pipeline = pool.pipeline()
    if len(asked) < 3 or not is_fitted(pipeline):
        return asked if is_fitted(pipeline) else []
    places = _features(pipeline, pool.texts(asked))
    if places is None:
        return asked
    from modAL.batch import ranked_batch

    ranked, _ = ranked_batch(
        SimpleNamespace(X_training=places[:1], on_transformed=False),
        unlabeled=places[1:],
        uncertainty_scores=1 - pool.measures.confidence[asked[1:]],
        n_instances=min(2 * n, DIVERSITY_RANKED, len(asked) - 1),
        metric="euclidean",
        n_jobs=1,
    )
    batch = [asked[0], *(asked[1 + place] for place in ranked.tolist())]
    taken = set(batch)
    return [*batch, *(index for index in asked if index not in taken)]


def vote_entropy(members: Sequence["Pipeline"], texts: Sequence[str]) -> Floats:
    """How divided fitted estimators are about each text, (n_texts,): 0 to the log of their number.

    A class that only some of them know is a vote like any other.
    """
    from modAL.disagreement import vote_entropy as divided

    said = [np.asarray(member.predict(list(texts))).astype(str) for member in members]
    # modAL counts votes in a matrix of numbers, where a label's name has no place.
    names = sorted({name for votes in said for name in votes.tolist()})
    votes = np.column_stack([np.searchsorted(names, each) for each in said])
    committee = _Committee(votes, np.arange(len(names)))
    return np.asarray(divided(committee, votes))


def is_fitted(pipeline: "Pipeline") -> bool:
    """Whether it can be asked; modAL takes an unfitted estimator for one that is never sure."""
    from sklearn.utils.validation import NotFittedError, check_is_fitted

    try:
        check_is_fitted(pipeline)
    except NotFittedError:
        return False
    return True


@dataclass(frozen=True)
class _Committee:
    """A committee, to modAL, that has voted already."""

    votes: NDArray[np.intp]
    """(n_samples, n_members)."""
    classes_: NDArray[np.intp]

    def __len__(self) -> int:
        return int(self.votes.shape[1])

    def vote(self, votes: Any) -> NDArray[np.intp]:
        return self.votes


def _features(pipeline: "Pipeline", texts: list[str]) -> Floats | None:
    """Where the texts lie, (n_texts, n_axes); None when the model knows none of their words."""
    from sklearn.decomposition import TruncatedSVD

    terms = pipeline[:-1].transform(texts)
    axes = min(DIVERSITY_AXES, terms.shape[1] - 1, len(texts) - 1)
    if axes < 1 or terms.count_nonzero() == 0:
        return None
    # Texts that are all alike have no variance to explain, and need none.
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(TruncatedSVD(n_components=axes, random_state=0).fit_transform(terms))


STRATEGIES: Mapping[str, Strategy] = {
    strategy.name: strategy
    for strategy in (
        Strategy(
            "margin",
            "Smallest margin",
            "Texts whose two best answers are nearly as probable.",
            "{version} is unsure: its two best answers lie {margin:.2f} apart.",
            _by_margin,
        ),
        Strategy(
            "diversity",
            "Unsure and unlike each other",
            "A ranked batch: unsure texts, each unlike those already in the batch.",
            "{version} is unsure, and no other text picked with this one is like it.",
            _by_diversity,
        ),
        Strategy(
            "entropy",
            "Highest entropy",
            "Texts whose answer is spread over all labels; differs from the margin with three "
            "labels or more.",
            "{version} finds several labels nearly as likely.",
            _by_entropy,
        ),
        Strategy(
            "least_confident",
            "Least confident",
            "Texts whose best answer has the lowest probability.",
            "{version} gives its best answer only {confidence:.0%}.",
            _by_confidence,
        ),
        Strategy(
            "committee",
            "Versions disagree",
            "Texts that recent versions answer differently (vote entropy); says nothing before "
            "there are two versions.",
            "Recent versions answer it differently.",
            _by_committee,
        ),
    )
}
DEFAULT_SHARES: Mapping[str, float] = {"margin": 0.5, "diversity": 0.3, UNIFORM: 0.2}


class BadMixture(ValueError):
    """A mixture names a strategy that does not exist, or gives it no usable share."""


def checked_shares(shares: Mapping[str, Any]) -> dict[str, float]:
    """A mixture with its shares as fractions of 1; those of 0 are left out.

    Raises :class:`BadMixture`: every share is a number of at least 0, and the uniform one is at
    least a hundredth of all, for no estimate can be corrected without it.
    """
    found: dict[str, float] = {}
    for name, share in shares.items():
        if name != UNIFORM and name not in STRATEGIES:
            known = ", ".join([*STRATEGIES, UNIFORM])
            raise BadMixture(f"There is no strategy {name}; there are {known}.")
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share < 1e6:
            raise BadMixture(f"The share of {name} must be a number of at least 0.")
        if share:
            found[name] = float(share)
    total = sum(found.values())
    if total <= 0 or found.get(UNIFORM, 0) < 0.01 * total:
        raise BadMixture(
            "At least a hundredth must be drawn at random: without it nobody can tell what the "
            "picked texts say about the others."
        )
    return {name: share / total for name, share in found.items()}
