"""The words that moved a model: exact for sums, by leaving words out for the rest."""

from typing import Any

import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import FeatureUnion, Pipeline

from tests.training.texts import corpus, fitted
from training.words import MOST_LEFT_OUT, UnknownClass, word_weights

TEXT = "The soup was awful, awful and cold but the waiter was lovely"


def trained(features: Any, classifier: Any, *, n_classes: int = 2) -> Pipeline:
    texts, labels = corpus(120, n_classes=n_classes, seed=3)
    return Pipeline([("features", features), ("classifier", classifier)]).fit(texts, labels)


FEATURES: dict[str, Any] = {
    "tfidf": TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
    "hashing": HashingVectorizer(ngram_range=(1, 2), n_features=256, alternate_sign=False),
    "inside words": TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4)),
    "across words": TfidfVectorizer(analyzer="char", ngram_range=(3, 3)),
    "both": FeatureUnion(
        [
            ("words", HashingVectorizer(n_features=512)),
            ("letters", TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 3))),
        ]
    ),
}


@pytest.mark.parametrize("name", FEATURES)
def test_the_words_of_a_linear_model_sum_to_its_logit(name: str) -> None:
    pipeline = trained(FEATURES[name], LogisticRegression(C=10))
    moved = dict(word_weights(pipeline, text=TEXT, label="positive"))
    logit = float(pipeline.decision_function([TEXT])[0]) - pipeline[-1].intercept_[0]
    assert sum(moved.values()) == pytest.approx(logit)
    assert moved["awful"] < 0 < moved["lovely"]
    away = dict(word_weights(pipeline, text=TEXT, label="negative"))
    assert away["awful"] == pytest.approx(-moved["awful"])


def test_the_strongest_word_comes_first_and_idle_ones_are_missing() -> None:
    moved = word_weights(fitted(), text=f"{TEXT} zzz", label="negative")
    assert moved[0].word == "awful"
    assert [abs(weight) for _, weight in moved] == sorted(
        (abs(weight) for _, weight in moved), reverse=True
    )
    assert "zzz" not in dict(moved)


@pytest.mark.parametrize("classifier", [LogisticRegression(), SGDClassifier(loss="log_loss")])
def test_of_three_labels_each_has_words_of_its_own(classifier: Any) -> None:
    pipeline = trained(TfidfVectorizer(), classifier, n_classes=3)
    text = "awful soup, okay bread, lovely staff"
    for label, word in {"negative": "awful", "neutral": "okay", "positive": "lovely"}.items():
        assert word_weights(pipeline, text=text, label=label)[0].word == word


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_calibrated_model_is_a_sum_too(n_classes: int) -> None:
    calibrated = CalibratedClassifierCV(LogisticRegression(), method="sigmoid", cv=3)
    moved = dict(
        word_weights(
            trained(TfidfVectorizer(), calibrated, n_classes=n_classes),
            text=TEXT,
            label="positive",
        )
    )
    assert moved["awful"] < 0 < moved["lovely"]
    assert "zzz" not in moved


def test_any_other_model_is_asked_without_each_word() -> None:
    pipeline = trained(TfidfVectorizer(), RandomForestClassifier(n_estimators=30, random_state=1))
    moved = word_weights(pipeline, text=TEXT, label="negative")
    full, without = pipeline.predict_proba([TEXT, TEXT.replace("awful", "")])[:, 0]
    assert dict(moved)["awful"] == pytest.approx(full - without)
    assert dict(moved)["lovely"] < 0


def test_the_words_left_out_are_bounded() -> None:
    pipeline = trained(TfidfVectorizer(), RandomForestClassifier(n_estimators=2, random_state=1))
    asked: list[int] = []
    answer = pipeline.predict_proba
    pipeline.predict_proba = lambda texts: asked.append(len(texts)) or answer(texts)
    word_weights(pipeline, text=" ".join(f"word{n}" for n in range(500)), label="negative")
    assert asked == [MOST_LEFT_OUT + 1]


@pytest.mark.parametrize("text", ["", "   ", "!!!", "zzz"])
def test_a_text_without_known_words_has_none(text: str) -> None:
    assert word_weights(fitted(), text=text, label="positive") == []
    forest = trained(TfidfVectorizer(), RandomForestClassifier(n_estimators=2, random_state=1))
    assert word_weights(forest, text=text, label="positive") == []


def test_a_label_the_model_cannot_answer_is_refused() -> None:
    with pytest.raises(UnknownClass, match="neutral"):
        word_weights(fitted(), text=TEXT, label="neutral")
