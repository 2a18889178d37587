"""Trust of subjects and sources: adjudicated voices written down once, counted, faded, shown.

A voice is adjudicated when annotators agree, blind, on a label for its text. The row in
``AdjudicatedVoice`` makes it count once; what takes the label or the voice away takes the row and
its share of the counts back. Counts are kept faded to a moment, which a multiplication moves on.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.db import connection, transaction
from django.db.models import Max

from curation.digest.quality import opposes
from curation.digest.spoken import Spoken
from curation.digest.supersession import EventId
from curation.digest.trust_arithmetic import (
    SOURCE_WORTH,
    START_RATE,
    START_WORTH,
    SUBJECT_WORTH,
    Trust,
    faded,
    rate,
)
from curation.models import CurationPolicy
from feedbackhub.core.sql import execute, fetch, statements

SQL = statements(Path(__file__).with_name("trust.sql"))
DAY = timedelta(days=1)
# A mover's latest texts are weighed anew; older ones are when someone next speaks of them.
MOST_RECONSIDERED = 50
# After so many half-lives a judgement weighs less than a four-thousandth.
FORGOTTEN_AFTER = 12
PRUNED_AT_ONCE = 10_000


@dataclass(frozen=True)
class _Counts:
    """What is remembered of one source or subject."""

    source_id: int
    agreed: float
    disagreed: float
    agreed_count: int
    disagreed_count: int
    as_of: datetime
    half_life_days: float = 0.0
    subject_hash: bytes = b""

    def trust(
        self, *, now: datetime, half_life: float, expected: float, worth: float, usual: float
    ) -> Trust:
        days = (now - self.as_of) / DAY
        return Trust(
            agreed=faded(self.agreed, days=days, half_life_days=half_life),
            disagreed=faded(self.disagreed, days=days, half_life_days=half_life),
            agreed_count=self.agreed_count,
            disagreed_count=self.disagreed_count,
            expected=expected,
            worth=worth,
            usual=usual,
        )


@dataclass(frozen=True)
class Standing:
    """A project's rate, and the trust of its sources."""

    usual: float
    half_life: float
    sources: Mapping[int, Trust]

    def expected_of(self, source_id: int) -> float:
        """What to expect of a subject that speaks through this source."""
        source = self.sources.get(source_id)
        return self.usual if source is None else source.mean

    def unknown(self, source_id: int) -> Trust:
        """The trust of a subject of whom nothing is known but their source."""
        expected = self.expected_of(source_id)
        return Trust(0.0, 0.0, 0, 0, expected, SUBJECT_WORTH, self.usual)

    def subject(self, row: _Counts, now: datetime) -> Trust:
        return row.trust(
            now=now,
            half_life=self.half_life,
            expected=self.expected_of(row.source_id),
            worth=SUBJECT_WORTH,
            usual=self.usual,
        )


def trust_of(*, project_id: int, subjects: Collection[bytes], now: datetime) -> dict[bytes, Trust]:
    """The trust of those of these subjects (keyed hashes) that any adjudication speaks about.

    Two queries at most however many are asked for, one before the first adjudication.
    """
    standing = standing_of(project_id=project_id, now=now)
    if standing is None or not subjects:
        return {}
    return _subjects(project_id, subjects, standing, now)


def trusted(
    *, spoken: Mapping[int, Sequence[Spoken]], now: datetime
) -> dict[int, Sequence[Spoken]]:
    """The same voices, each with the weight its subject, or else its source, has earned."""
    by_project: dict[int, list[Spoken]] = defaultdict(list)
    for voices in spoken.values():
        for each in voices:
            by_project[each.project_id].append(each)
    weights: dict[EventId, float] = {}
    for project_id, voices in by_project.items():
        weights |= _weights(project_id, voices, now)
    if not weights:
        return dict(spoken)
    return {
        sample_id: [each.weighing(weights.get(each.feedback_id, 1.0)) for each in voices]
        for sample_id, voices in spoken.items()
    }


def _weights(project_id: int, voices: Sequence[Spoken], now: datetime) -> dict[EventId, float]:
    standing = standing_of(project_id=project_id, now=now)
    if standing is None:
        return {}
    named = {each.subject_hash for each in voices if each.subject_hash is not None}
    known = _subjects(project_id, named, standing, now)
    weights = {}
    for each in voices:
        trust = known.get(each.subject_hash) if each.subject_hash is not None else None
        weight = (trust or standing.unknown(each.source_id)).weight
        if weight != 1.0:
            weights[each.feedback_id] = weight
    return weights


