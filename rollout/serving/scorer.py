"""One text, one answer, fast: a fitted pipeline compiled to dictionary look-ups.

scikit-learn answers one text in about a millisecond, nearly all of it spent on building and
checking matrices of one row. A TF-IDF pipeline over words with logistic regression is a sum over
the terms of the text, so it is compiled to one; every other pipeline answers through its own
``predict_proba`` behind the same interface. Both give the same numbers to 1e-9.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

# scikit-learn and its kin take seconds to import: only those who fit or load a model pay.
if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class Score:
    """A model's answer to one text."""

    label: str
    confidence: float
    """Probability of ``label``, 0 to 1."""
    probabilities: dict[str, float]
    """By class, in the model's order; they sum to 1."""
    margin: float
    """``confidence`` minus the second-best probability; 1 when there is only one class."""


class Scorer(Protocol):
    """What serves: texts in, answers out. Safe to share between threads."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels it can answer."""
        ...

    def score(self, text: str) -> Score:
        """The answer to one text."""
        ...

    def score_many(self, texts: Sequence[str]) -> list[Score]:
        """The answers to several texts, in order."""
        ...


def compile_scorer(pipeline: "Pipeline") -> Scorer:
    """The fastest scorer for a fitted pipeline: compiled where its parts allow."""
    if not _can_compile(pipeline):
        return PipelineScorer(pipeline)
    vectorizer, classifier = (step for _, step in pipeline.steps)
    if classifier.coef_.shape[0] == 1:
        return BinaryScorer(vectorizer, classifier)
    return MultinomialScorer(vectorizer, classifier)


class BinaryScorer:
    """TF-IDF and logistic regression over two classes, in plain Python.

    A term that occurs once adds a constant to the logit and one to the squared norm. Both sit in
    one complex number, the norm's in the imaginary part, so that a term costs one look-up in
    memory that is rarely warm; the few repeated terms are corrected afterwards.
    """

    def __init__(self, vectorizer: "TfidfVectorizer", classifier: "LogisticRegression") -> None:
        self.classes = _class_names(classifier)
        self._terms = _TermCounter(vectorizer)
        idf = _idf(vectorizer)
        parts = (idf * classifier.coef_[0] + 1j * idf * idf).tolist()
        self._part: dict[str, complex] = {
            term: parts[column] for term, column in vectorizer.vocabulary_.items()
        }
        self._intercept = float(classifier.intercept_[0])
        self._sublinear = bool(vectorizer.sublinear_tf)

    def score(self, text: str) -> Score:
        """The answer to one text."""
        counts = self._terms(text)
        part_of = self._part.get
        sums = sum(map(part_of, counts, repeat(0j)), 0j)
        total, squares = sums.real, sums.imag
        for term, count in counts.items():
            if count > 1:
                part = part_of(term, 0j)
                weight = 1.0 + math.log(count) if self._sublinear else count
                total += (weight - 1.0) * part.real
                squares += (weight * weight - 1.0) * part.imag
        second = _sigmoid(self._intercept + (total / math.sqrt(squares) if squares else 0.0))
        # Written as scikit-learn does, down to the first class on a tie.
        first = 1.0 - second
        negative, positive = self.classes
        probabilities = {negative: first, positive: second}
        if second > first:
            return Score(positive, second, probabilities, second - first)
        return Score(negative, first, probabilities, first - second)

    def score_many(self, texts: Sequence[str]) -> list[Score]:
        """The answers to several texts, in order."""
        return [self.score(text) for text in texts]


