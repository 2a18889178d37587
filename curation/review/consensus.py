"""What annotators' answers make us believe, weighed by how right each one usually is. Pure.

Bayes' rule over the labels, each annotator an independent witness whose chances of each answer are
known (:mod:`curation.review.agreement.skill`): the E-step of Dawid and Skene (1979, eq. 2.5). All
labels are as likely beforehand: a rare label would otherwise need several people to say so.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from curation.review.agreement.skill import Skill

UNBLIND_QUALITY = 0.75
MOST_ANSWERS = 3
# Answers that make nothing at least three times as likely as all else together are a split.
SPLIT_BELOW = 0.75
# A text people read differently is harder than their records say: their errors are not quite
# independent, as the posterior takes them to be. All against one costs up to this share.
OPPOSITION_COST = 0.3
QUALITY_CAP = 0.99
UNKNOWN = Skill()


@dataclass(frozen=True)
class Answer:
    """One annotator's blind answer."""

    user_id: int
    value: str
    is_senior: bool = False


@dataclass(frozen=True)
class Consensus:
    """The answer to believe, with its weight and its grounds in words."""

    value: str
    posterior: float
    """How likely it is to be true, in (0, 1), given the answers and the annotators' records."""
    quality: float
    """What a label made of it is worth, in [0, 1]: the posterior, less for opposition."""
    reasons: tuple[str, ...]


def consensus(
    answers: Sequence[Answer], *, labels: Sequence[str], skills: Mapping[int, Skill]
) -> Consensus | None:
    """What the answers make most likely; None when they are split or there are none.

    An annotator missing in ``skills`` is taken for an average one of their role. A label nobody
    named is never believed, even if all who answered are usually wrong.

    >>> good, bad = Answer(1, "good"), Answer(2, "bad")
    >>> consensus([good], labels=["good", "bad"], skills={}).posterior
    0.95
    >>> consensus([good, bad], labels=["good", "bad"], skills={}) is None
    True
    >>> often_wrong = Skill({"good": {"good": 20, "bad": 20}, "bad": {"good": 20, "bad": 20}})
    >>> consensus([good, bad], labels=["good", "bad"], skills={2: often_wrong}).value
    'good'
    """
    if not answers:
        return None
    chances = posteriors(answers, labels=labels, skills=skills)
    value = max(chances, key=lambda name: chances[name])
    if chances[value] < SPLIT_BELOW or value not in [answer.value for answer in answers]:
        return None
    return _weighed(value, chances[value], answers, skills)


def weight_of(
    value: str, answers: Sequence[Answer], *, labels: Sequence[str], skills: Mapping[int, Skill]
) -> Consensus:
    """What the answers make of ``value``, likely or not: for a label that is believed already.

    >>> split = [Answer(1, "good"), Answer(2, "bad")]
    >>> weight_of("good", split, labels=["good", "bad"], skills={}).posterior
    0.5
    """
    chances = posteriors(answers, labels=[*labels, value], skills=skills)
    return _weighed(value, chances[value], answers, skills)


def posteriors(
    answers: Sequence[Answer], *, labels: Sequence[str], skills: Mapping[int, Skill]
) -> dict[str, float]:
    """How likely each label is to be true, in [0, 1], to six decimals; in the order of ``labels``.

    Answers that are no label (any more) count among the labels. Without answers all are alike.

    >>> posteriors([], labels=["good", "bad"], skills={})
    {'good': 0.5, 'bad': 0.5}
    """
    names = list(dict.fromkeys([*labels, *(answer.value for answer in answers)]))
    logs = [
        math.fsum(
            math.log(
                skills.get(answer.user_id, UNKNOWN).chance(
                    answer.value, truth=name, n_labels=len(names), is_senior=answer.is_senior
                )
            )
            for answer in answers
        )
        for name in names
    ]
    top = max(logs)
    odds = [math.exp(each - top) for each in logs]
    # Rounded, so that a lone answer weighs exactly what is assumed of its annotator.
    return {name: round(each / sum(odds), 6) for name, each in zip(names, odds, strict=True)}


def _weighed(
    value: str, posterior: float, answers: Sequence[Answer], skills: Mapping[int, Skill]
) -> Consensus:
    supporting = [answer for answer in answers if answer.value == value]
    opposed = 1 - len(supporting) / len(answers)
    quality = min(posterior * (1 - OPPOSITION_COST * opposed), QUALITY_CAP)
    reasons = _reasons(answers, supporting, posterior, skills)
    return Consensus(value, posterior, round(quality, 2), reasons)


def _reasons(
    answers: Sequence[Answer],
    supporting: Sequence[Answer],
    posterior: float,
    skills: Mapping[int, Skill],
) -> tuple[str, ...]:
    grounds = [_who(answers, supporting)]
    if len(supporting) < len(answers) and any(each.is_senior for each in supporting):
        grounds.append("A senior annotator is among them.")
    if any(skills.get(answer.user_id, UNKNOWN).n >= 1 for answer in answers):
        likely = "more than 99 %" if posterior > 0.99 else f"{posterior:.0%}".replace("%", " %")
        grounds.append(f"Going by the annotators' records it is {likely} likely.")
    return tuple(grounds)


def _who(answers: Sequence[Answer], supporting: Sequence[Answer]) -> str:
    if len(supporting) < len(answers):
        return f"{len(supporting)} of {len(answers)} annotators said so."
    if len(answers) > 1:
        everyone = "Both" if len(answers) == 2 else f"All {len(answers)}"
        return f"{everyone} annotators said so, blind."
    return f"{'A senior' if answers[0].is_senior else 'An'} annotator said so, blind."
