"""What we believe about samples: one current label each, with its grounds, and its history.

Words weigh by origin: an annotator's outranks an import's, an import's outranks a thumb's, and a
lesser word never replaces a greater one. A label row never changes except to stop being current.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.db import connection, transaction

from curation.digest.quality import label_quality
from curation.label_weighing import weigh_next
from curation.models import Label
from feedbackhub.core.sql import execute, fetch, statements

SQL = statements(Path(__file__).with_name("labels.sql"))
IMPORT_QUALITY = 0.9
ANNOTATION_QUALITY = 0.95
# Below every useful training threshold: it waits for an annotator.
CONFLICT_QUALITY = 0.5
CONFLICT = "Imports of this text disagree."

RANK = {Label.Origin.FEEDBACK: 0, Label.Origin.IMPORT: 1, Label.Origin.ANNOTATION: 2}


@dataclass(frozen=True)
class Belief:
    """What someone's word makes us believe about a sample."""

    sample_id: int
    value: str
    origin: str
    """A value of ``Label.Origin``."""
    quality: float
    """In [0, 1]; kept to two decimals."""
    reasons: Sequence[str]
    """Readable grounds of the quality."""
    feedback_ids: Sequence[UUID | str] = ()
    """The thumbs it rests on."""
    annotation_ids: Sequence[int] = ()
    """The annotations it rests on."""
    support: float | None = None
    """What models trained without it gave its value; kept from a label that says the same."""
    support_version: str = ""


@dataclass(frozen=True)
class _Current:
    """The label a sample has now."""

    sample_id: int
    value: str
    origin: str
    quality: float
    """Of its word alone: what support and age have made of it is no part of what was said."""
    reasons: tuple[str, ...]
    """Of its word alone."""
    is_shaken: bool
    """It rests on a thumb that was superseded or an annotation that was withdrawn."""
    annotation_ids: tuple[int, ...]
    support: float | None
    support_version: str


def believe(*, beliefs: Sequence[Belief], now: datetime) -> None:
    """Make each belief its sample's current label, unless the present one outranks or equals it.

    The sample rows are locked first, in order: whoever writes labels waits here. Two imports that
    disagree about a text lower its quality instead of replacing each other, so that importing the
    same file again changes nothing.
    """
    if not beliefs:
        return
    with transaction.atomic():
        current = _current({belief.sample_id for belief in beliefs})
        new: dict[int, Belief] = {}
        for given in beliefs:
            belief = _rounded(given)
            held = new.get(belief.sample_id) or current.get(belief.sample_id)
            if (chosen := _weigh(held, belief)) is not None:
                new[belief.sample_id] = _supported(chosen, current.get(belief.sample_id))
        _write(new.values(), now)


def withdraw(*, sample_ids: Iterable[int], origin: str, now: datetime) -> None:
    """End the current labels of ``origin`` that lost a ground; the best that stands comes back.

    A thumb is lost when it is superseded, an annotation when it is undone. An import stands
    for ever. What thumbs say is not put back here but weighed anew: see
    :func:`curation.digest.voices.reweigh`.
    """
    ids = sorted(set(sample_ids))
    with transaction.atomic():
        held = _current(ids).values()
        ending = [row.sample_id for row in held if row.origin == origin and row.is_shaken]
        if not ending:
            return
        execute(SQL["end_labels"], {"samples": ending})
        former = fetch(SQL["standing_labels"], {"samples": ending}, into=_Former)
        _write([row.belief() for row in former], now)


def retract(*, label_ids: Iterable[int], now: datetime) -> None:
    """End these labels where they are current; the best that stands comes back.

    As with :func:`withdraw`, what thumbs say is for the caller to weigh anew.
    """
    with transaction.atomic():
        samples = sorted(
            Label.objects.filter(pk__in=list(label_ids), is_current=True).values_list(
                "sample_id", flat=True
            )
        )
        _current(samples)
        execute(SQL["end_labels"], {"samples": samples})
        former = fetch(SQL["standing_labels"], {"samples": samples}, into=_Former)
        _write([row.belief() for row in former], now)


def revive(*, sample_ids: Iterable[int], now: datetime) -> None:
    """Bring the annotators' labels back whose grounds stand again; newer ones stay."""
    with transaction.atomic():
        current = _current(sorted(set(sample_ids)))
        silent = [
            pk
            for pk in sorted(set(sample_ids))
            if pk not in current or current[pk].origin != Label.Origin.ANNOTATION
        ]
        former = fetch(SQL["standing_labels"], {"samples": silent}, into=_Former)
        _write([row.belief() for row in former if row.origin == Label.Origin.ANNOTATION], now)


