"""Annotators' records from the answers they share: accuracy with its interval, and confusion. Pure.

The truth behind most answers is itself an estimate, so an answer is worth less than one held to a
known truth, and next to nothing where only the other's skill could tell who was right. By Louis
(1982, J. R. Stat. Soc. B 44(2), 226-233) the information in EM's data about the accuracies p is
that of complete data, n / (p (1 - p)) each, less the covariance, given the answers, of what is
missing: who was right on which item. Its inverse is the variance of each accuracy, and p (1 - p)
over that the number of comparisons with a certain truth that would tell as much.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from curation.review.agreement.dawid_skene import (
    UNKNOWN,
    Answers,
    Floats,
    Ints,
    estimate,
    said_given,
)
from curation.review.agreement.skill import PRIOR_ACCURACY, PRIOR_STRENGTH, SENIOR_ACCURACY

# The gain per answer below which further steps move accuracies by about a thousandth at most.
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Record:
    """What the shared answers tell about one annotator."""

    n_compared: int
    n_gold: int
    """Answers to items whose truth was known."""
    n_effective: float
    """How many comparisons with a certain truth they are worth, in [0, n_compared]."""
    accuracy: float | None
    """The expected share of right answers; None without any, or when they are worth nothing."""
    low: float | None
    """Of the 95 % Jeffreys interval with ``n_effective`` trials."""
    high: float | None
    confusion: Floats
    """(n_labels, n_labels), truth by answer: counts that sum to ``n_effective``."""


def records(
    answers: Answers, *, is_senior: Sequence[bool], known: Ints | None = None
) -> list[Record]:
    """The record of each annotator, in order, by Dawid and Skene's EM under the usual priors.

    ``answers`` are blind ones to items with several, or with a ``known`` truth.
    """
    fitted = estimate(
        answers,
        pseudo_counts=_pseudo_counts(answers, is_senior),
        known=known,
        tolerance=TOLERANCE,
    )
    right = fitted.truths[answers.items, answers.said]
    n = np.bincount(answers.annotators, minlength=answers.n_annotators)
    n_right = np.bincount(answers.annotators, right, answers.n_annotators)
    # The half a trial either way keeps the variance away from 0 in short or perfect records.
    worth = _worth(answers, fitted.truths, n, (n_right + 0.5) / (n + 1))
    gold = np.zeros_like(n)
    if known is not None:
        held = answers.annotators[known[answers.items] != UNKNOWN]
        gold = np.bincount(held, minlength=answers.n_annotators)
    counts = said_given(answers, fitted.truths)
    return [
        _record(int(n[u]), int(gold[u]), float(n_right[u]), float(worth[u]), counts[u])
        for u in range(answers.n_annotators)
    ]


def _pseudo_counts(answers: Answers, is_senior: Sequence[bool]) -> Floats:
    """What is assumed of each annotator, as counts spread evenly over the truths."""
    k = answers.n_labels
    accuracy = np.where(np.asarray(is_senior, dtype=bool), SENIOR_ACCURACY, PRIOR_ACCURACY)
    wrong = (1 - accuracy) / max(k - 1, 1)
    rates = np.where(np.eye(k, dtype=bool), accuracy[:, None, None], wrong[:, None, None])
    counts: Floats = rates * PRIOR_STRENGTH / k
    return counts


def _worth(answers: Answers, truths: Floats, n: Ints, accuracy: Floats) -> Floats:
    """How many certain comparisons each annotator's answers are worth, (n_annotators,).

    The prior is part of the information, or accuracies that only their product is known of would
    have none at all; what it is worth is taken off again.
    """
    scale = 1 / np.sqrt(accuracy * (1 - accuracy))
    missing = _doubt(answers, truths) * scale[:, None] * scale[None, :]
    values, vectors = np.linalg.eigh(np.diag(n + PRIOR_STRENGTH) - missing)
    # Below the prior's share lies only what the approximation got wrong.
    variance = (vectors**2 / np.maximum(values, PRIOR_STRENGTH)).sum(axis=1)
    worth: Floats = np.clip(1 / variance - PRIOR_STRENGTH, 0, n)
    return worth


def _doubt(answers: Answers, truths: Floats) -> Floats:
    """Covariance, given all answers, of who was right, summed over the items: (U, U)."""
    from scipy.sparse import csr_array

    shape = (answers.n_items, answers.n_annotators)
    right = truths[answers.items, answers.said]
    expected = csr_array((right, (answers.items, answers.annotators)), shape=shape)
    doubt: Floats = -(expected.T @ expected).toarray()
    for label in range(answers.n_labels):
        those = answers.said == label
        where = (answers.items[those], answers.annotators[those])
        said = csr_array((np.sqrt(right[those]), where), shape=shape)
        doubt += (said.T @ said).toarray()
    return doubt


def _record(n: int, n_gold: int, n_right: float, worth: float, counts: Floats) -> Record:
    if worth < 1:
        return Record(n, n_gold, 0.0, None, None, None, np.zeros_like(counts))
    accuracy = n_right / n
    low, high = _jeffreys(accuracy, worth)
    return Record(n, n_gold, worth, accuracy, low, high, counts * worth / n)


def _jeffreys(share: float, n: float) -> tuple[float, float]:
    """The 95 % interval of a share under Jeffreys' prior (Brown, Cai and DasGupta 2001, 4.1)."""
    from scipy.special import betaincinv

    right, wrong = share * n + 0.5, (1 - share) * n + 0.5
    low, high = (float(betaincinv(right, wrong, tail)) for tail in (0.025, 0.975))
    return min(low, share), max(high, share)
