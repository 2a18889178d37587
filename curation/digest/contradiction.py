"""Who contradicts whom about a text, and how strongly: from standpoints to one record. Pure.

Each kind gets a strength in [0, 1) that grows with the share and with the number of those who
dissent. Together they are one by a noisy-or, 1 - (1 - s1)(1 - s2)...: each kind alone would be
reason enough to look (Pearl, Probabilistic Reasoning in Intelligent Systems, 1988, section 4.3.2).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from curation.digest.quality import Voice, opposes

USER_MODEL, USER_USER, USER_ANNOTATOR = "user_model", "user_user", "user_annotator"
ANNOTATORS, MODELS, NEIGHBOURS = "annotators", "models", "neighbours"
FEEDBACK = "feedback"
MOST_VERSIONS = 5


@dataclass(frozen=True)
class Neighbour:
    """Near-duplicates of one cluster that have the same label by the same kind of word."""

    origin: str
    value: str
    count: int


@dataclass(frozen=True)
class Standpoints:
    """Everything said about one text, as far as no adjudication has settled it."""

    voices: Sequence[Voice] = ()
    """One a subject, the newest first."""
    adjudicated: str | None = None
    """What annotators agreed on, blind; None without such a label."""
    since: Sequence[Voice] = ()
    """Voices that came after the adjudication."""
    answers: Mapping[str, int] = field(default_factory=dict)
    """Annotators by answer; after an adjudication, those that came later."""
    versions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Model versions by the label they gave."""
    label: tuple[str, str] | None = None
    """Origin and value of the current label."""
    neighbours: Sequence[Neighbour] = ()


@dataclass(frozen=True)
class Contradiction:
    """What contradicts itself about one text."""

    strength: float
    """In [0, 1], to two decimals."""
    evidence: Mapping[str, Mapping[str, Any]]
    """By kind; counts and labels only."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds there are, in one order."""
        return tuple(self.evidence)


def dissent(against: float, agreeing: float) -> float:
    """How strongly ``against`` contradicts what ``agreeing`` uphold, in [0, 1).

    >>> dissent(1, 0), dissent(2, 0), dissent(1, 1)
    (0.5, 0.75, 0.25)
    """
    if against <= 0:
        return 0.0
    return float(against / (against + agreeing) * (1 - 0.5**against))


def division(parties: Sequence[float]) -> float:
    """How divided parties of these sizes are, in [0, 1); 0 when one of them is alone.

    >>> division([1, 1]), division([4, 4]), round(division([9, 1]), 2), division([3])
    (0.5, 0.9375, 0.1, 0.0)
    """
    rest = sum(parties) - max(parties, default=0)
    if rest <= 0:
        return 0.0
    return min(1.0, 2 * rest / sum(parties)) * (1 - 0.5**rest)


def contradiction(given: Standpoints) -> Contradiction | None:
    """What contradicts itself, kind by kind; None when nothing does.

    An adjudication settles what was said before it: only voices and answers that came later go on
    contradicting, and near-duplicates labelled otherwise.

    >>> found = contradiction(Standpoints(voices=[Voice("bad", True, "good")]))
    >>> found.strength, found.kinds
    (0.5, ('user_model',))
    """
    if given.adjudicated is None:
        open_kinds = {
            USER_MODEL: _users_and_model(given.voices),
            USER_USER: _users(given),
            ANNOTATORS: _annotators(given.answers),
            MODELS: _models(given.versions),
        }
    else:
        open_kinds = {
            USER_ANNOTATOR: _users_and_annotators(given.since, given.adjudicated),
            ANNOTATORS: _annotators_since(given.answers, given.adjudicated),
        }
    open_kinds[NEIGHBOURS] = _neighbours(given)
    found = {kind: each for kind, each in open_kinds.items() if each is not None}
    if not found:
        return None
    calm = 1.0
    for strength, _ in found.values():
        calm *= 1 - strength
    return Contradiction(
        strength=round(1 - calm, 2), evidence={kind: each[1] for kind, each in found.items()}
    )


_Found = tuple[float, dict[str, Any]] | None


def _weight(voices: Sequence[Voice]) -> float:
    return round(sum(voice.weight for voice in voices), 2)


def _users_and_model(voices: Sequence[Voice]) -> _Found:
    against = [voice for voice in voices if voice.contradicts]
    agreeing = [voice for voice in voices if not voice.contradicts]
    if not against:
        return None
    return dissent(_weight(against), _weight(agreeing)), {
        "predicted": against[0].predicted,
        "contradicting": len(against),
        "agreeing": len(agreeing),
        "weight": _weight(against),
        "suggestions": _suggestions(against),
    }


def _users(given: Standpoints) -> _Found:
    sides: Counter[str] = Counter()
    for voice in given.voices:
        if voice.suggested:
            sides[voice.suggested] += 1
    weights = {name: _weight([v for v in given.voices if v.suggested == name]) for name in sides}
    near = {each.value: each.count for each in given.neighbours if each.origin == FEEDBACK}
    if not sides or len({*sides, *near}) < 2:
        return None
    parties = [weights.get(name, 0.0) + near.get(name, 0) for name in {*sides, *near}]
    evidence: dict[str, Any] = {"labels": dict(sorted(sides.items()))}
    if near:
        evidence["near_duplicates"] = dict(sorted(near.items()))
    return division(parties), evidence


def _users_and_annotators(since: Sequence[Voice], truth: str) -> _Found:
    against = [voice for voice in since if opposes(voice, truth)]
    if not against:
        return None
    supporting = [voice for voice in since if voice.suggested == truth]
    return dissent(_weight(against), _weight(supporting) + 1), {
        "annotated": truth,
        "contradicting": len(against),
        "agreeing": len(supporting),
        "weight": _weight(against),
        "suggestions": _suggestions(against),
    }


def _annotators(answers: Mapping[str, int]) -> _Found:
    if len(answers) < 2:
        return None
    return division([*answers.values()]), {"labels": dict(sorted(answers.items()))}


def _annotators_since(answers: Mapping[str, int], truth: str) -> _Found:
    against = {name: n for name, n in answers.items() if name != truth}
    if not against:
        return None
    evidence = {"annotated": truth, "labels": dict(sorted(against.items()))}
    return dissent(sum(against.values()), answers.get(truth, 0) + 1), evidence


def _models(versions: Mapping[str, Sequence[str]]) -> _Found:
    if len(versions) < 2:
        return None
    named = {name: sorted(set(who))[-MOST_VERSIONS:] for name, who in sorted(versions.items())}
    return division([len(set(who)) for who in versions.values()]), {"labels": named}


def _neighbours(given: Standpoints) -> _Found:
    if given.label is None:
        return None
    origin, value = given.label
    # Thumbs against thumbs are the users' own affair.
    others = [each for each in given.neighbours if origin != FEEDBACK or each.origin != FEEDBACK]
    against = sum(each.count for each in others if each.value != value)
    if not against:
        return None
    with_it = sum(each.count for each in others if each.value == value)
    labels: Counter[str] = Counter()
    for each in others:
        labels[each.value] += each.count
    return division([against, with_it + 1]), {
        "label": value,
        "labels": dict(sorted(labels.items())),
    }


def _suggestions(voices: Sequence[Voice]) -> dict[str, int]:
    counted = Counter(voice.suggested for voice in voices if voice.suggested)
    return dict(sorted(counted.items()))
