"""The compiled scorer gives scikit-learn's numbers, for any text and any pipeline."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from rollout.serving.scorer import (
    BinaryScorer,
    MultinomialScorer,
    PipelineScorer,
    Scorer,
    compile_scorer,
)
from tests.training.texts import corpus, fitted

TOLERANCE = 1e-9
PIPELINES = {n: fitted(n_classes=n) for n in (2, 3)}
SCORERS = {n: compile_scorer(pipeline) for n, pipeline in PIPELINES.items()}
# Any text at all, and texts of known words joined by odd characters, repeated and cased.
KNOWN = sorted({word for text in corpus(120, n_classes=3)[0] for word in text.split()})
ODD = st.sampled_from(
    ["\x00", "\u200d", "\u2028", "İ", "ß", "ǅ", "é", "\u0301", "💩", "\ud83d", "1", "_"]
)
TEXTS = st.text(st.characters() | ODD, max_size=200) | st.lists(
    st.sampled_from(KNOWN) | st.sampled_from(KNOWN).map(str.upper) | ODD, max_size=60
).map(" ".join)


def _assert_same(pipeline: Pipeline, scorer: Scorer, text: str) -> None:
    expected = pipeline.predict_proba([text])[0]
    score = scorer.score(text)
    assert list(score.probabilities) == list(scorer.classes) == list(pipeline.classes_)
    assert np.abs(expected - list(score.probabilities.values())).max() <= TOLERANCE
    assert score.confidence == score.probabilities[score.label] == max(score.probabilities.values())
    ordered = np.sort(expected)
    assert score.margin == pytest.approx(ordered[-1] - ordered[-2], abs=1e-9)
    if score.margin > TOLERANCE:
        assert score.label == pipeline.predict([text])[0]


@pytest.mark.parametrize("n_classes", [2, 3])
@given(text=TEXTS)
@settings(max_examples=300, deadline=None)
def test_any_text_scores_as_in_scikit_learn(n_classes: int, text: str) -> None:
    _assert_same(PIPELINES[n_classes], SCORERS[n_classes], text)


def test_the_default_pipelines_are_compiled() -> None:
    assert isinstance(SCORERS[2], BinaryScorer)
    assert isinstance(SCORERS[3], MultinomialScorer)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    "options",
    [
        {"ngram_range": (1, 1)},
        {"ngram_range": (2, 2)},
        {"ngram_range": (1, 3), "sublinear_tf": True},
        {"sublinear_tf": True},
        {"use_idf": False},
        {"smooth_idf": False},
        {"lowercase": False},
        {"strip_accents": "unicode"},
        {"token_pattern": r"(?u)\b\w+(?:'\w+)?\b"},
        {"token_pattern": r"(\w)\w*", "ngram_range": (1, 2)},
        {"max_features": 20, "ngram_range": (1, 2)},
    ],
)
def test_every_compiled_option_gives_the_same_numbers(
    n_classes: int, options: dict[str, object]
) -> None:
    texts, labels = corpus(90, n_classes=n_classes)
    pipeline = Pipeline([("f", TfidfVectorizer(**options)), ("c", LogisticRegression())])
    pipeline.fit(texts, labels)
    scorer = compile_scorer(pipeline)
    assert not isinstance(scorer, PipelineScorer)
    for text in ["", "unseen", "Soup soup SOUP wasn't GREAT", *corpus(20, n_classes=3, seed=4)[0]]:
        _assert_same(pipeline, scorer, text)


def _changed(**options: object) -> Callable[[], Pipeline]:
    def build() -> Pipeline:
        texts, labels = corpus(60)
        vectorizer = TfidfVectorizer(**options)
        return Pipeline([("f", vectorizer), ("c", LogisticRegression())]).fit(texts, labels)

    return build


@pytest.mark.parametrize(
    "build",
    [
        lambda: fitted("hashing_sgd"),
        lambda: fitted("hashing_sgd", n_classes=3),
        _changed(analyzer="char", ngram_range=(2, 3)),
        _changed(norm="l1"),
        _changed(norm=None),
        _changed(binary=True),
        _changed(stop_words=["the"]),
        _changed(tokenizer=str.split, token_pattern=None),
        _changed(preprocessor=str.upper),
        _changed(dtype=np.float32),
    ],
)
def test_what_cannot_be_compiled_answers_through_scikit_learn(
    build: Callable[[], Pipeline],
) -> None:
    pipeline = build()
    scorer = compile_scorer(pipeline)
    assert isinstance(scorer, PipelineScorer)
    for text in ["", "the soup was GREAT great", *corpus(10, seed=4)[0]]:
        _assert_same(pipeline, scorer, text)


@pytest.mark.parametrize("name", ["tfidf_logreg", "hashing_sgd"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_many_texts_score_as_they_do_one_by_one(name: str, n_classes: int) -> None:
    scorer = compile_scorer(fitted(name, n_classes=n_classes))
    texts, _ = corpus(25, n_classes=n_classes, seed=6)
    for one, many in zip(map(scorer.score, texts), scorer.score_many(texts), strict=True):
        assert one.label == many.label
        assert list(one.probabilities.values()) == pytest.approx(list(many.probabilities.values()))
    assert scorer.score_many([]) == []


def test_a_tie_goes_to_the_first_class() -> None:
    pipeline = fitted()
    pipeline[1].intercept_[:] = 0
    score = compile_scorer(pipeline).score("nothing known")
    assert (score.label, score.confidence, score.margin) == ("negative", 0.5, 0)
    assert pipeline.predict(["nothing known"])[0] == "negative"


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("scale", [1e5, -1e5])
def test_extreme_logits_do_not_overflow(n_classes: int, scale: float) -> None:
    pipeline = fitted(n_classes=n_classes)
    pipeline[1].coef_ *= scale
    scorer = compile_scorer(pipeline)
    for text in corpus(10, n_classes=n_classes)[0]:
        _assert_same(pipeline, scorer, text)
