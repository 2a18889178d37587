"""How far thumbs are believed: the arithmetic from voices to a label, and to a dispute. Pure.

One voice is one subject (or, without subjects, one prediction). A voice that agrees with the model
starts higher than one that contradicts it, since a wrong thumb is likelier than a wrong model as
long as the model is any good; each further voice halves what is missing to a cap below an import's
and an annotator's word; opposition scales the whole down by the share of support.

A lone contradiction (0.5) stays under the usual training threshold (0.6): it waits for a person.
"""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

AGREEMENT = 0.7
CONTRADICTION = 0.5
CAP = 0.9
# Beyond so many the reasons say "or more": their quality no longer moves, nor need the label.
COUNTED_TO = 5


@dataclass(frozen=True)
class Voice:
    """What one subject says about a text."""

    suggested: str
    """The label it says is true; empty when it only says what is not."""
    contradicts: bool
    """It says the model was wrong."""
    predicted: str
    """The label the model gave."""


@dataclass(frozen=True)
class Verdict:
    """The label that voices speak for."""

    value: str
    quality: float
    """In [0, 1], to two decimals."""
    reasons: tuple[str, ...]


@lru_cache(maxsize=4096)
def verdict(voices: tuple[Voice, ...]) -> Verdict | None:
    """The label most voices speak for, with its quality; None when no voice names one.

    Remembered: most texts have one of few sets of voices.

    >>> verdict((Voice("good", False, "good"),))
    Verdict(value='good', quality=0.7, reasons=('1 subject agrees with the model.',))
    >>> verdict((Voice("bad", True, "good"),)).quality
    0.5
    >>> verdict((Voice("bad", True, "good"),) * 2).quality
    0.7
    >>> verdict((Voice("good", False, "good"), Voice("bad", True, "good"))).quality
    0.35
    """
    support = Counter(voice.suggested for voice in voices if voice.suggested)
    if not support:
        return None
    agreeing = Counter(voice.suggested for voice in voices if not voice.contradicts)
    # Of equally supported labels the one the model gave, then the first by name.
    value = min(support, key=lambda name: (-support[name], -agreeing[name], name))
    for_it = support[value]
    against = sum(1 for voice in voices if opposes(voice, value))
    base = AGREEMENT if agreeing[value] else CONTRADICTION
    strength = CAP - (CAP - base) * 0.5 ** (for_it - 1)
    quality = round(strength * for_it / (for_it + against), 2)
    return Verdict(value, quality, _grounds(for_it, against, bool(agreeing[value])))


def dispute_priority(*, contradicting: int, confidence: float | None) -> float:
    """How urgent a contradicted prediction is: the more subjects and the surer the model, the more.

    In [0, 2): half of what is missing to one for each subject, plus the model's confidence.

    >>> dispute_priority(contradicting=1, confidence=0.9)
    1.4
    >>> dispute_priority(contradicting=2, confidence=0.9)
    1.65
    """
    return round(1 - 0.5**contradicting + min(confidence or 0.0, 0.99), 2)


def opposes(voice: Voice, value: str) -> bool:
    """Whether a voice speaks against ``value``, by another label or by refusing this one."""
    if voice.suggested:
        return voice.suggested != value
    return voice.contradicts and voice.predicted == value


def _grounds(for_it: int, against: int, agrees: bool) -> tuple[str, ...]:
    what = "agree with the model" if agrees else "correct the model"
    grounds = [_subjects(for_it, what)]
    if for_it == 1 and not agrees and not against:
        grounds.append("Nobody has confirmed it.")
    if against:
        grounds.append(_subjects(against, "say otherwise"))
    return tuple(grounds)


def _subjects(count: int, verb: str) -> str:
    if count == 1:
        first, _, rest = verb.partition(" ")
        return f"1 subject {first}s {rest}."
    words = f"{COUNTED_TO} or more" if count >= COUNTED_TO else str(count)
    return f"{words} subjects {verb}."
