"""A small expander: templates with word slots and choices become clauses.

``{dish}`` is replaced by an entry of a word table, ``[really |so |]`` by one of its options. Both
nest. A clause has no capital and no full stop of its own; whoever joins clauses adds them.
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Words = Mapping[str, tuple[str, ...]]

_SLOT_OR_CHOICE = re.compile(r"\{(\w+)\}|\[([^\[\]]*)\]")
_SPACE_BEFORE_STOP = re.compile(r" (?=[,.])")
_A_BEFORE_VOWEL = re.compile(r"\b([Aa]) (?=[aeiou])(?!one\b|uni|use|eu)")


def lines(block: str) -> tuple[str, ...]:
    """The templates of a table, one a line."""
    return tuple(line.strip() for line in block.strip().splitlines())


def options(row: str) -> tuple[str, ...]:
    """The entries of a word table, separated by bars."""
    return tuple(entry.strip() for entry in row.split("|"))


def expand(template: str, *, words: Words, rng: random.Random) -> str:
    """``template`` with every slot and choice decided by ``rng``, the innermost ones first."""

    def decide(match: re.Match[str]) -> str:
        entries: Sequence[str] = words[match[1]] if match[1] else match[2].split("|")
        return rng.choice(entries)

    text = template
    while _SLOT_OR_CHOICE.search(text):
        text = _SLOT_OR_CHOICE.sub(decide, text)
    text = _SPACE_BEFORE_STOP.sub("", " ".join(text.split()))
    return _A_BEFORE_VOWEL.sub(r"\1n ", text)


@dataclass(frozen=True, kw_only=True, eq=False)
class Topic:
    """What people say about one topic, in praise and in blame."""

    name: str
    subjects: tuple[str, ...]
    """Singular nouns that fit 'the … was'."""
    good_words: tuple[str, ...]
    """Adjectives that fit every subject and praise it."""
    bad_words: tuple[str, ...]
    good: tuple[str, ...]
    """Clauses whose own words give the opinion away."""
    bad: tuple[str, ...]
    good_facts: tuple[str, ...]
    """Clauses that praise by telling what happened, with few words of opinion."""
    bad_facts: tuple[str, ...]
    words: Words = field(default_factory=dict)
    """The subjects and adjectives as slots, for the frames that fit every topic."""


def topic(
    name: str,
    *,
    subjects: str,
    good_words: str,
    bad_words: str,
    good: str,
    bad: str,
    good_facts: str,
    bad_facts: str,
) -> Topic:
    """A topic from the compact spelling of the tables: bars between words, a line a clause."""
    return Topic(
        name=name,
        subjects=options(subjects),
        good_words=options(good_words),
        bad_words=options(bad_words),
        good=lines(good),
        bad=lines(bad),
        good_facts=lines(good_facts),
        bad_facts=lines(bad_facts),
        words={
            "subject": options(subjects),
            "good_word": options(good_words),
            "bad_word": options(bad_words),
        },
    )
