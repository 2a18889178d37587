"""Answers of several annotators checked against what a model says: CROWDLAB, by cleanlab. Pure.

H. W. Goh, U. Tkachenko and J. Mueller (2022), CROWDLAB: supervised learning to infer consensus
labels and quality scores for data with multiple annotators, https://arxiv.org/abs/2210.06812.

The model is one more witness here, and often the one to be judged: its view is shown beside a
label and may ask for a second look, but never makes the label, or tests would flatter the model.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MISSING = -1
# Fewer tell too little of how far to trust the model beside the annotators.
FEWEST_ITEMS = 20


@dataclass(frozen=True)
class Checked:
    """One item as annotators and model see it together."""

    label: int
    """The label they make most likely, by position."""
    quality: float
    """How likely it is to be right, in [0, 1]."""


def check(said: NDArray[np.int64], probabilities: NDArray[np.float64]) -> list[Checked] | None:
    """What answers and model make of each item; None when there is too little to weigh them by.

    ``said`` (n_items, n_annotators) has :data:`MISSING` where someone gave no answer, and an answer
    to every item; ``probabilities`` (n_items, n_labels) are the model's, rows summing to 1.
    """
    is_given = said != MISSING
    is_enough = len(said) >= FEWEST_ITEMS and probabilities.shape[1] >= 2
    if not is_enough or not (is_given.sum(axis=1) >= 2).any():
        return None
    # pandas, scikit-learn and what else it brings take more than a second to import.
    from cleanlab.multiannotator import get_label_quality_multiannotator

    answers = np.where(is_given, said, np.nan)[:, is_given.any(axis=0)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of annotators nobody can be compared with
        found = get_label_quality_multiannotator(
            answers,
            probabilities,
            consensus_method="best_quality",
            return_detailed_quality=False,
            return_annotator_stats=False,
            verbose=False,
        )["label_quality"]
    return [
        Checked(int(label), float(quality))
        for label, quality in zip(
            found["consensus_label"], found["consensus_quality_score"], strict=True
        )
    ]
