"""Krippendorff's alpha against published numbers and simulated agreement; no database."""

import numpy as np
import pytest
from numpy.typing import NDArray

from curation.review.agreement.krippendorff import Metric, alpha

# Krippendorff (2011), section C/D: four observers, twelve units, five values, "." is missing.


def votes_of(*observers: str, labels: str = "12345") -> NDArray[np.int64]:
    units = zip(*observers, strict=True)
    return np.array([[unit.count(label) for label in labels] for unit in units], dtype=np.int64)


REFERENCE = votes_of("123321412...", "1233224125.3", ".3332342251.", "12332441251.")


@pytest.mark.parametrize(
    ("metric", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_the_published_example_has_the_published_alpha(metric: Metric, published: float) -> None:
    found = alpha(REFERENCE, metric=metric)
    assert found.value == pytest.approx(published, abs=0.0005)
    assert (found.n_units, found.n_answers) == (11, 40)
    assert found.low is not None
    assert found.high is not None
    assert found.low < published < found.high


def test_two_observers_and_two_values_as_published() -> None:
    # Krippendorff (2011), section A: ten units, 0.095.
    found = alpha(votes_of("0100000000", "1110010001", labels="01"))
    assert found.value == pytest.approx(0.095, abs=0.0005)


def test_agreement_without_exception_is_one_and_the_reverse_is_negative() -> None:
    assert alpha(votes_of("112", "112", labels="12")).value == 1
    worst = alpha(votes_of("12" * 20, "21" * 20, labels="12")).value
    assert worst is not None
    assert worst < -0.9


@pytest.mark.parametrize(
    "votes",
    [votes_of("1.", ".2", labels="12"), votes_of("11", "11", labels="12"), REFERENCE[:0]],
    ids=["no unit with two answers", "nothing to disagree on", "no units"],
)
def test_what_cannot_be_told_is_not_invented(votes: NDArray[np.int64]) -> None:
    found = alpha(votes)
    assert (found.value, found.low, found.high) == (None, None, None)


def test_one_unit_has_no_interval() -> None:
    found = alpha(votes_of("1", "2", labels="12"))
    assert found.value is not None
    assert (found.low, found.high, found.n_units) == (None, None, 1)


def test_the_interval_is_the_same_for_the_same_seed_and_narrows_with_units() -> None:
    def width(times: int) -> float:
        found = alpha(np.tile(REFERENCE, (times, 1)))
        assert found.low is not None
        assert found.high is not None
        return found.high - found.low

    assert alpha(REFERENCE) == alpha(REFERENCE)
    assert width(25) < 0.3 * width(1)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    # Two annotators, right with 0.85 each: chance corrected agreement of binary labels, even
    # prevalence, is (2 * 0.85 - 1) ** 2 = 0.49.
    rng = np.random.default_rng(20261123)
    covered = 0
    for seed in range(200):
        truth = rng.integers(0, 2, 150)
        votes = np.zeros((150, 2), dtype=np.int64)
        for _ in range(2):
            said = np.where(rng.random(150) < 0.85, truth, 1 - truth)
            votes[np.arange(150), said] += 1
        found = alpha(votes, resamples=400, rng_seed=seed)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0.49 <= found.high
    assert 180 <= covered <= 198
