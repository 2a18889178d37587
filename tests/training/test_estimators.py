"""Estimators: parameters are checked by name, fits repeat exactly, weights and classes count."""

import numpy as np
import pytest

from tests.training.texts import corpus, fitted
from training.estimators import (
    ESTIMATORS,
    BadEstimatorParameters,
    CannotFit,
    UnknownEstimator,
    build,
    check,
    fit,
)
from training.fingerprints import fingerprint


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_every_estimator_learns_a_small_corpus(name: str, n_classes: int) -> None:
    pipeline = fitted(name, n_classes=n_classes)
    texts, labels = corpus(90, n_classes=n_classes, seed=2)
    probabilities = pipeline.predict_proba(texts)
    assert probabilities.shape == (90, n_classes)
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert np.mean(pipeline.predict(texts) == labels) > 0.95


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_same_data_and_seed_give_the_same_model(name: str) -> None:
    assert fingerprint(fitted(name)) == fingerprint(fitted(name))


def test_parameters_come_back_with_their_defaults() -> None:
    parameters = check("tfidf_logreg", params={"C": 2})
    assert parameters["C"] == 2.0
    assert parameters["ngram_max"] == 2


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"C": 0}, "C"),
        ({"C": float("nan")}, "C"),
        ({"C": "ten"}, "C"),
        ({"ngram_max": 9}, "ngram_max"),
        ({"min_df": 1.5}, "min_df"),
        ({"class_weight": "heavy"}, "class_weight"),
        ({"multi_class": "ovr"}, "multi_class"),
    ],
)
def test_a_bad_parameter_is_refused_by_name(params: dict[str, object], named: str) -> None:
    with pytest.raises(BadEstimatorParameters, match=named):
        build("tfidf_logreg", params=params, seed=1)


def test_an_unknown_estimator_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownEstimator, match="tfidf_logreg"):
        build("bert", params={}, seed=1)


def test_weights_decide_between_contradicting_labels() -> None:
    texts, labels = ["soup soup", "soup soup", "tea tea"], ["good", "bad", "good"]
    for weights, expected in (([9, 1, 1], "good"), ([1, 9, 1], "bad")):
        pipeline = build("tfidf_logreg", params={}, seed=1)
        fit(pipeline, texts=texts, labels=labels, weights=weights)
        assert pipeline.predict(["soup"])[0] == expected


@pytest.mark.parametrize(
    ("texts", "labels", "weights", "why"),
    [
        ([], [], None, "none"),
        (["a b", "cc"], ["x", "x"], None, "only `x`"),
        (["aa", "bb"], ["x", "y"], [1, 0], "only `x`"),
        (["aa", "bb"], ["x"], None, "2 texts came with 1 labels"),
        (["aa", "bb"], ["x", "y"], [1], "1 weights"),
        (["aa", "bb"], ["x", "y"], [1, float("nan")], "finite"),
        (["aa", "bb"], ["x", "y"], [1, -1], "not negative"),
        (["!", "?"], ["x", "y"], None, "no words"),
    ],
)
def test_what_cannot_be_learned_from_is_refused_in_words(
    texts: list[str], labels: list[str], weights: list[float] | None, why: str
) -> None:
    with pytest.raises(CannotFit, match=why):
        fit(build("tfidf_logreg", params={}, seed=1), texts=texts, labels=labels, weights=weights)