def _rounded(belief: Belief) -> Belief:
    quality = round(belief.quality, 2)
    return belief if quality == belief.quality else replace(belief, quality=quality)


def _supported(belief: Belief, held: _Current | None) -> Belief:
    if held is None or held.support is None or held.value != belief.value:
        return belief
    return replace(belief, support=held.support, support_version=held.support_version)


@dataclass(frozen=True)
class _Former:
    """An earlier label whose grounds still stand."""

    sample_id: int
    value: str
    origin: str
    quality: float
    reasons: str
    annotation_ids: list[int]

    def belief(self) -> Belief:
        return Belief(
            sample_id=self.sample_id,
            value=self.value,
            origin=self.origin,
            quality=self.quality,
            reasons=json.loads(self.reasons),
            annotation_ids=self.annotation_ids,
        )


def _weigh(held: "_Current | Belief | None", belief: Belief) -> Belief | None:
    """The label to write, or None to leave what is held."""
    if held is None:
        return belief
    ranks = RANK[Label.Origin(belief.origin)], RANK[Label.Origin(held.origin)]
    if ranks[0] != ranks[1]:
        return belief if ranks[0] > ranks[1] else None
    if belief.origin == Label.Origin.IMPORT:
        return None if held.value == belief.value else _conflicting(held)
    return None if _says_the_same(held, belief) else belief


def _conflicting(held: "_Current | Belief") -> Belief | None:
    """The held import with the quality of a disagreement; None if it has it already."""
    if CONFLICT in held.reasons:
        return None
    return Belief(
        sample_id=held.sample_id,
        value=held.value,
        origin=held.origin,
        quality=min(held.quality, CONFLICT_QUALITY),
        reasons=[*held.reasons, CONFLICT],
    )


def _says_the_same(held: "_Current | Belief", belief: Belief) -> bool:
    # More thumbs that change neither value nor quality add nothing: a popular text would otherwise
    # collect a label row for each. A label that lost one of its grounds is written anew.
    if isinstance(held, _Current) and held.is_shaken:
        return False
    return (
        (held.value, held.quality) == (belief.value, belief.quality)
        and list(held.reasons) == list(belief.reasons)
        and set(held.annotation_ids) == set(belief.annotation_ids)
    )


def _current(sample_ids: Iterable[int]) -> dict[int, _Current]:
    with connection.cursor() as cursor:
        cursor.execute(SQL["lock_current_labels"], {"samples": sorted(sample_ids)})
        return {
            pk: _Current(
                pk, value, origin, word, tuple(json.loads(said)), shaken, tuple(notes), support, by
            )
            for pk, value, origin, word, said, shaken, notes, support, by in cursor.fetchall()
        }


def _write(beliefs: Iterable[Belief], now: datetime) -> None:
    chosen = sorted(beliefs, key=lambda belief: belief.sample_id)
    if not chosen:
        return
    weighed = [
        label_quality(
            word=belief.quality, grounds=belief.reasons, support=belief.support, age_days=0
        )
        for belief in chosen
    ]
    grounds = [
        (belief.sample_id, feedback, annotation)
        for belief in chosen
        for feedback, annotation in [
            *((feedback, None) for feedback in belief.feedback_ids),
            *((None, annotation) for annotation in belief.annotation_ids),
        ]
    ]
    execute(
        SQL["write_labels"],
        {
            "samples": [belief.sample_id for belief in chosen],
            "values": [belief.value for belief in chosen],
            "origins": [str(belief.origin) for belief in chosen],
            "words": [belief.quality for belief in chosen],
            "grounds": [json.dumps(list(belief.reasons)) for belief in chosen],
            "qualities": [each.quality for each in weighed],
            "reasons": [json.dumps(list(each.reasons)) for each in weighed],
            "supports": [belief.support for belief in chosen],
            "support_versions": [belief.support_version for belief in chosen],
            "evidence_samples": [sample_id for sample_id, _, _ in grounds],
            "evidence_feedback": [feedback for _, feedback, _ in grounds],
            "evidence_annotations": [annotation for _, _, annotation in grounds],
            "weigh_at": weigh_next(age_days=0, now=now),
            "now": now,
        },
    )
