"""Which words of a text moved a model towards a label, and by how much.

A linear model's logit is a sum, so the share of every word is exact: coefficient times value of
each term, given to the words that the term is made of. Terms that share a hash bucket share its
contribution. Any other model is asked again without each word in turn, which measures the same
thing less finely: words that say the same vouch for each other, and each then seems to move little.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# scikit-learn and its kin take seconds to import: only those who fit or load a model pay.
if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Floats = NDArray[np.float64]
# A model that is no sum is asked once for each of the first so many distinct words.
MOST_LEFT_OUT = 150
# Letters and digits, with what joins them: don't, so-so.
WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


class WordWeight(NamedTuple):
    """One word of a text and how far it moved the model."""

    word: str
    """As the model reads it, usually in lower case."""
    weight: float
    """Towards the label when positive, away from it when negative; see :func:`word_weights`."""


class UnknownClass(ValueError):
    """The model cannot answer the label it was asked about."""


def word_weights(pipeline: "Pipeline", *, text: str, label: str) -> list[WordWeight]:
    """How far each word of ``text`` moved the model towards ``label``, the strongest first.

    Of a linear model: in logits, where the words and the model's own leaning sum to its answer; of
    any other: in probability lost when the word is left out. Words without influence are missing.
    With three or more labels a softmax model's logits are taken against their mean, because only
    their differences count. Raises :class:`UnknownClass`.
    """
    classes = [str(name) for name in pipeline.classes_]
    if label not in classes:
        raise UnknownClass(f"The model knows {', '.join(classes)}, not {label}.")
    position = classes.index(label)
    coefficients = _coefficients(pipeline.steps[-1][1], position)
    readers = _readers(pipeline) if coefficients is not None else None
    if coefficients is None or readers is None:
        weights = _left_out(pipeline, text, position)
    else:
        row = np.asarray(pipeline[:-1].transform([text]).todense(), dtype=np.float64)[0]
        weights = _shared(readers, row * coefficients, text)
    moved = [WordWeight(word, weight) for word, weight in weights.items() if weight]
    return sorted(moved, key=lambda each: (-abs(each.weight), each.word))


def _coefficients(classifier: Any, position: int) -> Floats | None:
    """Of the logit of one class, (n_features,); None when the model has no such sum."""
    from sklearn.calibration import CalibratedClassifierCV

    if isinstance(classifier, CalibratedClassifierCV):
        return _calibrated(classifier, position)
    if not hasattr(classifier, "coef_"):
        return None
    table: Floats = np.asarray(classifier.coef_, dtype=np.float64)
    if len(table) == 1:
        return np.asarray(table[0] if position == 1 else -table[0])
    from sklearn.linear_model import LogisticRegression

    # One sigmoid a label needs no reference; a softmax only knows differences.
    mean = table.mean(axis=0) if isinstance(classifier, LogisticRegression) else 0.0
    return np.asarray(table[position] - mean)


def _calibrated(classifier: Any, position: int) -> Floats | None:
    """The mean over the folds; Platt's sigmoid 1 / (1 + exp(a·f + b)) scales a logit by -a."""
    folds = []
    for fold in classifier.calibrated_classifiers_:
        inner = _coefficients(fold.estimator, position)
        calibrator = fold.calibrators[position if len(fold.calibrators) > 1 else 0]
        if inner is None or not hasattr(calibrator, "a_"):
            return None
        folds.append(-float(calibrator.a_) * inner)
    return np.asarray(np.mean(folds, axis=0))


@dataclass(frozen=True)
class _Reader:
    """How one vectoriser reads a text: terms, their columns, and the words they are made of."""

    spell: Callable[[str], Iterator[tuple[str, Sequence[str]]]]
    """Each occurrence of a term in a text, with the words it is made of."""
    column_of: Callable[[str], int | None]
    offset: int
    """Column of its first feature among those of all readers."""


def _readers(pipeline: "Pipeline") -> list[_Reader] | None:
    """A reader for each vectoriser of the pipeline, or None when its columns cannot be traced."""
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.pipeline import FeatureUnion

    (_, first), *between, _ = pipeline.steps
    # What stands between must keep the columns as they are.
    if not all(isinstance(step, TfidfTransformer) for _, step in between):
        return None
    parts = (
        [part for _, part in first.transformer_list] if isinstance(first, FeatureUnion) else [first]
    )
    readers, offset = [], 0
    for part in parts:
        reader = _reader(part, offset)
        if reader is None:
            return None
        readers.append(reader)
        offset += part.n_features if hasattr(part, "n_features") else len(part.vocabulary_)
    return readers


