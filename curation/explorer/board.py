"""The annotators' board: how much each does, how fast, and how right they turn out to be.

For leads alone, by name and never by rank: a board that annotators race on makes them race.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from curation.models import Project
from curation.review.agreement.queries import AnnotatorRecord, annotator_records
from feedbackhub.core.sql import fetch, statements

SQL = statements(Path(__file__).with_name("board.sql"))
# Of each annotator so many are read at most, the newest.
MOST = 5_000
# Fewer minutes of work say nothing about a rate.
FEW = 20


@dataclass(frozen=True)
class Span:
    """A stretch of time to look back on."""

    key: str
    title: str
    length: timedelta


SPANS = {
    span.key: span
    for span in (
        Span("week", "Last 7 days", timedelta(days=7)),
        Span("month", "Last 30 days", timedelta(days=30)),
        Span("year", "Last year", timedelta(days=365)),
    )
}


@dataclass(frozen=True)
class Work:
    """What one annotator did in a stretch of time."""

    user_id: int
    name: str
    answers: int
    """That stand."""
    skips: int
    undone: int
    looked_at: int
    """Answers, skips, and what was taken back."""
    days: int
    """On which there were any."""
    median_seconds: float | None
    """Between seeing a text and answering it."""

    @property
    def per_day(self) -> float:
        """Answers on a day on which they worked."""
        return self.answers / self.days if self.days else 0.0

    @property
    def is_capped(self) -> bool:
        """Whether there was more than was read."""
        return self.looked_at >= MOST


@dataclass(frozen=True)
class Day:
    """Everybody's answers of one day."""

    day: date
    n: int


@dataclass(frozen=True)
class Line:
    """One annotator on the board."""

    work: Work
    record: AnnotatorRecord | None
    """None before their answers could be compared with anyone's."""


@dataclass(frozen=True)
class Board:
    """All of it."""

    lines: list[Line]
    """By name."""
    days: list[Day]


def board(*, project: Project, span: Span, now: datetime) -> Board:
    """Who did what since then; those who did nothing are left out."""
    params = {"project": project.pk, "since": now - span.length, "most": MOST}
    records = {record.user_id: record for record in annotator_records(project=project)}
    work = fetch(SQL["work"], params, into=Work)
    return Board(
        lines=[Line(each, records.get(each.user_id)) for each in work],
        days=fetch(SQL["days"], params, into=Day),
    )
