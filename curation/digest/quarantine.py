"""Into quarantine by rule, out of it by people: the one place where those states change.

Only the processing row changes, never the event, and every step leaves a row that says who, when
and why. Samples are locked before outcomes, as everywhere in the digest.
"""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from uuid import UUID

from django.db import connection, transaction

from curation.digest import outcomes
from curation.digest.outcomes import FeedbackRow
from curation.digest.rule_book import RuleBook, rule_books
from curation.digest.rules import AddressBurst
from curation.digest.samples import upsert_samples
from curation.digest.screening import DAY, EPOCH, MINUTE, Scope, Suspicion, members, suspicions
from curation.digest.supersession import EventId
from curation.digest.trouble import PASSING
from curation.digest.voices import reweigh
from curation.digest.weighing import weigh
from curation.intake.metrics import CAUGHT
from curation.models import FeedbackOutcome, Project
from feedbackhub.core.ids import uuid7_time
from feedbackhub.core.sql import execute, fetch, statements
from feedbackhub.core.transitions import StaleTransition

SQL = statements(Path(__file__).with_name("quarantine.sql"))
logger = logging.getLogger(__name__)
DIGEST_SQL, SCREENING_SQL = outcomes.SQL, statements(Path(__file__).with_name("screening.sql"))
State = FeedbackOutcome.State
DIGEST = "digest"
DUE_AT_ONCE = 20
MOST_AT_ONCE = 5_000


@dataclass(frozen=True)
class Caught:
    """One event a rule holds back, and why."""

    feedback_id: EventId
    rule: str
    reason: str


@dataclass(frozen=True)
class _Touched:
    feedback_id: EventId
    subject_hash: bytes | None
    comment_hash: bytes | None


