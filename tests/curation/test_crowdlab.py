"""CROWDLAB beside annotators' answers; no database."""

import numpy as np
import pytest
from numpy.typing import NDArray

from curation.review.agreement.crowdlab import FEWEST_ITEMS, MISSING, check


def scene(
    n: int, accuracies: list[float], *, model: float, seed: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Truths, answers of all annotators, and a model that is right so often and 0.8 sure."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, n)
    said = np.column_stack(
        [np.where(rng.random(n) < accuracy, truth, 1 - truth) for accuracy in accuracies]
    )
    predicted = np.where(rng.random(n) < model, truth, 1 - truth)
    probabilities = np.where(np.eye(2)[predicted] > 0, 0.8, 0.2)
    return truth, said, probabilities


def test_a_good_model_beside_two_annotators_settles_what_they_split_on() -> None:
    truth, said, probabilities = scene(400, [0.85, 0.85], model=0.92)
    found = check(said, probabilities)
    assert found is not None
    split = said[:, 0] != said[:, 1]
    labels = np.array([each.label for each in found])
    assert np.mean(labels[split] == truth[split]) > 0.8
    agreed = np.array([each.quality for each in found])[~split]
    assert agreed.mean() > np.array([each.quality for each in found])[split].mean()


def test_it_says_the_quality_is_low_where_the_model_contradicts_the_answers() -> None:
    _, said, probabilities = scene(200, [0.95, 0.95], model=0.95)
    found = check(said, probabilities)
    assert found is not None
    same = said[:, 0] == said[:, 1]
    against = same & (probabilities.argmax(axis=1) != said[:, 0])
    quality = np.array([each.quality for each in found])
    assert against.any()
    assert quality[against].max() < quality[same & ~against].min()


def test_missing_answers_and_annotators_who_never_answered_are_no_trouble() -> None:
    _, said, probabilities = scene(60, [0.9, 0.9, 0.9], model=0.9)
    said[::2, 1] = MISSING
    said[:, 2] = MISSING
    found = check(said, probabilities)
    assert found is not None
    assert len(found) == 60
    assert all(0 <= each.quality <= 1 for each in found)


@pytest.mark.parametrize("why", ["few", "alone", "none"])
def test_too_little_to_weigh_by_is_said_and_not_guessed(why: str) -> None:
    _, said, probabilities = scene(FEWEST_ITEMS + 5, [0.9, 0.9], model=0.9)
    if why == "few":
        said, probabilities = said[: FEWEST_ITEMS - 1], probabilities[: FEWEST_ITEMS - 1]
    if why == "alone":
        said[:, 1] = MISSING
    if why == "none":
        said, probabilities = said[:0], probabilities[:0]
    assert check(said, probabilities) is None
