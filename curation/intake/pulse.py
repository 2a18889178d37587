"""What the intake pages ask: how much comes in, what becomes of it, how late the digest is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from curation.intake.metrics import DIGEST_LAG
from curation.models import Project
from feedbackhub.core.ids import uuid7_floor
from feedbackhub.core.sql import fetch, statements

SQL = statements(Path(__file__).with_name("pulse.sql"))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TOP_REASONS = 5
ALL_AT_ONCE = 5_000


@dataclass(frozen=True)
class Flow:
    """What became of the events of one stretch of time."""

    at: datetime
    accepted: int
    quarantined: int
    rejected: int
    duplicates: int

    @property
    def events(self) -> int:
        """All of them."""
        return self.accepted + self.quarantined + self.rejected + self.duplicates


@dataclass(frozen=True)
class Window:
    """A stretch of time to show, and how finely."""

    key: str
    title: str
    length: timedelta
    step: timedelta


WINDOWS = {
    window.key: window
    for window in (
        Window("hour", "Last hour", HOUR, timedelta(minutes=1)),
        Window("day", "Last day", DAY, timedelta(minutes=20)),
        Window("week", "Last week", 7 * DAY, timedelta(hours=3)),
    )
}


@dataclass(frozen=True)
class Reason:
    """Why events did not count, and how many."""

    code: str
    n: int


@dataclass(frozen=True)
class HeldEvent:
    """One event in quarantine, or rejected by a person."""

    feedback_id: str
    state: str
    rule: str
    reason: str | None
    received_at: datetime
    rating: str
    corrected_label: str
    predicted_label: str
    comment: str | None
    source: str | None
    subject: str | None
    """The beginning of the keyed hash: enough to see that two are the same."""
    text: str | None


@dataclass(frozen=True)
class HeldCount:
    """How many events stand in a state by a rule."""

    state: str
    rule: str
    n: int


@dataclass(frozen=True)
class _Moment:
    at: datetime | None


@dataclass(frozen=True)
class _Id:
    feedback_id: str


def flow(*, project: Project, since: datetime, step: timedelta) -> list[Flow]:
    """Counts by stretches of ``step``; stretches without any event are left out."""
    params = {"project": project.pk, "since": since, "seconds": int(step.total_seconds())}
    return fetch(SQL["flow"], params, into=Flow)


def total(flows: Sequence[Flow], *, at: datetime) -> Flow:
    """All of them together."""
    return Flow(
        at,
        sum(each.accepted for each in flows),
        sum(each.quarantined for each in flows),
        sum(each.rejected for each in flows),
        sum(each.duplicates for each in flows),
    )


def latest_request(*, project: Project) -> datetime | None:
    """When an event last came in; None when none ever did."""
    return _moment("latest", project)


def digest_lag(*, project: Project | None, now: datetime) -> timedelta:
    """Age of the oldest event that waits for the digest; zero when none does."""
    oldest = _moment("oldest_landed" if project else "oldest_landed_of_all", project)
    return timedelta(0) if oldest is None else max(timedelta(0), now - oldest)


@dataclass(frozen=True)
class SetAside:
    """Events the digest could not digest, and tries again."""

    n: int
    error: str | None
    """Of the one that failed most often."""
    retry_at: datetime | None
    """When the first of them is tried again."""


def set_aside(*, project: Project) -> SetAside:
    """What of a project's events the digest has failed on."""
    (found,) = fetch(SQL["set_aside"], {"project": project.pk}, into=SetAside)
    return found


def measure_digest_lag(*, now: datetime) -> None:
    """Tell Prometheus how far the digest is behind, over all projects."""
    DIGEST_LAG.set(digest_lag(project=None, now=now).total_seconds())


def held_reasons(*, project: Project, now: datetime) -> list[Reason]:
    """Why events of the last day are held back, the commonest first."""
    since = str(uuid7_floor(now - DAY))
    params = {"project": project.pk, "since_id": since, "most": TOP_REASONS}
    return fetch(SQL["held_by"], params, into=Reason)


def rejected_reasons(*, project: Project, now: datetime) -> list[Reason]:
    """Why requests of the last day were refused, the commonest first."""
    params = {"project": project.pk, "since": now - DAY, "most": TOP_REASONS}
    return fetch(SQL["rejected_by"], params, into=Reason)


def held_events(
    *, project: Project, state: str, rule: str, before: UUID | None, limit: int
) -> list[HeldEvent]:
    """Events in ``state``, by ``rule`` unless that is empty, the latest before ``before`` first."""
    params = {
        "project": project.pk,
        "state": state,
        "rule": rule,
        "before": before and str(before),
        "most": limit,
    }
    return fetch(SQL["held"], params, into=HeldEvent)


def held_ids(*, project: Project, state: str, rule: str) -> list[str]:
    """The ids of all of them, as many as one decision takes."""
    params = {"project": project.pk, "state": state, "rule": rule, "most": ALL_AT_ONCE}
    return [row.feedback_id for row in fetch(SQL["held_ids"], params, into=_Id)]


def held_counts(*, project: Project) -> list[HeldCount]:
    """How many events stand in quarantine or rejected, by rule."""
    return fetch(SQL["held_counts"], {"project": project.pk}, into=HeldCount)


def _moment(statement: str, project: Project | None) -> datetime | None:
    params = {} if project is None else {"project": project.pk}
    found = fetch(SQL[statement], params, into=_Moment)
    return found[0].at if found else None