def screen(*, now: datetime) -> int:
    """Let the rules look at what was counted since they last looked; how many they hold back.

    What is due is taken and done in one transaction: a crash leaves it due.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SCREENING_SQL["claim_due"], {"limit": DUE_AT_ONCE})
        due = sorted(cursor.fetchall())
        if not due:
            return 0
        ids = {
            project: [event for _, events in batches for event in events]
            for project, batches in groupby(due, key=lambda row: int(row[0]))
        }
        projects = Project.objects.in_bulk(ids)
        return sum(
            _screen_or_leave(projects[pk], events, now)
            for pk, events in sorted(ids.items())
            if pk in projects
        )


def _screen_or_leave(project: Project, ids: Sequence[EventId], now: datetime) -> int:
    """What fails is due again, behind what is due to other projects."""
    try:
        with transaction.atomic():
            return _screen(project, ids, rule_books(project_ids=[project.pk])[project.pk], now)
    except PASSING:
        raise
    except Exception:
        logger.exception("%d events of %s could not be screened", len(ids), project.slug)
        params = {"projects": [project.pk] * len(ids), "ids": list(ids)}
        execute(DIGEST_SQL["screening_due"], params)
        return 0


def _screen(project: Project, ids: Sequence[EventId], book: RuleBook, now: datetime) -> int:
    scope = _scope(project, ids, book)
    caught = list(catch(scope=scope, found=suspicions(scope=scope, book=book)).values())
    return quarantine(project=project, caught=caught, now=now) if caught else 0


def _scope(project: Project, ids: Sequence[EventId], book: RuleBook) -> Scope:
    touched = fetch(SCREENING_SQL["touched"], {"ids": list(ids)}, into=_Touched)
    first, last = uuid7_time(UUID(min(ids))), uuid7_time(UUID(max(ids)))
    return Scope(
        project_id=project.pk,
        since=_floor(first, DAY),
        until=_floor(last, DAY) + DAY,
        subjects=_distinct(row.subject_hash for row in touched),
        comments=_distinct(row.comment_hash for row in touched),
        addresses=_addresses(ids) if book.enabled_rule(AddressBurst) else (),
        minutes=(_floor(first, MINUTE), _floor(last, MINUTE) + MINUTE),
    )


def _addresses(ids: Sequence[EventId]) -> tuple[bytes, ...]:
    with connection.cursor() as cursor:
        cursor.execute(SCREENING_SQL["touched_addresses"], {"ids": list(ids)})
        return _distinct(address for (address,) in cursor.fetchall())


def _distinct(hashes: Iterable[bytes | None]) -> tuple[bytes, ...]:
    return tuple(sorted({bytes(each) for each in hashes if each is not None}))


def _floor(at: datetime, unit: timedelta) -> datetime:
    return EPOCH + (at - EPOCH) // unit * unit


def catch(
    *, scope: Scope, found: Sequence[Suspicion], with_held: bool = False
) -> dict[EventId, Caught]:
    """The events of all suspicions; of several reasons for one event the first counts."""
    caught: dict[EventId, Caught] = {}
    for suspicion in found:
        for member in members(scope=scope, suspicion=suspicion, with_held=with_held):
            event = member.feedback_id
            caught.setdefault(event, Caught(event, suspicion.rule, suspicion.reason))
    return caught


def quarantine(
    *, project: Project, caught: Sequence[Caught], now: datetime, actor: str = DIGEST
) -> int:
    """Hold these events back and weigh what they spoke about anew; how many still counted."""
    with transaction.atomic():
        ids = [each.feedback_id for each in caught]
        _lock_samples(ids)
        params = {
            "ids": ids,
            "rules": [each.rule for each in caught],
            "reasons": [each.reason for each in caught],
            "project": project.pk,
            "actor": actor,
            "now": now,
        }
        moved = fetch(SQL["quarantine"], params, into=_Moved)
        _weigh_anew(project, moved, now)
    held = {each.feedback_id for each in moved}
    for each in caught:
        if each.feedback_id in held:
            CAUGHT.labels(project.slug, each.rule).inc()
    return len(moved)


def release_feedback(
    *,
    project: Project,
    feedback_ids: Collection[UUID | EventId],
    actor: str,
    reason: str,
    now: datetime,
) -> int:
    """Let held or rejected events count again, as far as no later one of the subject speaks.

    All or nothing: raises :class:`StaleTransition` when someone has decided about one of them.
    No rule catches a released event again.
    """
    ids = sorted({str(each) for each in feedback_ids})
    with transaction.atomic():
        rows = fetch(
            DIGEST_SQL["held_feedback"], {"ids": ids, "project": project.pk}, into=FeedbackRow
        )
        judged = [(row.id, row.sample) for row in rows]
        samples = [(event, sample) for event, sample in judged if sample is not None]
        found = upsert_samples(project=project, samples=[sample for _, sample in samples], now=now)
        sample_of = dict(zip((event for event, _ in samples), found, strict=True))
        execute(DIGEST_SQL["lock_samples"], {"samples": sorted(set(found))})
        before = _lock_held(project, ids, {State.QUARANTINED, State.REJECTED})
        settled = outcomes.settle(
            rows=rows,
            sample_of=sample_of,
            labels_of={project.pk: project.label_names()},
            now=now,
            is_release=True,
        )
        states = {each.row.id: str(each.state) for each in settled.outcomes}
        _record(project, before, states, actor=actor, reason=reason, now=now)
        _weigh(project, settled.touched_samples, now)
    return len(ids)


def reject_feedback(
    *,
    project: Project,
    feedback_ids: Collection[UUID | EventId],
    actor: str,
    reason: str,
    now: datetime,
) -> int:
    """Decide that held events never count; raises :class:`StaleTransition`, changing nothing."""
    ids = sorted({str(each) for each in feedback_ids})
    with transaction.atomic():
        before = _lock_held(project, ids, {State.QUARANTINED})
        execute(SQL["reject"], {"ids": ids})
        states = dict.fromkeys(ids, str(State.REJECTED))
        _record(project, before, states, actor=actor, reason=reason, now=now)
    return len(ids)


@dataclass(frozen=True)
class _Moved:
    feedback_id: EventId
    sample_id: int | None


@dataclass(frozen=True)
class _Held:
    feedback_id: EventId
    state: str
    rule: str


def _lock_samples(ids: Sequence[EventId]) -> None:
    execute(SQL["lock_samples_of"], {"ids": list(ids)})


def _lock_held(
    project: Project, ids: Sequence[EventId], states: Collection[State]
) -> dict[EventId, _Held]:
    held = fetch(SQL["lock_held"], {"ids": list(ids), "project": project.pk}, into=_Held)
    open_to_it = {each.feedback_id: each for each in held if each.state in states}
    if gone := len(ids) - len(open_to_it):
        some = "1 event was" if gone == 1 else f"{gone:,} events were"
        raise StaleTransition(f"{some} decided by someone else meanwhile; nothing was changed.")
    return open_to_it


def _record(
    project: Project,
    before: Mapping[EventId, _Held],
    after: Mapping[EventId, str],
    *,
    actor: str,
    reason: str,
    now: datetime,
) -> None:
    params = {
        "ids": list(before),
        "from": [each.state for each in before.values()],
        "to": [after[event] for event in before],
        "rules": [each.rule for each in before.values()],
        "project": project.pk,
        "actor": actor,
        "reason": reason,
        "now": now,
    }
    execute(SQL["record"], params)


def _weigh_anew(project: Project, moved: Sequence[_Moved], now: datetime) -> None:
    _weigh(project, sorted({row.sample_id for row in moved if row.sample_id is not None}), now)


def _weigh(project: Project, sample_ids: Sequence[int], now: datetime) -> None:
    """Labels and disputes follow who still speaks."""
    if not sample_ids:
        return
    spoken = reweigh(sample_ids=sample_ids, now=now)
    voices = {sample_id: spoken.get(sample_id, []) for sample_id in sample_ids}
    weigh(project=project, audited=[], spoken=voices, now=now)
