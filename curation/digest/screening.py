"""What the statistical rules say of a project's feedback: counts by SQL, judged by the rules.

The digest asks about the subjects, comments and sources that a batch touched; a dry run asks about
everything in some days. Both count the same whole minutes and days, so that they agree. The bounds
of every look keep it cheap: whole days, the latest votes of others, a capped number of texts.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from curation.digest.garbage import garbage_reason
from curation.digest.rule_book import RuleBook
from curation.digest.rules import (
    NAMES,
    AddressBurst,
    AddressMinute,
    CommentDay,
    ConstantRater,
    Contrarian,
    CopiedComment,
    GarbageText,
    SourceBurst,
    SourceMinute,
    SubjectBurst,
    SubjectDay,
    SubjectMinute,
)
from curation.digest.supersession import EventId
from feedbackhub.core.ids import uuid7_floor
from feedbackhub.core.sql import fetch, statements

SQL = statements(Path(__file__).with_name("screening.sql"))
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_PEERS = 5_000
MOST_TEXTS = 50_000


@dataclass(frozen=True)
class Scope:
    """Where to look: days of a project, and in them everything or what a batch touched."""

    project_id: int
    since: datetime
    until: datetime
    subjects: tuple[bytes, ...] | None = None
    """Only these; None for all."""
    comments: tuple[bytes, ...] | None = None
    addresses: tuple[bytes, ...] | None = None
    minutes: tuple[datetime, datetime] | None = None
    """Where bursts are looked for; None for all of it."""

    def params(self) -> dict[str, Any]:
        """For the statements."""
        return {
            "project": self.project_id,
            "since": str(uuid7_floor(self.since)),
            "until": str(uuid7_floor(self.until)),
            "subjects": None if self.subjects is None else list(self.subjects),
            "comments": None if self.comments is None else list(self.comments),
            "addresses": None if self.addresses is None else list(self.addresses),
            "statistical": list(NAMES),
        }

    def burst_span(self) -> tuple[datetime, datetime]:
        """The first and the last moment at which a burst is looked for."""
        return self.minutes or (self.since, self.until)


@dataclass(frozen=True)
class Suspicion:
    """Events a rule would hold back together, and why."""

    rule: str
    reason: str
    kind: str
    """What they have in common: subject, address, comment, source; or ``events`` that are named."""
    key: bytes | int
    since: datetime
    until: datetime
    feedback_ids: tuple[EventId, ...] = ()


@dataclass(frozen=True)
class Member:
    """One event of a suspicion."""

    feedback_id: EventId
    state: str


@dataclass(frozen=True)
class _Said:
    """A subject's day without its peers."""

    subject: str
    bucket: int
    n: int
    contrary: int
    answers: int
    checked: int
    confirmed: int


@dataclass(frozen=True)
class _Peers:
    bucket: int
    subject: str | None
    n: int
    contrary: int


def suspicions(*, scope: Scope, book: RuleBook) -> list[Suspicion]:
    """What the enabled rules find in ``scope``; the rule that reads texts is asked elsewhere."""
    return [
        *_bursts_of_subjects(scope, book),
        *_bursts_of_addresses(scope, book),
        *_days_of_subjects(scope, book),
        *_comments(scope, book),
        *_bursts_of_sources(scope, book),
    ]


def garbage(*, scope: Scope, book: RuleBook) -> list[Suspicion]:
    """The latest events in ``scope`` whose texts are garbage; each alone."""
    if book.enabled_rule(GarbageText) is None:
        return []
    found = fetch(SQL["texts"], {**scope.params(), "most": MOST_TEXTS}, into=_Text)
    reasons = [(row.feedback_id, garbage_reason(row.text)) for row in found]
    return [
        Suspicion(GarbageText.name, why, "events", 0, scope.since, scope.until, (event,))
        for event, why in reasons
        if why is not None
    ]


@dataclass(frozen=True)
class _Text:
    feedback_id: EventId
    text: str


def members(*, scope: Scope, suspicion: Suspicion, with_held: bool = False) -> list[Member]:
    """The events of a suspicion that count now and that no person has released.

    ``with_held`` adds those that a rule has held back already, for a dry run.
    """
    if suspicion.kind == "events":
        return [Member(event, "counted") for event in suspicion.feedback_ids]
    params = {
        **scope.params(),
        "key": suspicion.key,
        "since": str(uuid7_floor(suspicion.since)),
        "until": str(uuid7_floor(suspicion.until)),
        "with_held": with_held,
    }
    return fetch(SQL[f"members_by_{suspicion.kind}"], params, into=Member)


