"""Who is right how often, and what is true, from answers alone: Dawid and Skene's EM. Pure NumPy.

A. P. Dawid and A. M. Skene (1979), Maximum likelihood estimation of observer error-rates using the
EM algorithm, Applied Statistics 28(1), 20-28, https://doi.org/10.2307/2346806. Equation numbers
below are theirs. With pseudo-counts it finds the mode of the posterior under Dirichlet priors
instead, so that three answers do not make anyone infallible; with known truths (gold) those items
are not estimated. Arrays are sparse, one entry an answer: work and memory grow with the answers.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
UNKNOWN = -1


@dataclass(frozen=True)
class Answers:
    """Who said what about which item, by position; an annotator may answer an item repeatedly."""

    items: Ints
    """(n_answers,) in [0, n_items)."""
    annotators: Ints
    """(n_answers,) in [0, n_annotators)."""
    said: Ints
    """(n_answers,) in [0, n_labels)."""
    n_items: int
    n_annotators: int
    n_labels: int


@dataclass(frozen=True)
class Estimate:
    """What EM converged to."""

    truths: Floats
    """(n_items, n_labels): how likely each label is; rows sum to 1."""
    prevalence: Floats
    """(n_labels,): the share of items of each label."""
    error_rates: Floats
    """(n_annotators, n_labels, n_labels): the chance of each answer (last) given the truth."""
    trace: tuple[float, ...]
    """The objective after each step: log-likelihood, plus the log prior where there is one."""
    has_converged: bool


def estimate(
    answers: Answers,
    *,
    pseudo_counts: Floats | None = None,
    known: Ints | None = None,
    max_steps: int = 200,
    tolerance: float = 1e-7,
) -> Estimate:
    """Run EM from the vote shares until a step gains less than ``tolerance`` per answer.

    ``pseudo_counts`` (n_annotators, n_labels, n_labels) are added to what each annotator is counted
    to have said (last axis) given the truth; None is maximum likelihood, as published. ``known``
    (n_items,) gives the label where the truth is known, :data:`UNKNOWN` elsewhere. Deterministic;
    an item without answers gets the prevalence. Raises ``ValueError`` without items.
    """
    if not answers.n_items:
        raise ValueError("There is nothing to estimate without items.")
    prior = 0.0 if pseudo_counts is None else pseudo_counts
    truths = _fix(_vote_shares(answers), known)
    trace: list[float] = []
    while True:
        prevalence = truths.mean(axis=0)  # (2.4)
        error_rates = _rows(said_given(answers, truths) + prior)  # (2.3)
        with np.errstate(divide="ignore"):
            log_prevalence, log_rates = np.log(prevalence), np.log(error_rates)
        logs = log_prevalence + _per_item(answers, log_rates)
        truths, likelihood = _normalised(logs, known)  # (2.5)
        trace.append(likelihood + _log_prior(pseudo_counts, log_rates))
        has_converged = len(trace) > 1 and trace[-1] - trace[-2] < tolerance * answers.said.size
        if has_converged or len(trace) == max_steps:
            return Estimate(truths, prevalence, error_rates, tuple(trace), has_converged)


def said_given(answers: Answers, truths: Floats) -> Floats:
    """How often each annotator said what (last axis) given each truth: (n_annotators, K, K).

    Fractional, as ``truths`` (n_items, K) are.
    """
    k = answers.n_labels
    cells = answers.annotators * k + answers.said
    by_truth = [
        np.bincount(cells, truths[answers.items, truth], answers.n_annotators * k)
        for truth in range(k)
    ]
    return np.stack([each.reshape(answers.n_annotators, k) for each in by_truth], axis=1)


def _vote_shares(answers: Answers) -> Floats:
    """Where the paper starts: the share of an item's answers that name each label."""
    k = answers.n_labels
    votes = np.bincount(answers.items * k + answers.said, minlength=answers.n_items * k)
    return _rows(votes.reshape(answers.n_items, k).astype(np.float64))


def _rows(counts: Floats) -> Floats:
    """Rows as shares; even where nothing was counted."""
    totals = counts.sum(axis=-1, keepdims=True)
    even = np.full_like(counts, 1 / counts.shape[-1])
    np.divide(counts, totals, out=even, where=totals > 0)
    return even


def _per_item(answers: Answers, log_rates: Floats) -> Floats:
    """The log-likelihood of each item's answers under each truth, (n_items, n_labels)."""
    logs = log_rates[answers.annotators, :, answers.said]
    columns = [
        np.bincount(answers.items, logs[:, truth], answers.n_items)
        for truth in range(answers.n_labels)
    ]
    return np.stack(columns, axis=1)


def _normalised(logs: Floats, known: Ints | None) -> tuple[Floats, float]:
    """The posterior of each item, and the log-likelihood of all."""
    top = logs.max(axis=1, keepdims=True)
    odds = np.exp(logs - top)
    total = odds.sum(axis=1, keepdims=True)
    evidence = (top + np.log(total))[:, 0]
    if known is not None:
        given = np.flatnonzero(known != UNKNOWN)
        evidence[given] = logs[given, known[given]]
    return _fix(odds / total, known), float(evidence.sum())


def _fix(truths: Floats, known: Ints | None) -> Floats:
    if known is not None:
        given = np.flatnonzero(known != UNKNOWN)
        truths[given] = np.eye(truths.shape[1])[known[given]]
    return truths


def _log_prior(pseudo_counts: Floats | None, log_rates: Floats) -> float:
    if pseudo_counts is None:
        return 0.0
    weighed = pseudo_counts > 0  # a rate of 0 without a pseudo-count is no surprise
    return float((pseudo_counts[weighed] * log_rates[weighed]).sum())
