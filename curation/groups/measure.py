"""One look at a project's groups: draw traffic, count, compare, keep; ask about where it fails.

The counts rest on a uniform draw of the last four weeks' predictions, at most fifty thousand, and
on all their audited answers. A look takes seconds and happens every hour, in no request.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from curation.digest.language import languages_of
from curation.groups.comparing import Compared, Tally, compare
from curation.groups.queueing import ask_about
from curation.groups.slicing import Facts, Group, Words, groups_of
from curation.groups.topics import find_topics
from curation.models import GroupMeasure, GroupMeasurement, Project, Source, WordGroup
from feedbackhub.core.ids import uuid7_floor
from feedbackhub.core.sql import fetch, statements

logger = logging.getLogger(__name__)

SQL = statements(Path(__file__).with_name("groups.sql"))
WINDOW = timedelta(days=28)
EVERY = timedelta(hours=1)
MOST_DRAWN = 50_000
# Texts whose languages are told together.
BATCH = 2_000
# Of one dimension; a value that groups less than these is one of many.
MOST_GROUPS = 12
# A metadata key with more values names things: visits, orders.
MOST_VALUES = 200
# Topics found in the texts are found anew after so long: names that change hourly are no names.
TOPICS_LAST = timedelta(days=28)


@dataclass(frozen=True)
class _Drawn:
    text: str | None
    source_id: int
    metadata: Any
    rating: str | None


@dataclass(frozen=True)
class _Audited:
    id: UUID
    text: str | None
    source_id: int
    metadata: Any
    label: str
    answers: list[str]

    @property
    def truth(self) -> str | None:
        """What most said; None when they are split."""
        (value, most), *others = Counter(self.answers).most_common()
        return None if others and others[0][1] == most else value


def measure_due(*, now: datetime) -> int:
    """Look at the projects whose last look is old or whose groups were changed; how many."""
    params: dict[str, Any] = {"before": now - EVERY, "since": uuid7_floor(now - WINDOW)}
    with connection.cursor() as cursor:
        cursor.execute(SQL["due"], params)
        due = [pk for (pk,) in cursor.fetchall()]
    for project in Project.objects.filter(pk__in=due).order_by("pk"):
        try:
            measure(project=project, now=now)
        except Exception:
            # One project's trouble is not another's.
            logger.exception("The groups of %s could not be measured", project.slug)
    return len(due)


def measure(*, project: Project, now: datetime) -> GroupMeasurement:
    """Count and compare the groups anew, and fill the slice queue where the model fails."""
    since = now - WINDOW
    params: dict[str, Any] = {"project": project.pk, "since": uuid7_floor(since)}
    with connection.cursor() as cursor:
        cursor.execute(SQL["size"], params)
        size = int(cursor.fetchone()[0])
    share = min(1.0, MOST_DRAWN / size) if size else 1.0
    drawn = fetch(SQL["drawn"], {**params, "share": share}, into=_Drawn)
    audited = fetch(SQL["audited"], params, into=_Audited)
    sorter = Sorter(project, drawn, now=now)
    tally = Tally()
    for each, groups in zip(drawn, sorter.groups(drawn), strict=True):
        tally.add_prediction(groups, rating=each.rating)
    for audit, groups in zip(audited, sorter.groups(audited), strict=True):
        if (truth := audit.truth) is not None:
            tally.add_audit(groups, is_correct=truth == audit.label)
    for group in _identifying(tally.by_group):
        del tally.by_group[group]
    compared = compare(tally, most=MOST_GROUPS)
    measurement = _keep(project, tally, compared, since=since, share=share, now=now)
    ask_about(
        project=project,
        failing=[each for each in compared if each.is_failing],
        sorter=sorter.groups,
        total=tally.all,
        now=now,
    )
    return measurement


class Sorter:
    """Puts texts of one project into groups, by its words, topics and sources of this moment."""

    def __init__(self, project: Project, drawn: Sequence[_Drawn], *, now: datetime) -> None:
        texts = [each.text for each in drawn if each.text]
        _refresh_topics(project, texts, now)
        kept = WordGroup.objects.filter(project=project)
        self._written = [Words(each.name, each.words) for each in kept if not each.is_found]
        self._found = [Words(each.name, each.words) for each in kept if each.is_found]
        self._sources = dict(Source.objects.filter(project=project).values_list("pk", "name"))

    def groups(self, rows: Sequence[Any]) -> list[list[Group]]:
        """The groups of each of these rows with text, source and metadata."""
        found = []
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            languages = languages_of([each.text or "" for each in batch])
            found += [
                self._groups(row, language) for row, language in zip(batch, languages, strict=True)
            ]
        return found

    def _groups(self, row: Any, language: str) -> list[Group]:
        source = self._sources.get(row.source_id, "unknown")
        facts = Facts(row.text, source, language, row.metadata)
        return groups_of(facts, written=self._written, found=self._found)


def _refresh_topics(project: Project, texts: Sequence[str], now: datetime) -> None:
    found = WordGroup.objects.filter(project=project, is_found=True)
    if found.filter(created_at__gt=now - TOPICS_LAST).exists():
        return
    topics = find_topics(texts)
    if not topics:
        return
    with transaction.atomic():
        found.delete()
        WordGroup.objects.bulk_create(
            WordGroup(
                project=project,
                name=topic.name[:60],
                words=dict(topic.weights),
                is_found=True,
                created_at=now,
            )
            for topic in topics
        )


def _identifying(groups: Iterable[Group]) -> list[Group]:
    """The groups of metadata keys with too many values."""
    values: dict[str, list[Group]] = defaultdict(list)
    for group in groups:
        values[group[0]].append(group)
    return [group for members in values.values() if len(members) > MOST_VALUES for group in members]


def _keep(
    project: Project,
    tally: Tally,
    compared: Sequence[Compared],
    *,
    since: datetime,
    share: float,
    now: datetime,
) -> GroupMeasurement:
    with transaction.atomic():
        GroupMeasurement.objects.filter(project=project).delete()
        measurement = GroupMeasurement.objects.create(
            project=project, since=since, share=share, measured_at=now, **asdict(tally.all)
        )
        GroupMeasure.objects.bulk_create(
            GroupMeasure(
                measurement=measurement,
                dimension=each.group[0],
                name=each.group[1],
                heard_q=each.heard_q,
                correct_q=each.correct_q,
                is_under_heard=each.is_under_heard,
                is_failing=each.is_failing,
                **asdict(each.counts),
            )
            for each in compared
        )
    return measurement
