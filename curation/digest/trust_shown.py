"""Trust as pages show it: sources, and the subjects trusted most and least, with the evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from curation.digest.trust import standing_of, trust_of
from curation.digest.trust_arithmetic import SUBJECT_WORTH, Trust
from curation.models import Project, Source
from feedbackhub.core.sql import fetch, statements

SQL = statements(Path(__file__).with_name("trust_shown.sql"))
SHORT_HASH = 8


@dataclass(frozen=True)
class TrustRow:
    """One source or subject, and how often it proved right."""

    name: str
    """A source's name, or the first digits of a subject's keyed hash."""
    trust: float
    """The posterior mean, in (0, 1)."""
    low: float
    """Of its 95 % credible interval."""
    high: float
    agreed: int
    """Voices that annotators bore out, ever."""
    adjudicated: int
    """Voices that annotators judged, ever."""
    recent: float
    """How many of them still count after fading."""
    weight: float
    """How many voices one of theirs counts as."""


@dataclass(frozen=True)
class TrustRows:
    """What a project knows of its voices."""

    usual: float | None
    """The project's overall rate; None before the first adjudication."""
    half_life_days: float | None
    sources: Sequence[TrustRow]
    most: Sequence[TrustRow]
    """The most trusted subjects, the most trusted first."""
    least: Sequence[TrustRow]
    """The least trusted subjects, the least trusted first."""


@dataclass(frozen=True)
class _Picked:
    subject_hash: bytes
    source_id: int


def trust_rows(*, project: Project, now: datetime, limit: int = 20) -> TrustRows:
    """Every source, and up to ``limit`` subjects at either end; five queries at most."""
    standing = standing_of(project_id=project.pk, now=now)
    if standing is None:
        return TrustRows(None, None, (), (), ())
    names = dict(Source.objects.filter(project=project).values_list("pk", "name"))
    sources = [
        _row(names.get(pk, f"source {pk}"), trust)
        for pk, trust in sorted(standing.sources.items(), key=lambda pair: -pair[1].mean)
    ]
    expected = {pk: trust.mean for pk, trust in standing.sources.items()}
    ends = [_subjects(project, expected, direction, limit, now) for direction in (-1, 1)]
    return TrustRows(standing.usual, standing.half_life, sources, *ends)


def _subjects(
    project: Project, expected: dict[int, float], direction: int, limit: int, now: datetime
) -> list[TrustRow]:
    picked = fetch(
        SQL["subjects"],
        {
            "project": project.pk,
            "sources": list(expected),
            "expected": list(expected.values()),
            "worth": SUBJECT_WORTH,
            "direction": direction,
            "limit": limit,
        },
        into=_Picked,
    )
    hashes = [bytes(each.subject_hash) for each in picked]
    known = trust_of(project_id=project.pk, subjects=hashes, now=now)
    return [_row(each.hex()[:SHORT_HASH], known[each]) for each in hashes]


def _row(name: str, trust: Trust) -> TrustRow:
    low, high = trust.interval()
    return TrustRow(
        name=name,
        trust=trust.mean,
        low=low,
        high=high,
        agreed=trust.agreed_count,
        adjudicated=trust.agreed_count + trust.disagreed_count,
        recent=trust.agreed + trust.disagreed,
        weight=trust.weight,
    )
