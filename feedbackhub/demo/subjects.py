"""Simulated end users: who rates an answer, how honestly, and what they write with it."""

import random
from dataclasses import dataclass
from typing import Literal

from feedbackhub.demo.corpus import OVERALL, Review
from feedbackhub.demo.eras import ERAS, Label, opposite
from feedbackhub.demo.grammar.expand import expand, lines

RATE_WHEN_RIGHT = 0.03
RATE_WHEN_WRONG = 0.12
"""People press a thumb four times as often when the answer is wrong: ratings select themselves."""

_TASTE_FACTOR = 1.6
_COMMENT_SHARE = 0.3
_TASTES_EACH = 3


@dataclass(frozen=True)
class Reaction:
    """What a subject did with a prediction."""

    rating: Literal["up", "down"]
    corrected_label: Label | None = None
    comment: str | None = None


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One simulated end user; all numbers are shares or probabilities from 0 to 1."""

    name: str
    error_share: float
    """How often the thumb pressed is the wrong one."""
    rate_when_right: float
    """How likely the subject rates a right answer at all."""
    rate_when_wrong: float
    correction_share: float
    """How often a thumbs-down comes with the label that should have been."""
    tastes: frozenset[str]
    """Topics the subject cares about, and so rates more often."""


@dataclass(frozen=True)
class _Temper:
    """A kind of user: how common, how erring, how eager, how often correcting."""

    weight: int
    error_share: tuple[float, float]
    eagerness: tuple[float, float]
    correction_share: tuple[float, float]


_TEMPERS = (
    _Temper(60, (0.01, 0.06), (0.5, 1.2), (0.3, 0.6)),  # careful
    _Temper(25, (0.08, 0.2), (0.8, 1.8), (0.1, 0.3)),  # hasty
    _Temper(12, (0.02, 0.08), (2.0, 4.0), (0.6, 0.9)),  # keen
    _Temper(3, (0.75, 0.95), (1.5, 3.0), (0.4, 0.8)),  # contrarian
)

_TOPICS = tuple(sorted({topic.name for era in ERAS.values() for topic in era.topics}))

# By the label the subject says it should have been; None comes with a thumbs-up.
_COMMENTS: dict[Label | None, tuple[str, ...]] = {
    None: lines("""
        [yes|yep|correct|exactly], [that's what I meant|got it|well read]
        [nice|good|spot on]
        it even got the part about the {topic}"""),
    "positive": lines("""
        I [liked|enjoyed] it, read [again|to the end]
        [that was|this is] a [compliment|happy review]
        [no|wrong], the {topic} was [fine|good]
        I meant it in a good way"""),
    "negative": lines("""
        I was [not happy|annoyed|complaining], read [again|to the end]
        [that was|this is] a complaint
        [no|wrong], the {topic} was [bad|the problem]"""),
}


def make_subjects(*, n: int, seed: int, eagerness: float = 1.0) -> list[Subject]:
    """``n`` subjects, the same ones for the same seed.

    ``eagerness`` scales how often everyone rates, so that a short demo gathers feedback enough.
    """
    rng = random.Random(f"subjects:{seed}")  # noqa: S311 a simulation is no secret
    weights = [temper.weight for temper in _TEMPERS]
    return [
        _subject(f"guest-{number:05d}", rng.choices(_TEMPERS, weights)[0], eagerness, rng)
        for number in range(1, n + 1)
    ]


def react(
    subject: Subject, *, review: Review, predicted: Label, rng: random.Random
) -> Reaction | None:
    """What ``subject`` does on seeing ``predicted`` for ``review``; None is the usual silence."""
    right = predicted == review.label
    willing = subject.rate_when_right if right else subject.rate_when_wrong
    if review.topic in subject.tastes:
        willing = min(1.0, willing * _TASTE_FACTOR)
    if rng.random() >= willing:
        return None
    content = right != (rng.random() < subject.error_share)
    # A subject who errs and corrects, corrects to the wrong label: the other one is all there is.
    meant: Label | None = None if content else opposite(predicted)
    corrects = not content and rng.random() < subject.correction_share
    return Reaction(
        rating="up" if content else "down",
        corrected_label=meant if corrects else None,
        comment=_comment(meant, review.topic, rng) if rng.random() < _COMMENT_SHARE else None,
    )


def _subject(name: str, temper: _Temper, eagerness: float, rng: random.Random) -> Subject:
    scale = eagerness * rng.uniform(*temper.eagerness)
    return Subject(
        name=name,
        error_share=rng.uniform(*temper.error_share),
        rate_when_right=min(1.0, RATE_WHEN_RIGHT * scale),
        rate_when_wrong=min(1.0, RATE_WHEN_WRONG * scale),
        correction_share=rng.uniform(*temper.correction_share),
        tastes=frozenset(rng.sample(_TOPICS, _TASTES_EACH)),
    )


def _comment(meant: Label | None, topic: str, rng: random.Random) -> str:
    """A few words about the rating; ``meant`` is the label a thumbs-down stands for."""
    noun = "evening" if topic == OVERALL else topic
    return expand(rng.choice(_COMMENTS[meant]), words={"topic": (noun,)}, rng=rng)
