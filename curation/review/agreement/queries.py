"""How far annotators agree, and how right each one is, as pages show it."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curation.models import AnnotatorQuality, Project, SampleConsensus
from curation.models.review import Queue
from curation.review.agreement.krippendorff import Metric, alpha
from feedbackhub.core.sql import fetch, statements

SQL = statements(Path(__file__).with_name("agreement.sql"))
BY = ("all", "queue", "guideline", "language", "length")
METADATA = "metadata:"
# The newest answers that are looked at: a page waits for them.
MOST_ANSWERS = 50_000
MOST_ROWS = 50
LENGTH_BOUNDS = (40, 120, 400)
LENGTH_NAMES = ("under 40", "40 to 119", "120 to 399", "400 and more")
# Krippendorff (2004), Content analysis, p. 241: reliable from 0.800, tentative from 0.667.
RELIABLE, TENTATIVE = 0.8, 0.667


class UnknownGrouping(ValueError):
    """Agreement cannot be grouped by this."""


@dataclass(frozen=True)
class AgreementRow:
    """How far annotators agree within one group, by Krippendorff's alpha."""

    key: str
    """What the rows are grouped by: a queue, a guideline's number, a language, …"""
    name: str
    """The same for people to read."""
    alpha: float | None
    """1 is perfect, 0 what chance would give; None when it cannot be told."""
    low: float | None
    """Of the 95 % bootstrap interval over texts."""
    high: float | None
    n_units: int
    """Texts with at least two blind answers."""
    n_answers: int
    n_annotators: int
    sentence: str
    """What it means, with the interval."""


@dataclass(frozen=True)
class AnnotatorRecord:
    """One annotator's record, as far as it is known."""

    user_id: int
    username: str
    n_answers: int
    """Blind answers that stand."""
    n_compared: int
    """Those that others' answers or gold can be held to."""
    n_gold: int
    n_effective: float
    """How many comparisons with a certain truth the evidence is worth."""
    accuracy: float | None
    """The expected share of right answers; None while nothing can be told."""
    low: float | None
    """Of the 95 % interval."""
    high: float | None
    confusion: dict[str, dict[str, float]]
    """By truth, then by what was said."""
    computed_at: datetime


@dataclass(frozen=True)
class ConsensusNote:
    """What several annotators' answers make of a sample, and what a model's view adds."""

    value: str
    posterior: float
    """How likely the value is, by the annotators' records."""
    n_answers: int
    crowd_value: str
    """The likeliest label of answers and model together (CROWDLAB); empty without a model."""
    crowd_quality: float | None
    """How likely that is."""
    model_version: str
    computed_at: datetime

    @property
    def is_doubted(self) -> bool:
        """Whether the model's view makes another label likelier."""
        return self.crowd_value not in ("", self.value)


def agreement_rows(*, project: Project, by: str, metric: Metric = "nominal") -> list[AgreementRow]:
    """Alpha for each group, the largest first; guidelines by version, the newest first.

    ``by`` is one of :data:`BY`, or ``metadata:`` and a key of the samples' metadata. Only blind
    answers count, that stand and had a slot. Since overlap is given to texts that are disputed,
    these are harder than most. Raises :class:`UnknownGrouping`.
    """
    kind, _, key = by.partition(":")
    if by not in BY and (f"{kind}:" != METADATA or not key):
        raise UnknownGrouping(f"Agreement is shown by {', '.join(BY)} or {METADATA}KEY, not {by}.")
    labels = project.label_names()
    params = {
        "project": project.pk,
        "by": kind,
        "key": key,
        "length_bounds": list(LENGTH_BOUNDS),
        "most": MOST_ANSWERS,
    }
    groups: dict[str, list[_Said]] = defaultdict(list)
    for said in fetch(SQL["agreement"], params, into=_Said):
        groups[said.key].append(said)
    rows = [_row(each, kind, found, labels, metric) for each, found in groups.items()]
    if kind == "guideline":
        return sorted(rows, key=lambda row: -int(row.key))[:MOST_ROWS]
    return sorted(rows, key=lambda row: (-row.n_units, row.key))[:MOST_ROWS]


def annotator_records(*, project: Project) -> list[AnnotatorRecord]:
    """The records of the project's annotators, those with the most answers first."""
    rows = AnnotatorQuality.objects.filter(project=project).select_related("user")
    return [
        AnnotatorRecord(
            user_id=row.user_id,
            username=row.user.get_username(),
            n_answers=row.n_answers,
            n_compared=row.n_compared,
            n_gold=row.n_gold,
            n_effective=row.n_effective,
            accuracy=row.accuracy,
            low=row.low,
            high=row.high,
            confusion=row.confusion,
            computed_at=row.computed_at,
        )
        for row in rows.order_by("-n_answers", "user_id")
    ]


def consensus_notes(*, sample_ids: Collection[int]) -> dict[int, ConsensusNote]:
    """What was last made of those of these samples that several annotators answered, by sample.

    Kept up by the tick of :mod:`curation.review.agreement.refresh`: an answer of the last minutes
    may not be in it yet.
    """
    rows = SampleConsensus.objects.filter(pk__in=sample_ids)
    return {
        row.pk: ConsensusNote(
            value=row.value,
            posterior=row.posterior,
            n_answers=row.n_answers,
            crowd_value=row.crowd_value,
            crowd_quality=row.crowd_quality,
            model_version=row.model_version,
            computed_at=row.computed_at,
        )
        for row in rows
    }


@dataclass(frozen=True)
class _Said:
    """Answers that so many texts of a group got alike."""

    key: str
    said: list[str]
    n_units: int
    n_annotators: int


def _row(
    key: str, kind: str, found: Sequence[_Said], labels: Sequence[str], metric: Metric
) -> AgreementRow:
    agreed = alpha(_votes(found, labels), metric=metric)
    return AgreementRow(
        key=key,
        name=_name(kind, key),
        alpha=agreed.value,
        low=agreed.low,
        high=agreed.high,
        n_units=agreed.n_units,
        n_answers=agreed.n_answers,
        n_annotators=found[0].n_annotators,
        sentence=_sentence(agreed.value, agreed.low, agreed.high, agreed.n_units),
    )


def _votes(found: Sequence[_Said], labels: Sequence[str]) -> NDArray[np.int64]:
    """How often each label was given to each text; labels that are no more come last."""
    names = list(dict.fromkeys([*labels, *(value for each in found for value in each.said)]))
    kinds = np.array([[each.said.count(name) for name in names] for each in found], dtype=np.int64)
    return np.repeat(kinds, [each.n_units for each in found], axis=0)


def _name(kind: str, key: str) -> str:
    match kind:
        case "all":
            return "All answers"
        case "queue":
            return str(Queue(key).label)
        case "guideline":
            return f"Guidelines v{key}"
        case "length":
            return f"{LENGTH_NAMES[int(key)]} characters"
    return key


def _sentence(value: float | None, low: float | None, high: float | None, n_units: int) -> str:
    texts = "1 text" if n_units == 1 else f"{n_units:,} texts"
    if value is None:
        return f"Not enough data: every answer to {texts} is the same label."
    if low is None or high is None:
        return f"Not enough data: only {texts} with two answers."
    how = (
        "Reliable"
        if value >= RELIABLE
        else "Good enough for tentative conclusions"
        if value >= TENTATIVE
        else "Too low to rely on"
        if value > 0
        else "No better than chance"
    )
    return f"{how}: {value:.2f} ({low:.2f} to {high:.2f}) on {texts}."
