"""One record a sample of everything that contradicts itself about it: opened, changed, resolved.

Set-based and incremental: the samples of a batch are looked at in one statement, and records are
written only where they say something new. Near-duplicates with other labels are told apart, never
merged: each gets a record that names the other side.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection

from curation.digest.contradiction import (
    Contradiction,
    Neighbour,
    Standpoints,
    contradiction,
)
from curation.digest.spoken import Spoken
from feedbackhub.core.sql import execute, fetch, statements

SQL = statements(Path(__file__).with_name("disagreement.sql"))
# A popular text is known by so many of its answers, and a large cluster by so many of its texts.
MOST_LOOKED_AT = 50


@dataclass(frozen=True)
class Noted:
    """What became of the records of some samples."""

    found: Mapping[int, Contradiction]
    """The samples about which something is contradicted."""
    adjudicated: Mapping[int, str]
    """What annotators agreed on, blind, for those that they were asked about."""


@dataclass(frozen=True)
class _Row:
    """What others than the latest voices say about a sample; JSON as text."""

    sample_id: int
    project_id: int
    origin: str | None
    value: str | None
    labelled_at: datetime | None
    is_adjudicated: bool | None
    answers: str | None
    later_answers: str | None
    versions: str | None
    near: str | None
    is_open: bool


def note(*, spoken: Mapping[int, Sequence[Spoken]], now: datetime) -> Noted:
    """Open, change and resolve the records of these samples; what they contradict now.

    ``spoken`` holds every sample to look at, with its voices, even if none counts. One query, and
    one more each where records change. Its caller has locked the samples.
    """
    rows = _rows(spoken)
    found: dict[int, Contradiction] = {}
    calm: list[int] = []
    for row in rows:
        contradicted = contradiction(_standpoints(row, spoken[row.sample_id]))
        if contradicted is not None:
            found[row.sample_id] = contradicted
        elif row.is_open:
            calm.append(row.sample_id)
    project_of = {row.sample_id: row.project_id for row in rows}
    changed = [*_record(found, project_of, now), *_resolve(calm, now)]
    if changed:
        params = {"samples": sorted(changed), "most": MOST_LOOKED_AT}
        execute(SQL["tell_near_duplicates"], params)
    adjudicated = {
        row.sample_id: row.value for row in rows if row.is_adjudicated and row.value is not None
    }
    return Noted(found=found, adjudicated=adjudicated)


def _rows(spoken: Mapping[int, Sequence[Spoken]]) -> list[_Row]:
    if not spoken:
        return []
    samples = sorted(spoken)
    params = {
        "samples": samples,
        "contradicted": [any(each.contradicts for each in spoken[pk]) for pk in samples],
        "predicted": [spoken[pk][0].predicted if spoken[pk] else "" for pk in samples],
        "most": MOST_LOOKED_AT,
    }
    return fetch(SQL["standpoints"], params, into=_Row)


def _standpoints(row: _Row, spoken: Sequence[Spoken]) -> Standpoints:
    since = row.labelled_at if row.is_adjudicated else None
    return Standpoints(
        voices=[each.voice for each in spoken],
        adjudicated=row.value if row.is_adjudicated else None,
        since=[each.voice for each in spoken if since is not None and each.spoken_at > since],
        answers=_json(row.later_answers if row.is_adjudicated else row.answers, {}),
        versions=_versions(row, spoken),
        label=None if row.value is None else (str(row.origin), row.value),
        neighbours=[Neighbour(*each) for each in _json(row.near, [])],
    )


def _versions(row: _Row, spoken: Sequence[Spoken]) -> dict[str, list[str]]:
    said = {(label, version) for label, version in _json(row.versions, [])}
    said |= {(each.predicted, each.model_version) for each in spoken if each.model_version}
    by_label: dict[str, list[str]] = {}
    for label, version in sorted(said):
        by_label.setdefault(label, []).append(version)
    return by_label


def _json(text: Any, default: Any) -> Any:
    return default if text is None else json.loads(text)


def _record(
    found: Mapping[int, Contradiction], project_of: Mapping[int, int], now: datetime
) -> list[int]:
    if not found:
        return []
    params = {
        "samples": list(found),
        "projects": [project_of[sample_id] for sample_id in found],
        "kinds": [json.dumps(each.kinds) for each in found.values()],
        "strengths": [each.strength for each in found.values()],
        "evidence": [json.dumps(each.evidence) for each in found.values()],
        "now": now,
    }
    return _returned("record", params)


def _resolve(sample_ids: Collection[int], now: datetime) -> list[int]:
    if not sample_ids:
        return []
    return _returned("resolve", {"samples": sorted(sample_ids), "now": now})


def _returned(statement: str, params: Mapping[str, Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(SQL[statement], params)
        return [sample_id for (sample_id,) in cursor.fetchall()]
