"""How unsure an answer is: probabilities in, one number a sample out.

All take probabilities (n_samples, n_classes) whose rows sum to 1 and return (n_samples,). No rows
give an empty array; NaN stays NaN. Higher means more sure for the margin and less sure for the
other two, as in Settles (2009), "Active Learning Literature Survey", section 3.1.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

Floats = NDArray[np.float64]


def margin(probabilities: Floats) -> Floats:
    """Best minus second-best probability, 0 (a tie) to 1. (0.5, 0.3, 0.2) → 0.2.

    A model with one class has no rival: margin 1.
    """
    if probabilities.shape[1] < 2:
        return np.ones(len(probabilities))
    top = np.partition(probabilities, -2, axis=1)
    return np.asarray(top[:, -1] - top[:, -2])


def entropy(probabilities: Floats) -> Floats:
    """Shannon entropy in nats, 0 to ln(n_classes). (0.5, 0.5) → 0.6931."""
    return np.asarray(entr(probabilities).sum(axis=1))


def least_confident(probabilities: Floats) -> Floats:
    """1 minus the best probability, 0 to 1 - 1/n_classes. (0.5, 0.3, 0.2) → 0.5."""
    return np.asarray(1 - probabilities.max(axis=1))