class MultinomialScorer:
    """TF-IDF and logistic regression over three or more classes, with one gather from a table."""

    def __init__(self, vectorizer: "TfidfVectorizer", classifier: "LogisticRegression") -> None:
        self.classes = _class_names(classifier)
        self._terms = _TermCounter(vectorizer)
        self._column = {term: int(column) for term, column in vectorizer.vocabulary_.items()}
        idf = _idf(vectorizer)
        # One row a term: what it adds to each logit when it occurs once, then to the squared norm.
        self._table = np.column_stack([classifier.coef_.T * idf[:, None], idf * idf])
        self._intercept: list[float] = np.asarray(classifier.intercept_).tolist()
        self._sublinear = bool(vectorizer.sublinear_tf)

    def score(self, text: str) -> Score:
        """The answer to one text."""
        counts = self._terms(text)
        column_of = self._column.get
        columns = [column for column in map(column_of, counts) if column is not None]
        logits = self._intercept
        if columns:
            *totals, squares = np.add.reduce(self._table.take(columns, axis=0)).tolist()
            for term, count in counts.items():
                if count > 1 and (column := column_of(term)) is not None:
                    weight = 1.0 + math.log(count) if self._sublinear else count
                    *parts, square = self._table[column].tolist()
                    squares += (weight * weight - 1.0) * square
                    totals = [t + (weight - 1.0) * p for t, p in zip(totals, parts, strict=True)]
            norm = math.sqrt(squares)
            logits = [b + total / norm for b, total in zip(logits, totals, strict=True)]
        return _as_score(self.classes, _softmax(logits))

    def score_many(self, texts: Sequence[str]) -> list[Score]:
        """The answers to several texts, in order."""
        return [self.score(text) for text in texts]


class PipelineScorer:
    """Any fitted pipeline through its own ``predict_proba``."""

    def __init__(self, pipeline: "Pipeline") -> None:
        self.classes = _class_names(pipeline)
        self._pipeline = pipeline

    def score(self, text: str) -> Score:
        """The answer to one text."""
        return self.score_many([text])[0]

    def score_many(self, texts: Sequence[str]) -> list[Score]:
        """The answers to several texts, in order, in one call."""
        if not texts:
            return []
        rows = self._pipeline.predict_proba(list(texts)).tolist()
        return [_as_score(self.classes, row) for row in rows]


class _TermCounter:
    """The terms of a text, known or not: term → occurrences."""

    def __init__(self, vectorizer: "TfidfVectorizer") -> None:
        self._preprocess: Callable[[str], str] = vectorizer.build_preprocessor()
        self._tokenize: Callable[[str], list[str]] = vectorizer.build_tokenizer()
        self._low, self._high = vectorizer.ngram_range

    def __call__(self, text: str) -> dict[str, int]:
        tokens = self._tokenize(self._preprocess(text))
        terms = list(tokens) if self._low == 1 else []
        for n in range(max(2, self._low), self._high + 1):
            terms += map(" ".join, zip(*(tokens[k:] for k in range(n)), strict=False))
        return Counter(terms)


def _can_compile(pipeline: "Pipeline") -> bool:
    """Whether every part is exactly one whose arithmetic is written out here."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    if [type(step) for _, step in pipeline.steps] != [TfidfVectorizer, LogisticRegression]:
        return False
    vectorizer, classifier = (step for _, step in pipeline.steps)
    coefficients = classifier.coef_
    return (
        vectorizer.analyzer == "word"
        and vectorizer.input == "content"
        and vectorizer.preprocessor is None
        and vectorizer.tokenizer is None
        and vectorizer.stop_words is None
        and vectorizer.norm == "l2"
        and not vectorizer.binary
        and vectorizer.dtype is np.float64
        and isinstance(coefficients, np.ndarray)
        and coefficients.dtype == np.float64
        and coefficients.shape[1] == len(vectorizer.vocabulary_)
    )


def _idf(vectorizer: "TfidfVectorizer") -> NDArray[np.float64]:
    """Inverse document frequencies by column; ones when the vectorizer uses none."""
    if not vectorizer.use_idf:
        return np.ones(len(vectorizer.vocabulary_))
    return np.asarray(vectorizer.idf_, dtype=np.float64)


def _class_names(fitted: Any) -> tuple[str, ...]:
    return tuple(str(name) for name in fitted.classes_)


def _sigmoid(logit: float) -> float:
    if logit >= 0:
        return 1.0 / (1.0 + math.exp(-logit))
    # The other form would overflow for very negative logits.
    power = math.exp(logit)
    return power / (1.0 + power)


def _softmax(logits: list[float]) -> list[float]:
    best = max(logits)
    exponents = [math.exp(logit - best) for logit in logits]
    total = sum(exponents)
    return [exponent / total for exponent in exponents]


def _as_score(classes: tuple[str, ...], row: list[float]) -> Score:
    best = max(row)
    second = sorted(row)[-2] if len(row) > 1 else 0.0
    return Score(
        label=classes[row.index(best)],
        confidence=best,
        probabilities=dict(zip(classes, row, strict=True)),
        margin=best - second,
    )