def _bursts_of_subjects(scope: Scope, book: RuleBook) -> Iterator[Suspicion]:
    rule = book.enabled_rule(SubjectBurst)
    if rule is None or scope.subjects == ():
        return
    since, until = (str(uuid7_floor(moment)) for moment in scope.burst_span())
    params = {**scope.params(), "since": since, "until": until, "least": rule.per_minute}
    for counts in fetch(SQL["subject_minutes"], params, into=SubjectMinute):
        if why := rule.judge(counts):
            yield _of_subject(rule.name, why, counts.subject, counts.bucket, MINUTE)


def _bursts_of_addresses(scope: Scope, book: RuleBook) -> Iterator[Suspicion]:
    rule = book.enabled_rule(AddressBurst)
    if rule is None or scope.addresses == ():
        return
    since, until = (str(uuid7_floor(moment)) for moment in scope.burst_span())
    params = {**scope.params(), "since": since, "until": until, "least": rule.per_minute}
    for counts in fetch(SQL["address_minutes"], params, into=AddressMinute):
        if why := rule.judge(counts):
            start, key = EPOCH + counts.bucket * MINUTE, bytes.fromhex(counts.address)
            yield Suspicion(rule.name, why, "address", key, start, start + MINUTE)


def _days_of_subjects(scope: Scope, book: RuleBook) -> Iterator[Suspicion]:
    contrarian, constant = book.enabled_rule(Contrarian), book.enabled_rule(ConstantRater)
    limits = [rule.per_day for rule in (contrarian, constant) if rule is not None]
    if not limits or scope.subjects == ():
        return
    for counts in _subject_days(scope, least=min(limits)):
        for rule in (contrarian, constant):
            if rule is not None and (why := rule.judge(counts)):
                yield _of_subject(rule.name, why, counts.subject, counts.bucket, DAY)
                break


def _subject_days(scope: Scope, *, least: int) -> list[SubjectDay]:
    params = {**scope.params(), "least": least}
    busy = [bytes(row.subject_hash) for row in fetch(SQL["busy_subjects"], params, into=_Busy)]
    if not busy:
        return []
    days = fetch(SQL["subject_days"], {**params, "subjects": busy}, into=_Said)
    peers = _peers(scope, busy, {each.bucket for each in days})
    return [_beside_peers(each, peers) for each in days]


@dataclass(frozen=True)
class _Busy:
    subject_hash: bytes


def _peers(
    scope: Scope, busy: Sequence[bytes], buckets: Iterable[int]
) -> dict[int, dict[str | None, _Peers]]:
    """By day and subject (None: everyone else) the votes among the latest of that day."""
    days = sorted(buckets)
    if not days:
        return {}
    params = {
        **scope.params(),
        "subjects": list(busy),
        "buckets": days,
        "starts": [str(uuid7_floor(EPOCH + day * DAY)) for day in days],
        "ends": [str(uuid7_floor(EPOCH + (day + 1) * DAY)) for day in days],
        "most": MOST_PEERS,
    }
    found: dict[int, dict[str | None, _Peers]] = {day: {} for day in days}
    for row in fetch(SQL["peers"], params, into=_Peers):
        found[row.bucket][row.subject] = row
    return found


def _beside_peers(said: _Said, peers: dict[int, dict[str | None, _Peers]]) -> SubjectDay:
    others = [row for who, row in peers[said.bucket].items() if who != said.subject]
    return SubjectDay(
        subject=said.subject,
        bucket=said.bucket,
        n=said.n,
        contrary=said.contrary,
        answers=said.answers,
        peers=sum(row.n for row in others),
        peers_contrary=sum(row.contrary for row in others),
        checked=said.checked,
        confirmed=said.confirmed,
    )


def _comments(scope: Scope, book: RuleBook) -> Iterator[Suspicion]:
    rule = book.enabled_rule(CopiedComment)
    if rule is None or scope.comments == ():
        return
    params = {**scope.params(), "least": rule.subjects}
    for counts in fetch(SQL["comment_days"], params, into=CommentDay):
        if why := rule.judge(counts):
            since = EPOCH + counts.bucket * DAY
            key = bytes.fromhex(counts.comment)
            yield Suspicion(rule.name, why, "comment", key, since, since + DAY)


def _bursts_of_sources(scope: Scope, book: RuleBook) -> Iterator[Suspicion]:
    rule = book.enabled_rule(SourceBurst)
    if rule is None:
        return
    first, last = scope.burst_span()
    params = {
        "project": scope.project_id,
        "since": first,
        "until": last,
        "least": rule.per_minute,
    }
    for counts in fetch(SQL["source_minutes"], params, into=SourceMinute):
        if why := rule.judge(counts):
            since = EPOCH + counts.bucket * MINUTE
            yield Suspicion(rule.name, why, "source", counts.source, since, since + MINUTE)


def _of_subject(rule: str, why: str, subject: str, bucket: int, unit: timedelta) -> Suspicion:
    since = EPOCH + bucket * unit
    return Suspicion(rule, why, "subject", bytes.fromhex(subject), since, since + unit)