def standing_of(*, project_id: int, now: datetime) -> Standing | None:
    """None before the first adjudication: then nobody is known for anything."""
    rows = fetch(SQL["sources"], {"project": project_id}, into=_Counts)
    if not rows:
        return None
    half_life = rows[0].half_life_days
    kept = [0.5 ** ((now - row.as_of) / DAY / half_life) for row in rows]
    agreed = sum(row.agreed * share for row, share in zip(rows, kept, strict=True))
    disagreed = sum(row.disagreed * share for row, share in zip(rows, kept, strict=True))
    usual = rate(agreed, disagreed, expected=START_RATE, worth=START_WORTH)
    sources = {}
    for row, share in zip(rows, kept, strict=True):
        # Of a source what the others lead one to expect: its own voices would count twice.
        expected = rate(
            max(agreed - row.agreed * share, 0.0),
            max(disagreed - row.disagreed * share, 0.0),
            expected=START_RATE,
            worth=START_WORTH,
        )
        sources[row.source_id] = row.trust(
            now=now, half_life=half_life, expected=expected, worth=SOURCE_WORTH, usual=usual
        )
    return Standing(usual, half_life, sources)


def _subjects(
    project_id: int, subjects: Collection[bytes], standing: Standing, now: datetime
) -> dict[bytes, Trust]:
    params = {"project": project_id, "subjects": sorted(subjects)}
    return {
        bytes(row.subject_hash): standing.subject(row, now)
        for row in fetch(SQL["subjects"], params, into=_Counts)
    }


@dataclass(frozen=True)
class _Judged:
    """A voice that an adjudication proved right or wrong."""

    feedback_id: EventId
    sample_id: int
    source_id: int
    subject_hash: bytes | None
    has_agreed: bool
    spoken_at: datetime
    is_standing: bool = True


def judge(
    *,
    project_id: int,
    spoken: Mapping[int, Sequence[Spoken]],
    adjudicated: Mapping[int, str],
    now: datetime,
) -> int:
    """Bring the counts in step with what annotators say of these samples; how many voices changed.

    ``adjudicated`` holds the label of each of the samples in ``spoken`` that has one. Doing it
    again changes nothing. Its caller has locked the samples.
    """
    held = {row.feedback_id: row for row in _ledger(spoken.keys())}
    wanted = {
        each.feedback_id: each
        for sample_id, truth in adjudicated.items()
        for each in _judgements(spoken.get(sample_id, ()), truth)
    }
    gone = [
        row
        for row in held.values()
        if (row.feedback_id in wanted and wanted[row.feedback_id].has_agreed != row.has_agreed)
        or row.sample_id not in adjudicated
        or not row.is_standing
        or _spoke_again(row, spoken.get(row.sample_id, ()))
    ]
    lost = {row.feedback_id for row in gone}
    new = [row for pk, row in wanted.items() if pk not in held or pk in lost]
    if not gone and not new:
        return 0
    with transaction.atomic():
        _write(project_id, gone, new, now)
    return len(gone) + len(new)


def _ledger(sample_ids: Collection[int]) -> list[_Judged]:
    return fetch(SQL["ledger"], {"samples": sorted(sample_ids)}, into=_Judged)


def _judgements(voices: Iterable[Spoken], truth: str) -> list[_Judged]:
    return [
        _Judged(
            feedback_id=each.feedback_id,
            sample_id=each.sample_id,
            source_id=each.source_id,
            subject_hash=each.subject_hash,
            has_agreed=not opposes(each.voice, truth),
            spoken_at=each.spoken_at,
        )
        for each in voices
        # Who neither names a label nor refuses one said nothing that could be true or false.
        if each.suggested or each.contradicts
    ]


def _spoke_again(row: _Judged, voices: Iterable[Spoken]) -> bool:
    """Whether the subject is heard by another event now: one voice a subject and text."""
    return row.subject_hash is not None and any(
        each.subject_hash == bytes(row.subject_hash) and each.feedback_id != row.feedback_id
        for each in voices
    )