def _reader(vectorizer: Any, offset: int) -> _Reader | None:
    from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer

    speller = _SPELLERS.get(vectorizer.analyzer) if hasattr(vectorizer, "analyzer") else None
    if speller is None:
        return None
    spell = speller(vectorizer)
    if isinstance(vectorizer, HashingVectorizer):
        return _Reader(spell, lambda term: _bucket(vectorizer, term), offset)
    if isinstance(vectorizer, CountVectorizer):
        return _Reader(spell, vectorizer.vocabulary_.get, offset)
    return None


def _bucket(vectorizer: Any, term: str) -> int:
    from sklearn.feature_extraction import FeatureHasher

    hasher = FeatureHasher(vectorizer.n_features, input_type="string", alternate_sign=False)
    return int(hasher.transform([[term]]).indices[0])


def _spell_words(vectorizer: Any) -> Callable[[str], Iterator[tuple[str, Sequence[str]]]]:
    """Runs of words are made of their words."""
    analyze = vectorizer.build_analyzer()
    return lambda text: ((term, term.split()) for term in analyze(text))


def _spell_inside(vectorizer: Any) -> Callable[[str], Iterator[tuple[str, Sequence[str]]]]:
    """Runs of characters that never leave their word (``char_wb``)."""
    analyze, prepare = vectorizer.build_analyzer(), vectorizer.build_preprocessor()
    return lambda text: (
        (term, [_bare(word)]) for word in prepare(text).split() for term in analyze(word)
    )


def _spell_across(vectorizer: Any) -> Callable[[str], Iterator[tuple[str, Sequence[str]]]]:
    """Runs of characters, each made of the words it touches, once for every character."""
    prepare = vectorizer.build_preprocessor()
    low, high = vectorizer.ngram_range

    def spell(text: str) -> Iterator[tuple[str, Sequence[str]]]:
        line = re.sub(r"\s\s+", " ", prepare(text))
        owner: dict[int, str] = {
            place: _bare(match[0])
            for match in re.finditer(r"\S+", line)
            for place in range(*match.span())
        }
        for n in range(low, min(high, len(line)) + 1):
            for start in range(len(line) - n + 1):
                places = range(start, start + n)
                yield line[start : start + n], [owner[p] for p in places if p in owner]

    return spell


_SPELLERS: Mapping[Any, Callable[[Any], Callable[[str], Iterator[tuple[str, Sequence[str]]]]]] = {
    "word": _spell_words,
    "char_wb": _spell_inside,
    "char": _spell_across,
}


def _bare(word: str) -> str:
    """A word without the punctuation around it; what is nothing else stays."""
    return word.strip(".,;:!?…\"'’“”()[]") or word


def _shared(readers: Sequence[_Reader], parts: Floats, text: str) -> dict[str, float]:
    """The contribution of every column, given in equal parts to what stands in it."""
    weights: dict[str, float] = defaultdict(float)
    for reader in readers:
        spelled = [(reader.column_of(term), words) for term, words in reader.spell(text)]
        standing = Counter(column for column, _ in spelled)
        for column, words in spelled:
            if column is None:
                continue
            share = float(parts[reader.offset + column]) / standing[column]
            for word in words:
                weights[word] += share / len(words)
    return dict(weights)


def _left_out(pipeline: Any, text: str, position: int) -> dict[str, float]:
    """What the label's probability loses when a word is taken out of the text everywhere."""
    words = list(dict.fromkeys(match[0].lower() for match in WORD.finditer(text)))[:MOST_LEFT_OUT]
    if not words:
        return {}
    others = [_without(text, word) for word in words]
    answers = np.asarray(pipeline.predict_proba([text, *others]))[:, position]
    return dict(zip(words, (answers[0] - answers[1:]).tolist(), strict=True))


def _without(text: str, word: str) -> str:
    return WORD.sub(lambda match: "" if match[0].lower() == word else match[0], text)
