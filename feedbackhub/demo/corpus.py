"""Generated restaurant reviews whose truth is known: the demo's import, traffic and test set."""

import random
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from feedbackhub.demo.eras import ERAS, Era, Label, opposite
from feedbackhub.demo.grammar import frames
from feedbackhub.demo.grammar.expand import Topic, expand
from feedbackhub.demo.grammar.handwriting import write
from feedbackhub.demo.grammar.words import WORDS

Kind = Literal["plain", "negation", "contrast", "balance", "facts", "sarcasm", "short"]

POSITIVE_SHARE = 0.56
OVERALL = "overall"
"""The topic of reviews too short to have one."""

_REDRAWS = 12
_MAIN_CLAUSE = ("the ", "I ", "we ", "my ", "they ", "our ", "it ", "you ", "there ")


@dataclass(frozen=True)
class Review:
    """One generated review; ``label`` is the truth, never noisy."""

    text: str
    label: Label
    topic: str
    kind: Kind
    """Which rule made the text, and so decided its truth."""


def generate_reviews(*, n: int, seed: int, era: str = "opening") -> list[Review]:
    """``n`` reviews of an era, the same ones for the same seed; raises KeyError for other eras.

    A larger ``n`` continues the smaller one. Reviews built from the very same clauses are drawn
    again while fresh ones are to be had, so that texts repeat and resemble each other rarely.
    """
    world = ERAS[era]
    rng = random.Random(f"{era}:{seed}")  # noqa: S311 a corpus is no secret
    seen: set[frozenset[str]] = set()
    reviews = []
    for _ in range(n):
        for _ in range(_REDRAWS):
            review, clauses = _draw(world, rng)
            if clauses not in seen:
                break
        seen.add(clauses)
        reviews.append(review)
    return reviews


def normalised(text: str) -> str:
    """The text as sameness sees it: NFKC, case folded, runs of white space made one."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


class _Author:
    """One guest writing one review: draws from the tables and remembers which clauses were used."""

    def __init__(self, era: Era, label: Label, rng: random.Random) -> None:
        self.era = era
        self.label = label
        self.rng = rng
        self.clauses: set[str] = set()
        # One dish, one companion, one waiter a review, so that its clauses tell the same story.
        self._words = {slot: (rng.choice(entries),) for slot, entries in WORDS.items()}
        self._topics = self._topics_in_order()
        self.topic = self._topics[0].name

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def say(self, template: str, topic: Topic | None = None, **given: str) -> str:
        """``template`` in words, with the clauses in ``given`` put into their slots."""
        self.clauses.add(f"{topic.name if topic else OVERALL}: {template}")
        own = topic.words if topic else {}
        slots = {slot: (clause,) for slot, clause in given.items()}
        return expand(template, words={**self._words, **own, **slots}, rng=self.rng)

    def clause(self, label: Label, *, nth: int = 0, main: bool = False) -> str:
        """A plain clause of that opinion on the review's ``nth`` topic."""
        topic = self._topics[nth]
        own, frame = (
            (topic.good, frames.PRAISE) if label == "positive" else (topic.bad, frames.BLAME)
        )
        table = own if self.chance(0.62) else frame
        table = _main_clauses(own + frame) if main else table
        return self.say(self.rng.choice(table), topic)

    def negation(self, *, nth: int = 0, main: bool = False) -> str:
        """A clause of the review's opinion in the words of the other one."""
        table = frames.PRAISE_BY_NEGATION if self.label == "positive" else frames.BLAME_BY_NEGATION
        table = _main_clauses(table) if main else table
        return self.say(self.rng.choice(table), self._topics[nth])

    def fact(self, *, nth: int = 0) -> str:
        topic = self._topics[nth]
        table = topic.good_facts if self.label == "positive" else topic.bad_facts
        return self.say(self.rng.choice(table), topic)

    def opener(self, share: float) -> list[str]:
        return [self.say(self.rng.choice(self.era.openers))] if self.chance(share) else []

    def ending(self, share: float) -> list[str]:
        return (
            [self.say(self.rng.choice(self.era.endings[self.label]))] if self.chance(share) else []
        )

    def _topics_in_order(self) -> list[Topic]:
        """Three different topics, those that often lead a review first."""
        left = dict(zip(self.era.topics, self.era.weights, strict=True))
        order: list[Topic] = []
        for _ in range(3):
            order += self.rng.choices(list(left), list(left.values()))
            del left[order[-1]]
        return order


