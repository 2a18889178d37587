"""How good a classifier is on labelled samples: arrays in, frozen numbers out.

Every measure is computed from ``labels`` (n_samples,), ``probabilities`` (n_samples, n_classes) in
the order of ``classes``, and optional ``weights`` (n_samples,). A measure that the labels cannot
define (no sample of a class, a class never predicted) is None, which pages read as "not enough
data"; it is never 0 or 1 for want of data.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
ECE_BINS = 15


class BadAnswers(ValueError):
    """Labels, probabilities or weights that cannot be measured: wrong shape, NaN, unknown class."""


@dataclass(frozen=True)
class Interval:
    """A range that holds the true value with the stated confidence."""

    low: float
    high: float


@dataclass(frozen=True)
class ClassMetrics:
    """One class."""

    support: int
    """Samples whose true label is this class; a count, whatever the weights."""
    precision: float | None
    """Share of the answers "this class" that are right; None when it was never answered."""
    recall: float | None
    """Share of the class's samples that were found; None without samples."""
    f1: float | None
    """2·tp / (answers + samples); None when the class neither occurs nor is answered."""


@dataclass(frozen=True)
class Metrics:
    """All measures of one model on one set of labels."""

    n: int
    accuracy: float | None
    accuracy_interval: Interval | None
    """95 % Wilson; under weights on Kish's effective number of samples."""
    balanced_accuracy: float | None
    macro_f1: float | None
    brier: float | None
    ece: float | None
    classes: dict[str, ClassMetrics]
    confusion: list[list[float]]
    """Row: true class, column: answer; sums of weights."""

    def as_json(self) -> dict[str, Any]:
        """Plain dicts, lists, numbers and None, to be stored."""
        return asdict(self)


def measure(
    *,
    labels: Sequence[str],
    probabilities: ArrayLike,
    classes: Sequence[str],
    weights: ArrayLike | None = None,
) -> Metrics:
    """All measures at once. Raises :class:`BadAnswers`."""
    answers = checked_probabilities(probabilities, n_samples=len(labels), n_classes=len(classes))
    weight = _checked_weights(weights, len(labels))
    truth = class_indices(labels, classes)
    confusion = confusion_matrix(truth, answers.argmax(axis=1), len(classes), weight)
    supports = np.bincount(truth, minlength=len(classes))
    share = accuracy(confusion)
    n_effective = effective_n(weight)
    return Metrics(
        n=len(labels),
        accuracy=share,
        accuracy_interval=None if share is None else wilson(share * n_effective, n_effective),
        balanced_accuracy=_mean(recalls(confusion)),
        macro_f1=macro_f1(confusion),
        brier=brier(truth, answers, weight),
        ece=expected_calibration_error(truth, answers, weight),
        classes={
            name: ClassMetrics(int(support), precision, recall, f1)
            for name, support, precision, recall, f1 in zip(
                classes,
                supports,
                precisions(confusion),
                recalls(confusion),
                f1_scores(confusion),
                strict=True,
            )
        },
        confusion=confusion.tolist(),
    )


def class_indices(labels: Sequence[str], classes: Sequence[str]) -> NDArray[np.intp]:
    """Each label as its position in ``classes``, (n_samples,). Raises :class:`BadAnswers`."""
    position = {name: index for index, name in enumerate(classes)}
    if len(position) != len(classes):
        raise BadAnswers("A class is listed twice.")
    unknown = set(labels) - position.keys()
    if unknown:
        raise BadAnswers(f"Labels outside the classes: {', '.join(sorted(unknown)[:5])}.")
    return np.fromiter((position[label] for label in labels), dtype=np.intp, count=len(labels))


def checked_probabilities(probabilities: ArrayLike, *, n_samples: int, n_classes: int) -> Floats:
    """Probabilities as (n_samples, n_classes), finite, in [0, 1], rows summing to 1 within 1e-6.

    Raises :class:`BadAnswers`.
    """
    answers = np.asarray(probabilities, dtype=np.float64)
    if answers.shape != (n_samples, n_classes):
        if n_samples == 0 and answers.size == 0:
            return np.empty((0, n_classes))
        raise BadAnswers(f"Probabilities are {answers.shape}, not {(n_samples, n_classes)}.")
    if not np.all(np.isfinite(answers)):
        raise BadAnswers("A probability is not a finite number.")
    if np.any(answers < 0) or np.any(answers > 1 + 1e-9):
        raise BadAnswers("A probability lies outside 0 to 1.")
    if np.any(np.abs(answers.sum(axis=1) - 1) > 1e-6):
        raise BadAnswers("The probabilities of a sample do not sum to 1.")
    return answers


def align(probabilities: ArrayLike, *, known: Sequence[str], classes: Sequence[str]) -> Floats:
    """Columns moved from a model's ``known`` classes to ``classes``; 0 for one it cannot answer.

    Raises :class:`BadAnswers` when the model knows a class that ``classes`` lacks.
    """
    answers = np.asarray(probabilities, dtype=np.float64)
    aligned = np.zeros((len(answers), len(classes)))
    aligned[:, class_indices(known, classes)] = answers
    return aligned


def confusion_matrix(
    truth: NDArray[np.intp], answers: NDArray[np.intp], n_classes: int, weights: ArrayLike | None
) -> Floats:
    """Sums of weights by true class (row) and answer (column), (n_classes, n_classes)."""
    flat = np.bincount(
        truth * n_classes + answers,
        weights=None if weights is None else np.asarray(weights, dtype=np.float64),
        minlength=n_classes * n_classes,
    )
    return flat.reshape(n_classes, n_classes).astype(np.float64)


