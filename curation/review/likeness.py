"""What makes two texts alike to a reader: the words they share, above all the rare ones. Pure."""

import re
from collections.abc import Iterable
from hashlib import blake2b
from math import sqrt

from curation.digest.normalise import normalise

MOST_WORDS = 64
_WORD = re.compile(r"\w+")
# Scripts that put no spaces between words; pairs of characters stand for words there.
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")


def words_of(text: str) -> set[str]:
    """The distinct words of a text, at most :data:`MOST_WORDS`, the longest if there are more.

    >>> sorted(words_of("The soup was COLD, cold!"))
    ['cold', 'soup', 'the', 'was']
    >>> sorted(words_of("味噌汁"))
    ['味噌', '噌汁']
    """
    found: set[str] = set()
    for word in _WORD.findall(normalise(text)):
        if _UNSPACED.fullmatch(word) and len(word) > 2:
            found |= {word[at : at + 2] for at in range(len(word) - 1)}
        else:
            found.add(word)
    return set(sorted(found, key=lambda word: (-len(word), word))[:MOST_WORDS])


def word_hashes(words: Iterable[str]) -> list[int]:
    """Each word as a signed 64-bit number: what the index holds instead of it."""
    return [
        int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "big", signed=True)
        for word in sorted(words)
    ]


def likeness(*, shared_weight: float, n_words: int) -> float:
    """How alike a text of ``n_words`` is to the one asked about, for ranking.

    The weight of the shared words over the square root of the length, as in a cosine: a long text
    shares much by accident.
    """
    return shared_weight / sqrt(max(n_words, 1))
