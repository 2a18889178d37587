"""Metrics: published and hand-worked numbers, scikit-learn as oracle, and honest emptiness."""

import math

import numpy as np
import pytest
from sklearn import metrics as oracle

from training.active_learning import measures
from training.metrics import (
    BadAnswers,
    align,
    effective_n,
    macro_f1,
    macro_f1_standard_error,
    measure,
    wilson,
)

CLASSES = ["a", "b", "c"]


def _random(n: int, seed: int, skill: float = 2.0) -> tuple[list[str], np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(3, size=n)
    logits = rng.normal(size=(n, 3)) + skill * np.eye(3)[truth]
    odds = np.exp(logits)
    return [CLASSES[index] for index in truth], odds / odds.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("weighted", [False, True])
def test_measures_agree_with_scikit_learn(weighted: bool) -> None:
    labels, probabilities = _random(400, seed=1)
    weights = np.random.default_rng(2).uniform(0.1, 3, 400) if weighted else None
    found = measure(labels=labels, probabilities=probabilities, classes=CLASSES, weights=weights)
    answers = [CLASSES[index] for index in probabilities.argmax(axis=1)]
    precision, recall, f1, _ = oracle.precision_recall_fscore_support(
        labels, answers, sample_weight=weights
    )
    assert found.accuracy == pytest.approx(
        oracle.accuracy_score(labels, answers, sample_weight=weights)
    )
    assert found.balanced_accuracy == pytest.approx(recall.mean())
    assert found.macro_f1 == pytest.approx(f1.mean())
    assert [found.classes[c].precision for c in CLASSES] == pytest.approx(list(precision))
    assert [found.classes[c].recall for c in CLASSES] == pytest.approx(list(recall))
    assert sum(found.classes[c].support for c in CLASSES) == found.n == 400
    assert found.brier == pytest.approx(
        oracle.brier_score_loss(
            labels, probabilities, sample_weight=weights, labels=CLASSES, scale_by_half=True
        )
    )
    assert np.allclose(
        found.confusion, oracle.confusion_matrix(labels, answers, sample_weight=weights)
    )


def test_calibration_error_of_a_worked_example() -> None:
    labels = ["b"] * 7 + ["a"] * 3
    found = measure(labels=labels, probabilities=[[0.1, 0.9]] * 10, classes=["a", "b"])
    assert found.ece == pytest.approx(0.2)
    assert found.brier == pytest.approx(0.7 * 0.01 + 0.3 * 0.81)


def test_no_labels_measure_nothing() -> None:
    found = measure(labels=[], probabilities=[], classes=CLASSES)
    assert found.n == 0
    assert found.accuracy is found.accuracy_interval is found.macro_f1 is None
    assert found.balanced_accuracy is found.brier is found.ece is None
    assert found.classes["a"].recall is found.classes["a"].precision is None


def test_a_class_without_samples_leaves_the_means_undefined() -> None:
    found = measure(labels=["a", "a"], probabilities=[[1, 0], [1, 0]], classes=["a", "b"])
    assert found.accuracy == 1
    assert found.macro_f1 is found.balanced_accuracy is None
    assert found.classes["b"].f1 is None


def test_a_class_never_answered_has_no_precision_and_no_flattering_f1() -> None:
    found = measure(labels=["a", "b"], probabilities=[[1, 0], [1, 0]], classes=["a", "b"])
    assert found.classes["b"].precision is None
    assert found.classes["b"].f1 == 0
    assert found.macro_f1 == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("labels", "probabilities", "why"),
    [
        (["a"], [[math.nan, 1]], "finite"),
        (["a"], [[0.6, 0.6]], "sum to 1"),
        (["a"], [[-0.5, 1.5]], "outside"),
        (["a"], [[1.0]], "Probabilities are"),
        (["z"], [[0.5, 0.5]], "Labels outside the classes: z"),
    ],
)
def test_unusable_answers_are_refused(labels: list[str], probabilities: object, why: str) -> None:
    with pytest.raises(BadAnswers, match=why):
        measure(labels=labels, probabilities=probabilities, classes=["a", "b"])  # type: ignore[arg-type]


# Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3.
@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(
    successes: int, n: int, low: float, high: float
) -> None:
    interval = wilson(successes, n)
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)
    assert wilson(0, 0) is None


def test_weights_shrink_the_effective_number() -> None:
    assert effective_n([1, 1, 2]) == pytest.approx(16 / 6)
    assert effective_n([0, 0]) == 0


def test_macro_f1_interval_covers_the_truth_as_often_as_it_says() -> None:
    cells = np.array([[0.40, 0.08, 0.02], [0.05, 0.25, 0.05], [0.02, 0.03, 0.10]])
    truth = macro_f1(cells)
    rng = np.random.default_rng(5)
    above = 0
    for _ in range(2000):
        counts = rng.multinomial(300, cells.ravel()).reshape(3, 3).astype(float)
        value, error = macro_f1(counts), macro_f1_standard_error(counts)
        assert value is not None
        assert error is not None
        assert truth is not None
        above += truth >= value - 1.6449 * error
    assert 0.935 <= above / 2000 <= 0.985


def test_a_table_without_errors_is_not_certain() -> None:
    error = macro_f1_standard_error(np.diag([10.0, 10.0]))
    assert error is not None
    assert error > 0.02
    assert macro_f1_standard_error(np.zeros((2, 2))) is None


def test_columns_are_moved_to_the_project_s_classes() -> None:
    aligned = align([[0.2, 0.8]], known=["c", "a"], classes=CLASSES)
    assert aligned.tolist() == [[0.8, 0, 0.2]]
    with pytest.raises(BadAnswers, match="old"):
        align([[1.0]], known=["old"], classes=CLASSES)


def test_uncertainty_measures_of_worked_examples() -> None:
    found = measures(np.array([[0.5, 0.3, 0.2], [1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]]))
    assert found.margin == pytest.approx([0.2, 1, 0])
    assert found.confidence == pytest.approx([0.5, 1, 1 / 3])
    assert found.entropy == pytest.approx([1.0297, 0, math.log(3)], abs=1e-4)


@pytest.mark.parametrize("answers", [np.ones((2, 1)), np.empty((0, 3))])
def test_a_model_without_a_choice_is_sure_and_no_answers_measure_nothing(
    answers: np.ndarray,
) -> None:
    found = measures(answers)
    assert found.margin.tolist() == found.confidence.tolist() == [1] * len(answers)
    assert found.entropy.tolist() == [0] * len(answers)