def _write(project_id: int, gone: Sequence[_Judged], new: Sequence[_Judged], now: datetime) -> None:
    if gone:
        execute(SQL["take_back"], {"ids": [row.feedback_id for row in gone]})
    if new:
        execute(
            SQL["write_down"],
            {
                "project": project_id,
                "ids": [row.feedback_id for row in new],
                "samples": [row.sample_id for row in new],
                "sources": [row.source_id for row in new],
                "subjects": [row.subject_hash for row in new],
                "agreed": [row.has_agreed for row in new],
                "spoken": [row.spoken_at for row in new],
            },
        )
    half_life = _half_life(project_id)
    shares = [
        (row, sign * _share(row, now, half_life), sign)
        for rows, sign in ((gone, -1), (new, 1))
        for row in rows
    ]
    named = {bytes(row.subject_hash) for row, _, _ in shares if row.subject_hash is not None}
    before = trust_of(project_id=project_id, subjects=named, now=now)
    _add(project_id, "add_sources", _sums(shares, by_subject=False), half_life, now)
    _add(project_id, "add_subjects", _sums(shares, by_subject=True), half_life, now)
    after = trust_of(project_id=project_id, subjects=named, now=now)
    moved = sorted(
        who for who in named if (before[who].weight if who in before else 1.0) != after[who].weight
    )
    if moved:
        params = {"project": project_id, "subjects": moved, "most": MOST_RECONSIDERED}
        execute(SQL["reconsider_labels_of"], params)


def _half_life(project_id: int) -> float:
    with connection.cursor() as cursor:
        cursor.execute(SQL["half_life"], {"project": project_id})
        return float(cursor.fetchone()[0])


def _share(row: _Judged, now: datetime, half_life: float) -> float:
    return faded(1.0, days=(now - row.spoken_at) / DAY, half_life_days=half_life)


@dataclass
class _Sum:
    """What to add to one row of counts."""

    source_id: int
    agreed: float = 0.0
    disagreed: float = 0.0
    agreed_count: int = 0
    disagreed_count: int = 0


def _sums(
    shares: Iterable[tuple[_Judged, float, int]], *, by_subject: bool
) -> dict[bytes | int, _Sum]:
    sums: dict[bytes | int, _Sum] = {}
    for row, share, sign in shares:
        if by_subject and row.subject_hash is None:
            continue
        key = bytes(row.subject_hash or b"") if by_subject else row.source_id
        total = sums.setdefault(key, _Sum(row.source_id))
        if row.has_agreed:
            total.agreed += share
            total.agreed_count += sign
        else:
            total.disagreed += share
            total.disagreed_count += sign
    return sums


def _add(
    project_id: int,
    statement: str,
    sums: Mapping[bytes | int, _Sum],
    half_life: float,
    now: datetime,
) -> None:
    if not sums:
        return
    execute(
        SQL[statement],
        {
            "project": project_id,
            **({"subjects": list(sums)} if statement == "add_subjects" else {}),
            "sources": [each.source_id for each in sums.values()],
            "agreed": [each.agreed for each in sums.values()],
            "disagreed": [each.disagreed for each in sums.values()],
            "agreed_counts": [each.agreed_count for each in sums.values()],
            "disagreed_counts": [each.disagreed_count for each in sums.values()],
            "half_life": half_life,
            "now": now,
        },
    )


def tidy(*, now: datetime) -> int:
    """Count anew where a half-life was changed, and forget what weighs nothing; rows dropped.

    Bounded, and one query when nothing is due.
    """
    with connection.cursor() as cursor:
        cursor.execute(SQL["outdated"])
        outdated = [project_id for (project_id,) in cursor.fetchall()]
    for project_id in outdated:
        with transaction.atomic():
            policy = CurationPolicy.objects.get(project_id=project_id)
            params = {
                "project": project_id,
                "half_life": float(policy.trust_half_life_days),
                "now": now,
            }
            execute(SQL["recount"], params)
    return _prune(now)


def _prune(now: datetime) -> int:
    longest = CurationPolicy.objects.aggregate(days=Max("trust_half_life_days"))["days"] or 0
    before = now - FORGOTTEN_AFTER * longest * DAY
    dropped = execute(SQL["prune_voices"], {"before": before, "limit": PRUNED_AT_ONCE})
    if dropped:
        dropped += execute(SQL["prune_subjects"], {"before": before})
    return dropped
