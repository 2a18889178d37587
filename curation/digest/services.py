"""The digest: landed events become samples, outcomes, labels and queue items.

One batch is one transaction: its ``Landed`` rows are locked first and deleted last. Whatever stops
it in between leaves the events landed, and the next look starts them anew. Several workers pass
over each other's rows. Every step is set-based: no statement per event.

Each project's part is digested by itself. One that fails is halved until the events that cannot be
digested stand alone: those are set aside with their error, the others are digested.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path

from django.db import connection, transaction

from curation.digest import outcomes
from curation.digest.disputes import Audited, Queued
from curation.digest.outcomes import FeedbackRow, Outcome
from curation.digest.quarantine import screen
from curation.digest.rule_book import rule_books
from curation.digest.rules import GarbageText
from curation.digest.samples import NewSample, upsert_samples
from curation.digest.spoken import Spoken
from curation.digest.supersession import EventId
from curation.digest.tallies import roll_up
from curation.digest.trouble import PASSING
from curation.digest.voices import reweigh
from curation.digest.weighing import catch_up, weigh
from curation.intake.metrics import SET_ASIDE
from curation.models import FeedbackOutcome, Landed, Project, Sample
from feedbackhub.core.sql import execute, fetch, statements

SQL = statements(Path(__file__).with_name("digest.sql"))
State = FeedbackOutcome.State
Claimed = Sequence[tuple[EventId, str]]
"""Events with their kinds."""
# After so many failures in one look what else fails is set aside unhalved: all of it will.
MOST_FAILURES = 20
LONGEST_ERROR = 500
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DigestReport:
    """What one look did."""

    events: int = 0
    predictions: int = 0
    feedback: int = 0
    superseded: int = 0
    quarantined: int = 0
    disputed: int = 0
    """Disputed items opened or refreshed."""
    audited: int = 0
    """Audit items opened."""
    set_aside: int = 0
    """Events that could not be digested, among ``events``; they stay landed."""

    def __add__(self, other: "DigestReport") -> "DigestReport":
        """Both together."""
        names = [field.name for field in fields(self)]
        return DigestReport(**{name: getattr(self, name) + getattr(other, name) for name in names})


@dataclass(frozen=True)
class _PredictionRow:
    id: EventId
    project_id: int
    text: str
    content_hash: bytes
    is_audit: bool
    model_version: str


@dataclass(frozen=True)
class _Facts:
    """What the digest needs to know of a project."""

    id: int
    audit_share: float
    labels: list[str]


def digest(*, now: datetime, limit: int = 1000) -> DigestReport:
    """Digest up to ``limit`` landed events that no other worker holds.

    One query when nothing is due. Digesting an event again changes nothing.
    """
    with transaction.atomic():
        claimed = _claim(limit, now)
        if not claimed:
            return DigestReport()
        report = DigestReport()
        for _, landed in sorted(claimed.items()):
            report += _digest_or_set_aside(landed, now, failures=[])
    return report


def drain(*, now: datetime, seconds: float, limit: int = 3000) -> DigestReport:
    """Digest batch after batch until nothing is due, or ``seconds`` have passed.

    After each batch the statistical rules look at what it touched, in a transaction of their own.

    Its batches are larger: half as much again goes through when there is a backlog.
    """
    deadline = time.monotonic() + seconds
    total = DigestReport()
    while (report := digest(now=now, limit=limit)).events:
        total += report
        _follow_up(now)
        if report.events < limit or time.monotonic() >= deadline:
            break
    else:
        # What a crash left behind, and requests that landed nothing.
        _follow_up(now)
    # What was answered, imported or scored; more than one batch of it after a large file.
    while _tried(catch_up, now) and time.monotonic() < deadline:
        pass
    return total


def _follow_up(now: datetime) -> None:
    """What comes after a batch, in transactions of its own."""
    roll_up()
    _tried(screen, now)
    _tried(catch_up, now)


def _tried(step: Callable[..., int], now: datetime) -> int:
    """What ``step`` did; nothing, if it failed: events do not wait for its trouble."""
    try:
        return step(now=now)
    except PASSING:
        raise
    except Exception:
        logger.exception("the digest could not %s; it goes on and tries again", step.__name__)
        return 0


def _claim(limit: int, now: datetime) -> dict[int, list[tuple[EventId, str]]]:
    """By project."""
    claimed: dict[int, list[tuple[EventId, str]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(SQL["claim_landed"], {"limit": limit, "now": now})
        for event_id, kind, project_id in cursor.fetchall():
            claimed[project_id].append((event_id, kind))
    return claimed


def _digest_or_set_aside(
    landed: Claimed, now: datetime, *, failures: list[EventId]
) -> DigestReport:
    """Digest what can be digested; ``failures`` collects what could not, over all halves."""
    try:
        with transaction.atomic():
            report = _digest(landed, now)
            execute(SQL["delete_landed"], {"ids": [event_id for event_id, _ in landed]})
    except PASSING:
        raise
    # Whatever it is, others must not wait for it.
    except Exception as error:
        if len(landed) == 1 or len(failures) >= MOST_FAILURES:
            failures += [event_id for event_id, _ in landed]
            return _set_aside(landed, error, now)
        middle = len(landed) // 2
        return _digest_or_set_aside(landed[:middle], now, failures=failures) + _digest_or_set_aside(
            landed[middle:], now, failures=failures
        )
    return report


def _set_aside(landed: Claimed, error: Exception, now: datetime) -> DigestReport:
    # The first line alone: what follows it may quote what people wrote.
    said = f"{type(error).__name__}: {error}".replace("\0", "").split("\n", 1)[0][:LONGEST_ERROR]
    execute(
        SQL["set_aside"],
        {"ids": [event_id for event_id, _ in landed], "error": said, "now": now},
    )
    logger.error("%d events set aside, the first %s", len(landed), landed[0], exc_info=error)
    SET_ASIDE.inc(len(landed))
    return DigestReport(events=len(landed), set_aside=len(landed))


def _digest(landed: Claimed, now: datetime) -> DigestReport:
    predictions, feedback = _load(landed)
    project_ids = {row.project_id for row in predictions} | {row.project_id for row in feedback}
    projects = Project.objects.in_bulk(project_ids)
    facts = {
        row.id: row
        for row in fetch(SQL["project_facts"], {"projects": list(project_ids)}, into=_Facts)
    }
    books = rule_books(project_ids=project_ids)
    feedback = [
        row.screened() if GarbageText.name in books[row.project_id].enabled else row
        for row in feedback
    ]
    sample_of = _upsert(projects, predictions, feedback, now)
    execute(SQL["lock_samples"], {"samples": sorted(set(sample_of.values()))})
    settled = outcomes.settle(
        rows=feedback,
        sample_of=sample_of,
        labels_of={pk: row.labels for pk, row in facts.items()},
        now=now,
    )
    _ask_for_screening(settled.outcomes)
    spoken = _reweigh(settled.touched_samples, now)
    queued = _queue(projects, facts, predictions, settled.outcomes, sample_of, spoken, now)
    states = [outcome.state for outcome in settled.outcomes]
    return DigestReport(
        events=len(landed),
        predictions=len(predictions),
        feedback=len(feedback),
        superseded=states.count(State.SUPERSEDED) + settled.gave_way,
        quarantined=states.count(State.QUARANTINED),
        disputed=queued.disputed,
        audited=queued.audited,
    )


def _load(
    landed: Claimed,
) -> tuple[list[_PredictionRow], list[FeedbackRow]]:
    ids: dict[str, list[EventId]] = {kind: [] for kind in Landed.Kind.values}
    for event_id, kind in landed:
        ids[kind].append(event_id)
    predictions, feedback = ids[Landed.Kind.PREDICTION], ids[Landed.Kind.FEEDBACK]
    return (
        fetch(SQL["predictions"], {"ids": predictions}, into=_PredictionRow) if predictions else [],
        fetch(SQL["feedback"], {"ids": feedback}, into=FeedbackRow) if feedback else [],
    )


def _upsert(
    projects: Mapping[int, Project],
    predictions: Sequence[_PredictionRow],
    feedback: Sequence[FeedbackRow],
    now: datetime,
) -> dict[EventId, int]:
    """The sample of each event that has a text, by event id."""
    new: dict[int, list[tuple[EventId, NewSample]]] = defaultdict(list)
    for prediction in predictions:
        origin = Sample.Origin.AUDIT if prediction.is_audit else Sample.Origin.POOL
        sample = NewSample(
            prediction.text, origin, prediction.id, content_hash=bytes(prediction.content_hash)
        )
        new[prediction.project_id].append((prediction.id, sample))
    for row in feedback:
        if (judged := row.sample) is not None:
            new[row.project_id].append((row.id, judged))
    found: dict[EventId, int] = {}
    for project_id, pairs in sorted(new.items()):
        ids = upsert_samples(
            project=projects[project_id], samples=[sample for _, sample in pairs], now=now
        )
        found.update(zip([event_id for event_id, _ in pairs], ids, strict=True))
    return found


def _ask_for_screening(settled: Sequence[Outcome]) -> None:
    counted = [each for each in settled if each.state == State.COUNTED]
    if counted:
        execute(
            SQL["screening_due"],
            {
                "projects": [each.project_id for each in counted],
                "ids": [each.row.id for each in counted],
            },
        )


def _reweigh(sample_ids: Sequence[int], now: datetime) -> dict[int, Sequence[Spoken]]:
    """The voices about each of these samples, after their labels were weighed anew."""
    if not sample_ids:
        return {}
    spoken = reweigh(sample_ids=sample_ids, now=now)
    return {sample_id: spoken.get(sample_id, []) for sample_id in sample_ids}


def _queue(
    projects: Mapping[int, Project],
    facts: Mapping[int, _Facts],
    predictions: Sequence[_PredictionRow],
    settled: Sequence[Outcome],
    sample_of: Mapping[EventId, int],
    spoken: Mapping[int, Sequence[Spoken]],
    now: datetime,
) -> Queued:
    audited: dict[int, list[Audited]] = defaultdict(list)
    for row in predictions:
        if row.is_audit:
            share = facts[row.project_id].audit_share
            audited[row.project_id].append(
                Audited(sample_of[row.id], row.id, row.model_version, share)
            )
    voices: dict[int, dict[int, Sequence[Spoken]]] = defaultdict(dict)
    for outcome in settled:
        if outcome.sample_id is not None and outcome.sample_id in spoken:
            voices[outcome.project_id][outcome.sample_id] = spoken[outcome.sample_id]
    total = Queued()
    for project_id in sorted({*audited, *voices}):
        queued = weigh(
            project=projects[project_id],
            audited=audited[project_id],
            spoken=voices[project_id],
            now=now,
        )
        total = Queued(total.audited + queued.audited, total.disputed + queued.disputed)
    return total
