"""Which languages texts are in: offline, many at once.

py3langid walks an automaton from byte to byte; in Python that takes a seventh of a millisecond for
a review, more than everything else the digest does with it. Here all texts of a batch take each
step together. The model, the arithmetic and the answers are py3langid's.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import sparse

UNDETERMINED = "und"
# Below this share of the detector's belief two languages in three are wrong: "ok", "pizza".
MIN_BELIEF = 0.3
# As much of a long text as a detector needs.
LOOKED_AT = 500


@dataclass(frozen=True)
class _Model:
    """py3langid's naive Bayes over the features its automaton finds."""

    next_move: npt.NDArray[np.uint32]
    """By row of the automaton and byte."""
    rows: npt.NDArray[np.int64]
    """(n_states,): where the row of a state begins."""
    features: npt.NDArray[np.int32]
    """(n_states,): what a state has found; negative for nothing."""
    weights: npt.NDArray[np.float16]
    """(n_features, n_languages): log probabilities."""
    prior: npt.NDArray[np.float32]
    """(n_languages,)"""
    codes: list[str]
    aliases: list[tuple[int, int]]
    """Columns of one language: the second counts for the first."""


def languages_of(texts: Sequence[str]) -> list[str]:
    """The ISO 639 code of the language of each text, or ``und`` when it is too little to tell.

    >>> languages_of(["Das Essen war kalt und die Bedienung langsam.", "ok"])
    ['de', 'und']
    """
    if not texts:
        return []
    model = _model()
    encoded = [_encoded(text[:LOOKED_AT]) for text in texts]
    scores = _scores(model, encoded)
    best = scores.argmax(axis=1)
    beliefs = scores[np.arange(len(texts)), best]
    return [
        code if belief >= MIN_BELIEF and code != "zxx" else UNDETERMINED
        for code, belief in zip([model.codes[at] for at in best], beliefs.tolist(), strict=True)
    ]


def _encoded(text: str) -> bytes:
    plain = text.lower() if text.isupper() else text
    return unicodedata.normalize("NFC", plain).encode("utf-8", "surrogatepass")


def _scores(model: _Model, encoded: Sequence[bytes]) -> npt.NDArray[np.float32]:
    """(n_texts, n_languages): what is believed of each, summing to one."""
    counts = _counts(model, encoded)
    used, columns = np.unique(counts.indices, return_inverse=True)
    seen = sparse.csr_matrix(
        (np.log1p(counts.data), columns, counts.indptr), shape=(len(encoded), len(used))
    )
    scores = seen @ model.weights[used].astype(np.float32) + model.prior
    # Without a feature no language is likelier than another.
    scores[np.diff(counts.indptr) == 0] = 0
    lengths = np.array([max(len(text), 1) for text in encoded], dtype=np.float32)
    scores /= np.sqrt(lengths)[:, None]
    np.exp(scores - scores.max(axis=1, keepdims=True), out=scores)
    scores /= scores.sum(axis=1, keepdims=True)
    for first, other in model.aliases:
        scores[:, first] += scores[:, other]
        scores[:, other] = 0
    return np.asarray(scores)


def _counts(model: _Model, encoded: Sequence[bytes]) -> sparse.csr_matrix:
    """(n_texts, n_features): how often each text has each feature."""
    order = np.argsort([-len(text) for text in encoded], kind="stable")
    longest = len(encoded[order[0]])
    letters = np.zeros((longest, len(encoded)), dtype=np.uint8)
    for column, at in enumerate(order):
        letters[: len(encoded[at]), column] = np.frombuffer(encoded[at], dtype=np.uint8)
    # With the longest texts first, those that have a byte at a place are the first ones.
    lengths = np.array([len(encoded[at]) for at in order])
    having = np.searchsorted(-lengths, -np.arange(longest), side="left")
    states = np.zeros(len(encoded), dtype=np.int64)
    found = np.full((longest, len(encoded)), -1, dtype=np.int32)
    for place, width in enumerate(having.tolist()):
        states[:width] = model.next_move[model.rows[states[:width]] + letters[place, :width]]
        found[place, :width] = model.features[states[:width]]
    places, columns = np.nonzero(found >= 0)
    ones = np.ones(len(places), dtype=np.float32)
    shape = (len(encoded), len(model.weights))
    # Equal places are added up.
    return sparse.csr_matrix((ones, (order[columns], found[places, columns])), shape=shape)


@cache
def _model() -> _Model:
    """Loaded by the first text of a process; takes a second and 70 MB."""
    from py3langid.langid import (  # noqa: PLC0415 few processes need it
        MODEL_FILE,
        LanguageIdentifier,
    )

    detector = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    return _Model(
        next_move=np.frombuffer(detector.tk_nextmove, dtype=np.uint32),
        rows=np.array(detector.tk_row, dtype=np.int64) << 8,
        features=np.array(detector.tk_output, dtype=np.int32),
        weights=detector.nb_ptc,
        prior=detector.nb_pc,
        codes=list(detector.nb_classes),
        aliases=list(detector._alias_pairs),
    )