def _plain(author: _Author) -> list[str]:
    rng, label = author.rng, author.label
    body = [author.clause(label, nth=nth) for nth in range(rng.choice((1, 2, 2, 2, 3, 3)))]
    if len(body) > 1 and body[1].startswith(_MAIN_CLAUSE) and author.chance(0.5):
        body[:2] = [f"{body[0]} and {body[1]}"]
    alone = len(body) == 1
    return author.opener(0.55 if alone else 0.25) + body + author.ending(0.5 if alone else 0.25)


def _negation(author: _Author) -> list[str]:
    body = [author.negation()]
    if author.chance(0.3):
        body.append(author.negation(nth=1))
    elif author.chance(0.3):
        body.append(author.clause(author.label, nth=1))
    return author.opener(0.45) + body + author.ending(0.15)


def _contrast(author: _Author) -> list[str]:
    concede = author.clause(opposite(author.label), nth=1, main=True)
    resolve = author.say(author.rng.choice(author.era.resolves[author.label]))
    way = author.rng.random()
    if way < 0.35:
        decide = resolve
    elif way < 0.45:
        decide = author.negation(main=True)
    elif way < 0.75:
        decide = f"{author.clause(author.label, main=True)} and {resolve}"
    else:
        decide = author.clause(author.label, main=True)
    frame = author.rng.choice(frames.CONTRASTS)
    return [*author.opener(0.2), author.say(frame, concede=concede, decide=decide)]


def _balance(author: _Author) -> list[str]:
    good = author.clause("positive", main=True)
    bad = author.clause("negative", nth=1, main=True)
    one, other = (good, bad) if author.chance(0.5) else (bad, good)
    quiet = frames.QUIET_YES if author.label == "positive" else frames.QUIET_NO
    verdict = author.say(author.rng.choice(quiet))
    frame = author.rng.choice(frames.BALANCES)
    return [author.say(frame, one=one, other=other, good=good, bad=bad, verdict=verdict)]


def _facts(author: _Author) -> list[str]:
    body = [author.fact()]
    if author.chance(0.35):
        body.append(author.fact(nth=1))
    elif author.chance(0.35):
        body.append(author.clause(author.label, nth=1))
    return author.opener(0.5) + body + author.ending(0.12)


def _sarcasm(author: _Author) -> list[str]:
    author.topic = OVERALL
    body = [author.say(author.rng.choice(author.era.sarcasm))]
    if author.chance(0.25):
        body.append(author.fact())
    return author.opener(0.5) + body


def _short(author: _Author) -> list[str]:
    author.topic = OVERALL
    sentence = author.say(author.rng.choice(author.era.shorts[author.label]))
    author.clauses = {sentence}  # a short one repeats only when its words do
    return [sentence]


_KINDS: dict[Kind, tuple[int, Callable[[_Author], list[str]]]] = {
    "plain": (60, _plain),
    "negation": (10, _negation),
    "contrast": (10, _contrast),
    "facts": (8, _facts),
    "balance": (3, _balance),
    "sarcasm": (2, _sarcasm),
    "short": (7, _short),
}


def _draw(world: Era, rng: random.Random) -> tuple[Review, frozenset[str]]:
    era = world.echo if world.echo and rng.random() < world.echo_share else world
    kind = rng.choices(list(_KINDS), [weight for weight, _ in _KINDS.values()])[0]
    label: Label = "positive" if rng.random() < POSITIVE_SHARE else "negative"
    author = _Author(era, "negative" if kind == "sarcasm" else label, rng)
    sentences = _KINDS[kind][1](author)
    text = write(sentences, label=author.label, hand=era.hand, rng=rng)
    return Review(text, author.label, author.topic, kind), frozenset(author.clauses)


def _main_clauses(table: tuple[str, ...]) -> tuple[str, ...]:
    """The clauses with a subject and in one breath: only these may follow "although" or "but"."""
    return tuple(entry for entry in table if entry.startswith(_MAIN_CLAUSE) and "," not in entry)
