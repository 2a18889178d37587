"""Which labels models trained without them find hard to believe. Pure arithmetic and fits.

Probabilities are out of fold: texts are dealt into folds by cluster, so that no near-duplicate of a
text has taught the model that judges it. They are calibrated by one temperature (Guo et al., "On
Calibration of Modern Neural Networks", ICML 2017, section 4.2), fitted on the same probabilities:
one parameter from hundreds of texts cannot overfit, and the order of texts hardly depends on it.
What is suspect is decided by confident learning (Northcutt, Jiang and Chuang, "Confident Learning",
JAIR 70, 2021), as cleanlab does it: a label's class has its own threshold, the mean probability of
that class among texts labelled so, which absorbs what miscalibration by class is left.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from training import estimators

# cleanlab, scikit-learn and SciPy take seconds to import: only who looks for errors pays.
if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

FOLDS = 5
LEAST_TEXTS = 100
TINY = 1e-6
COOLEST, HOTTEST = 0.25, 8.0
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class TooLittle(ValueError):
    """There is not enough to train models without a part of it; the message says what is."""


@dataclass(frozen=True)
class Texts:
    """Labelled texts; the lists run in step, (n_samples,) each."""

    texts: Sequence[str]
    values: Sequence[str]
    weights: Sequence[float]
    clusters: Sequence[int]


@dataclass(frozen=True)
class Judged:
    """What models trained without each text say of its label."""

    judged: Ints
    """Positions of the texts that were judged, (n_judged,): those of classes in every fold."""
    classes: list[str]
    probabilities: Floats
    """Calibrated, (n_judged, n_classes); rows sum to 1."""
    support: Floats
    """Of the given labels, (n_judged,), in [0, 1]."""
    suspects: Ints
    """Positions within ``judged`` whose label is likely wrong, the worst first."""
    temperature: float
    """What the log-probabilities were divided by; above 1 the models were too sure."""


def judge(
    given: Texts,
    *,
    make: "Callable[[], Pipeline]",
    seed: int,
    folds: int = FOLDS,
) -> Judged:
    """Fit ``folds`` models, each without one fold, and let each judge the labels of its own fold.

    Labels of a class with fewer clusters than folds teach, and are not judged. Raises
    :class:`TooLittle`, and :class:`~training.estimators.CannotFit`.
    """
    values = np.asarray(given.values, dtype=np.str_)
    fold_of = deal(values, np.asarray(given.clusters), folds=folds, seed=seed)
    classes = [
        str(name) for name in np.unique(values) if np.unique(fold_of[values == name]).size == folds
    ]
    judged = np.flatnonzero(np.isin(values, classes))
    if len(classes) < 2 or judged.size < LEAST_TEXTS:
        raise TooLittle(
            f"{judged.size} labels of {len(classes)} classes can be judged; it takes "
            f"{LEAST_TEXTS} of two, and {folds} clusters of each."
        )
    raw = _out_of_fold(given, values, fold_of, classes, make)[judged]
    labels = np.searchsorted(np.asarray(classes), values[judged])
    temperature = fit_temperature(raw, labels)
    probabilities = cooled(raw, temperature)
    return Judged(
        judged=judged,
        classes=classes,
        probabilities=probabilities,
        support=probabilities[np.arange(labels.size), labels],
        suspects=_suspects(labels, probabilities),
        temperature=temperature,
    )


def deal(values: NDArray[np.str_], clusters: Ints, *, folds: int, seed: int) -> Ints:
    """A fold of each text, (n_samples,): whole clusters, dealt out in turn class by class.

    A cluster counts as of the class of its first text; which one is dealt where is random.
    """
    rng = np.random.default_rng(seed)
    _, first, member = np.unique(clusters, return_index=True, return_inverse=True)
    order = np.lexsort((rng.random(first.size), values[first]))
    fold_of_cluster = np.empty(first.size, dtype=np.int64)
    fold_of_cluster[order] = np.arange(first.size) % folds
    return fold_of_cluster[member]


def fit_temperature(probabilities: Floats, labels: Ints) -> float:
    """The temperature in [0.25, 8] that makes the given labels likeliest."""
    from scipy.optimize import minimize_scalar

    rows = np.arange(labels.size)

    def loss(log_temperature: float) -> float:
        chosen = cooled(probabilities, float(np.exp(log_temperature)))[rows, labels]
        return float(-np.log(np.clip(chosen, TINY, 1)).mean())

    bounds = float(np.log(COOLEST)), float(np.log(HOTTEST))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def cooled(probabilities: Floats, temperature: float) -> Floats:
    """Probabilities to the power of 1 / temperature, (n, n_classes), each row summing to 1."""
    logs = np.log(np.clip(probabilities, TINY, 1)) / temperature
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _out_of_fold(
    given: Texts,
    values: NDArray[np.str_],
    fold_of: Ints,
    classes: Sequence[str],
    make: "Callable[[], Pipeline]",
) -> Floats:
    found = np.zeros((values.size, len(classes)))
    for fold in np.unique(fold_of):
        taught = np.flatnonzero(fold_of != fold).tolist()
        held = np.flatnonzero(fold_of == fold).tolist()
        pipeline = estimators.fit(
            make(),
            texts=[given.texts[i] for i in taught],
            labels=[given.values[i] for i in taught],
            weights=[given.weights[i] for i in taught],
        )
        column = {str(name): i for i, name in enumerate(pipeline.classes_)}
        answers = pipeline.predict_proba([given.texts[i] for i in held])
        found[held] = answers[:, [column[name] for name in classes]]
    return found


def _suspects(labels: Ints, probabilities: Floats) -> Ints:
    from cleanlab.filter import find_label_issues

    # One process: a Celery worker may not have children.
    found: Ints = find_label_issues(
        labels, probabilities, return_indices_ranked_by="normalized_margin", n_jobs=1
    )
    return found
