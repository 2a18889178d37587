"""How far labels are believed: the arithmetic from voices to a label, and to its quality. Pure.

One voice is one subject (or, without subjects, one prediction). A voice that agrees with the model
starts higher than one that contradicts it, since a wrong thumb is likelier than a wrong model as
long as the model is any good; each further voice halves what is missing to a cap below an import's
and an annotator's word; opposition scales the whole down by the share of support. Voices count by
the trust they have earned: one nobody knows counts as one.

A lone contradiction (0.5) stays under the usual training threshold (0.6): it waits for a person.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

AGREEMENT = 0.7
CONTRADICTION = 0.5
CAP = 0.9
# Beyond so many the reasons say "or more": their quality no longer moves, nor need the label.
COUNTED_TO = 5
# How far from one the trust of all supporters must be for the reasons to say so.
NOTABLE_TRUST = 0.15
# A model that was trained without a label is a witness too, and a weak one.
MODEL_SHARE = 0.25
SURE = 0.95
# Each full quarter of a year takes a fortieth, for two years.
AGE_STEP_DAYS = 91
AGE_STEPS = 8
AGE_COST = 0.025


@dataclass(frozen=True)
class Voice:
    """What one subject says about a text."""

    suggested: str
    """The label it says is true; empty when it only says what is not."""
    contradicts: bool
    """It says the model was wrong."""
    predicted: str
    """The label the model gave."""
    weight: float = 1.0
    """How many voices it counts as, by the trust it has earned; positive."""


@dataclass(frozen=True)
class Verdict:
    """The label that voices speak for."""

    value: str
    quality: float
    """In [0, 1], to two decimals."""
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Quality:
    """How far a label is believed, and why."""

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
    >>> verdict((Voice("bad", True, "good", weight=0.5),) * 2).quality
    0.5
    """
    support = _weights((voice.suggested, voice.weight) for voice in voices if voice.suggested)
    if not support:
        return None
    agreeing = _weights((v.suggested, v.weight) for v in voices if not v.contradicts)
    # Of equally supported labels the one the model gave, then the first by name.
    value = min(support, key=lambda name: (-support[name], -agreeing.get(name, 0.0), name))
    against = [voice for voice in voices if opposes(voice, value)]
    opposed = round(sum(voice.weight for voice in against), 2)
    agrees = agreeing.get(value, 0.0) > 0
    base = AGREEMENT if agrees else CONTRADICTION
    strength = CAP - (CAP - base) * 0.5 ** (support[value] - 1)
    quality = round(max(strength, 0.0) * support[value] / (support[value] + opposed), 2)
    supporters = [voice for voice in voices if voice.suggested == value]
    grounds = _grounds(len(supporters), len(against), agrees)
    return Verdict(value, quality, (*grounds, *_trust(supporters)))


def label_quality(
    *, word: float, grounds: Sequence[str], support: float | None, age_days: float
) -> Quality:
    """How far a label is believed: what its word is worth, as models and age bear it out.

    ``word`` in [0, 1] is what those who said it are worth by themselves, with ``grounds``: for
    thumbs :func:`verdict` (agreement and trust), for annotators the consensus of their answers by
    their records, for an import a constant. ``support`` is the probability that models trained
    without this label gave its value; None when none was asked. It moves the odds of the word by
    its own odds to the power of a quarter: they halve or double at most (19 ** 0.25 is 2.1), so
    that no model can talk away what people agree on. ``age_days`` takes a fortieth a quarter, a
    fifth at most: what is meant by a label drifts, slowly.

    >>> label_quality(word=0.7, grounds=(), support=None, age_days=3).quality
    0.7
    >>> label_quality(word=0.7, grounds=(), support=0.98, age_days=3).quality
    0.83
    >>> label_quality(word=0.7, grounds=(), support=0.02, age_days=3).quality
    0.53
    >>> label_quality(word=0.95, grounds=("Two annotators said so.",), support=0.02, age_days=400)
    ... # doctest: +NORMALIZE_WHITESPACE
    Quality(quality=0.81, reasons=('Two annotators said so.',
        'Models trained without it give it 2 %.', 'It is more than 12 months old.'))
    """
    score, reasons = word, [*grounds]
    if support is not None:
        sure = min(max(support, 1 - SURE), SURE)
        odds = (sure / (1 - sure)) ** MODEL_SHARE
        score = word * odds / (word * odds + 1 - word)
        reasons.append(f"Models trained without it give it {support * 100:.0f} %.")
    if steps := age_steps(age_days):
        score *= 1 - AGE_COST * steps
        reasons.append(f"It is more than {3 * steps} months old.")
    return Quality(round(min(max(score, 0.0), 1.0), 2), tuple(reasons))


def age_steps(age_days: float) -> int:
    """Full quarters of age that count, up to two years' worth.

    >>> age_steps(90), age_steps(91), age_steps(10_000)
    (0, 1, 8)
    """
    return min(max(int(age_days // AGE_STEP_DAYS), 0), AGE_STEPS)


def next_age_step(age_days: float) -> int | None:
    """The age in days at which it next matters; None when it no longer will.

    >>> next_age_step(0), next_age_step(91), next_age_step(728)
    (91, 182, None)
    """
    steps = age_steps(age_days)
    return (steps + 1) * AGE_STEP_DAYS if steps < AGE_STEPS else None


def dispute_priority(*, contradicting: float, confidence: float | None) -> float:
    """How urgent a contradicted prediction is: the more subjects and the surer the model, the more.

    ``contradicting`` counts subjects by their trust. In [0, 2): half of what is missing to one for
    each subject, plus the model's confidence.

    >>> dispute_priority(contradicting=1, confidence=0.9)
    1.4
    >>> dispute_priority(contradicting=2, confidence=0.9)
    1.65
    """
    return float(round(1 - 0.5**contradicting + min(confidence or 0.0, 0.99), 2))


def opposes(voice: Voice, value: str) -> bool:
    """Whether a voice speaks against ``value``, by another label or by refusing this one."""
    if voice.suggested:
        return voice.suggested != value
    return voice.contradicts and voice.predicted == value


def _weights(pairs: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Sums by name, rounded: weights come in twentieths, and ties must be ties."""
    sums: defaultdict[str, float] = defaultdict(float)
    for name, weight in pairs:
        sums[name] += weight
    return {name: round(total, 2) for name, total in sums.items()}


def _trust(supporters: Sequence[Voice]) -> tuple[str, ...]:
    mean = sum(voice.weight for voice in supporters) / len(supporters)
    if abs(mean - 1) < NOTABLE_TRUST:
        return ()
    whose = "Such a voice was" if len(supporters) == 1 else "Such voices were"
    how = "right more often than usual" if mean > 1 else "wrong more often than usual"
    each = "it counts" if len(supporters) == 1 else "each counts"
    return (f"{whose} {how} before: {each} as {mean:.1f}.",)


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
