"""A dry run: what rules would have held back in the last days, before they are used."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from curation.digest.quarantine import Caught, catch
from curation.digest.rule_book import RuleBook
from curation.digest.rules import NAMES
from curation.digest.screening import DAY, EPOCH, Scope, garbage, suspicions
from curation.digest.supersession import EventId
from feedbackhub.core.ids import uuid7_floor
from feedbackhub.core.sql import fetch, statements

SQL = statements(Path(__file__).with_name("rehearsal.sql"))
DAYS = 7
MOST_EVENTS = 200_000
EXAMPLES = 3


@dataclass(frozen=True)
class Example:
    """One event a rule would have held back."""

    feedback_id: EventId
    rating: str
    text: str
    reason: str


@dataclass(frozen=True)
class Finding:
    """What one rule would have held back."""

    rule: str
    title: str
    events: int
    share: float
    """Of all events looked at, 0 to 1."""
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Rehearsal:
    """What a book of rules would have done."""

    since: datetime
    until: datetime
    events: int
    """Feedback looked at, digested already."""
    is_capped: bool
    """There were more events than a dry run looks at; only the latest days count."""
    caught: Mapping[EventId, Caught]
    findings: tuple[Finding, ...]
    """One a rule in use, in the order of the book."""

    @property
    def share(self) -> float:
        """Of all events, those any rule would have held back."""
        return len(self.caught) / self.events if self.events else 0.0


@dataclass(frozen=True)
class _Span:
    events: int
    oldest: datetime | None


@dataclass(frozen=True)
class _Event:
    feedback_id: EventId
    rating: str
    text: str


def rehearse(*, project_id: int, book: RuleBook, now: datetime) -> Rehearsal:
    """What ``book`` finds in the last seven days; nothing is changed.

    It counts what the digest counts. Events that people released are left out, as they would be.
    """
    since, until = now - DAYS * DAY, now + DAY
    span = _span(project_id, since, until)
    is_capped = span.events >= MOST_EVENTS and span.oldest is not None
    if is_capped and span.oldest is not None:
        # A day that is looked at in part would be judged by a part of its counts.
        since = EPOCH + ((span.oldest - EPOCH) // DAY + 1) * DAY
        span = _span(project_id, since, until)
    scope = Scope(project_id=project_id, since=since, until=until)
    found = [*garbage(scope=scope, book=book), *suspicions(scope=scope, book=book)]
    caught = catch(scope=scope, found=found, with_held=True)
    return Rehearsal(
        since=since,
        until=now,
        events=span.events,
        is_capped=is_capped,
        caught=caught,
        findings=_findings(book, caught, span.events),
    )


def _span(project_id: int, since: datetime, until: datetime) -> _Span:
    params = {
        "project": project_id,
        "since": str(uuid7_floor(since)),
        "until": str(uuid7_floor(until)),
        "most": MOST_EVENTS,
    }
    [span] = fetch(SQL["span"], params, into=_Span)
    return span


def _findings(book: RuleBook, caught: Mapping[EventId, Caught], events: int) -> tuple[Finding, ...]:
    by_rule: dict[str, list[Caught]] = defaultdict(list)
    for each in caught.values():
        by_rule[each.rule].append(each)
    shown = {rule: _spread(found) for rule, found in by_rule.items()}
    ids = [each.feedback_id for found in shown.values() for each in found]
    rows = {row.feedback_id: row for row in fetch(SQL["events"], {"ids": ids}, into=_Event)}
    return tuple(
        Finding(
            rule=name,
            title=NAMES[name].title,
            events=len(by_rule[name]),
            share=len(by_rule[name]) / events if events else 0.0,
            examples=tuple(
                Example(each.feedback_id, row.rating, row.text, each.reason)
                for each in shown.get(name, ())
                if (row := rows.get(each.feedback_id)) is not None
            ),
        )
        for name in book.rules
        if name in book.enabled
    )


def _spread(found: Sequence[Caught]) -> list[Caught]:
    """The latest event of each of a few reasons: several subjects rather than one many times."""
    latest = {each.reason: each for each in sorted(found, key=lambda each: each.feedback_id)}
    return list(latest.values())[-EXAMPLES:]
