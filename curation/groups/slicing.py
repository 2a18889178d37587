"""Which groups a text belongs to. Pure.

A group is a dimension and a name in it. Language, length, source and each topic are exclusive
within their dimension; words that a lead wrote may overlap.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Group = tuple[str, str]
"""Dimension and name."""
SOURCE, LANGUAGE, LENGTH, WORDS, TOPIC = "source", "language", "length", "words", "topic"
# In characters; the first bound above the length decides.
LENGTHS = ((40, "under 40"), (120, "40 to 119"), (400, "120 to 399"))
LONGEST = "400 or more"
_WORD = re.compile(r"\w+")
# Longer values identify things rather than group them.
MAX_VALUE = 60


@dataclass(frozen=True)
class Words:
    """A named group of words with their weights."""

    name: str
    weights: Mapping[str, float]


@dataclass(frozen=True)
class Facts:
    """What is known of a text that came in."""

    text: str | None
    source: str
    language: str
    metadata: Any


def groups_of(facts: Facts, *, written: Sequence[Words], found: Sequence[Words]) -> list[Group]:
    """Every group of a text; of the topics that were ``found``, the one that fits best.

    >>> kitchen = Words("kitchen", {"soup": 1, "main dish": 1})
    >>> facts = Facts("Cold soup", "web", "en", {"app": "ios"})
    >>> [name for _, name in groups_of(facts, written=[kitchen], found=[])]
    ['web', 'ios', 'en', 'under 40', 'kitchen']
    """
    groups = [(SOURCE, facts.source), *_metadata(facts.metadata)]
    if facts.text is None:
        return groups
    groups += [(LANGUAGE, facts.language), (LENGTH, length_of(facts.text))]
    tokens = _WORD.findall(facts.text.casefold())
    known = frozenset(tokens)
    line = f" {' '.join(tokens)} "
    groups += [(WORDS, each.name) for each in written if _weight(each, known, line)]
    best = max(found, key=lambda each: _weight(each, known, line), default=None)
    if best is not None and _weight(best, known, line):
        groups.append((TOPIC, best.name))
    return groups


def length_of(text: str) -> str:
    """The name of the stretch of lengths that a text falls into."""
    return next((name for below, name in LENGTHS if len(text) < below), LONGEST)


def _weight(group: Words, known: frozenset[str], line: str) -> float:
    """The weights of the group's words and phrases that occur in the text."""
    return sum(
        weight
        for word, weight in group.weights.items()
        if (f" {word} " in line if " " in word else word in known)
    )


def _metadata(metadata: Any) -> Iterator[Group]:
    if not isinstance(metadata, dict):
        return
    for key, value in metadata.items():
        if isinstance(value, str | int | bool) and 0 < len(str(value)) <= MAX_VALUE:
            yield str(key)[:MAX_VALUE], str(value)