def accuracy(confusion: Floats) -> float | None:
    """Share of right answers. [[8, 2], [1, 9]] → 0.85."""
    return _ratio(np.trace(confusion), confusion.sum())


def recalls(confusion: Floats) -> list[float | None]:
    """Per class, right answers over samples. [[8, 2], [1, 9]] → 0.8, 0.9."""
    return [_ratio(*pair) for pair in zip(confusion.diagonal(), confusion.sum(axis=1), strict=True)]


def precisions(confusion: Floats) -> list[float | None]:
    """Per class, right answers over answers. [[8, 2], [1, 9]] → 8/9, 9/11."""
    return [_ratio(*pair) for pair in zip(confusion.diagonal(), confusion.sum(axis=0), strict=True)]


def f1_scores(confusion: Floats) -> list[float | None]:
    """Per class, harmonic mean of precision and recall. [[8, 2], [1, 9]] → 16/19, 18/21."""
    sums = confusion.sum(axis=0) + confusion.sum(axis=1)
    return [_ratio(2 * hits, total) for hits, total in zip(confusion.diagonal(), sums, strict=True)]


def macro_f1(confusion: Floats) -> float | None:
    """Unweighted mean of F1 over the classes; None unless every class has a sample.

    [[8, 2], [1, 9]] → (16/19 + 18/21) / 2 = 0.8496.
    """
    if None in recalls(confusion):
        return None
    return _mean(f1_scores(confusion))


def macro_f1_standard_error(confusion: Floats) -> float | None:
    """Standard error of :func:`macro_f1` over unweighted counts, by the delta method.

    Takahashi, Yamamoto, Kuchiba, Koyama (2022), "Confidence interval for micro-averaged F1 and
    macro-averaged F1 scores", Applied Intelligence 52. Half a sample is added to every cell
    first, so that a table without errors does not claim to be certain. None without samples.
    [[8, 2], [1, 9]] → 0.0821.
    """
    n = confusion.sum()
    if n == 0:
        return None
    smoothed = confusion + 0.5
    cells = smoothed / smoothed.sum()
    hits, sums = cells.diagonal(), cells.sum(axis=0) + cells.sum(axis=1)
    slope = 2 * hits / sums**2
    gradient = (np.diag(2 / sums) - slope[:, None] - slope[None, :]) / len(cells)
    variance = (cells * gradient**2).sum() - (cells * gradient).sum() ** 2
    return float(math.sqrt(max(variance, 0.0) / n))


def brier(
    truth: NDArray[np.intp], probabilities: Floats, weights: ArrayLike | None = None
) -> float | None:
    """Half the mean squared distance between probabilities and truth, 0 (best) to 1.

    Brier (1950), halved so that for two classes it is the usual (p - y)². One sample of the
    second class answered (0.3, 0.7) → 0.09. None without samples.
    """
    if len(truth) == 0:
        return None
    wanted = np.eye(probabilities.shape[1])[truth]
    return _weighted_mean(0.5 * ((probabilities - wanted) ** 2).sum(axis=1), weights)


def expected_calibration_error(
    truth: NDArray[np.intp],
    probabilities: Floats,
    weights: ArrayLike | None = None,
    *,
    bins: int = ECE_BINS,
) -> float | None:
    """Mean gap between confidence and accuracy over equal-width bins of confidence, 0 to 1.

    Guo, Pleiss, Sun, Weinberger (2017), "On Calibration of Modern Neural Networks", equation 3.
    Ten answers at confidence 0.9 of which seven are right → 0.2. None without samples.
    """
    if len(truth) == 0:
        return None
    weight = np.ones(len(truth)) if weights is None else np.asarray(weights, dtype=np.float64)
    if weight.sum() == 0:
        return None
    confidence = probabilities.max(axis=1)
    gap = (probabilities.argmax(axis=1) == truth) - confidence
    # Bins are open to the left, as in the paper; a confidence of 0 cannot occur.
    bin_of = np.clip(np.ceil(confidence * bins).astype(np.intp) - 1, 0, bins - 1)
    gaps = np.bincount(bin_of, weights=weight * gap, minlength=bins)
    return float(np.abs(gaps).sum() / weight.sum())


def wilson(successes: float, n: float, *, confidence: float = 0.95) -> Interval | None:
    """Two-sided Wilson score interval of a share; None without trials.

    Wilson (1927), JASA 22, 209-212. 81 of 263 at 95 % → 0.2553 to 0.3662 (Newcombe 1998, table I).
    """
    if n <= 0:
        return None
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Interval(max(0.0, centre - half), min(1.0, centre + half))


def effective_n(weights: ArrayLike) -> float:
    """Kish's effective number of samples, (Σw)² / Σw². Weights 1, 1, 2 → 16/6 = 2.67."""
    weight = np.asarray(weights, dtype=np.float64)
    square = float((weight**2).sum())
    return float(weight.sum()) ** 2 / square if square > 0 else 0.0


def _checked_weights(weights: ArrayLike | None, n_samples: int) -> Floats:
    if weights is None:
        return np.ones(n_samples)
    weight = np.asarray(weights, dtype=np.float64)
    if weight.shape != (n_samples,):
        raise BadAnswers(f"Weights are {weight.shape}, not {(n_samples,)}.")
    if not np.all(np.isfinite(weight)) or np.any(weight < 0):
        raise BadAnswers("Weights must be finite and not negative.")
    return weight


def _ratio(part: float, whole: float) -> float | None:
    return float(part) / float(whole) if whole > 0 else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


def _weighted_mean(values: Floats, weights: ArrayLike | None) -> float | None:
    weight = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=np.float64)
    total = float(weight.sum())
    return float((values * weight).sum()) / total if total > 0 else None
