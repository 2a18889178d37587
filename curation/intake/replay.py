"""A rejected event, mended by a person and sent again on the way every event takes."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

import msgspec
from django.db import transaction

from curation.intake.facts import ProjectFacts, project_facts
from curation.intake.feedback import conflict
from curation.intake.landing import KeyedName, LandedFeedback, Outcome, land_feedback
from curation.intake.reading import read_many, read_one, unfit
from curation.intake.rejects import KEYED
from curation.intake.schemas import MAX_FEEDBACK, FeedbackRequest, feedback_faults
from curation.models import RejectedEvent
from feedbackhub.core.problems import FieldErrors
from feedbackhub.core.subjects import DIGEST_BYTES
from feedbackhub.core.transitions import StaleTransition


@dataclass(frozen=True)
class Replayed:
    """What became of the events of a replay."""

    accepted: int
    quarantined: int
    duplicates: int
    event_ids: tuple[str, ...]


def replay(*, rejected: RejectedEvent, text: str, actor: str, now: datetime) -> Replayed:
    """Land what ``text`` says in place of a rejected payload: one event, or an array of them.

    Everything lands or nothing. Raises :class:`Problem` with every fault when it is refused again,
    and :class:`StaleTransition` when someone has replayed it meanwhile. Names of subjects and
    sessions stay the keyed hashes they were kept as.
    """
    facts = project_facts(rejected.project_id)
    events = [_with_kept_names(event) for event in _read(text.encode("utf-8", "replace"), facts)]
    with transaction.atomic():
        open_ones = RejectedEvent.objects.filter(pk=rejected.pk, replayed_at=None)
        if not open_ones.update(replayed_at=now, replayed_by=actor):
            raise StaleTransition("Someone has replayed this event meanwhile; nothing was changed.")
        results = land_feedback(
            project=facts.project, source_id=rejected.source_id, events=events, now=now
        )
        for result in results:
            if result.outcome == Outcome.CONFLICT:
                raise conflict(result)
    return _report(results)


def _read(body: bytes, facts: ProjectFacts) -> list[FeedbackRequest]:
    faults = partial(feedback_faults, labels=facts.labels)
    if not body.lstrip().startswith(b"["):
        event = read_one(body, FeedbackRequest)
        if wrong := faults(event):
            raise unfit(wrong)
        return [event]
    read = read_many(body, FeedbackRequest, is_ndjson=False, limit=MAX_FEEDBACK, faults=faults)
    errors: FieldErrors = [
        {**error, "field": f"[{one.index}] {error['field']}".strip()}
        for one in read.refused
        for error in one.errors
    ]
    if errors or not read.taken:
        raise unfit(errors or [{"field": "", "message": "holds no event"}])
    return [event for _, event in read.taken]


def _with_kept_names(event: FeedbackRequest) -> FeedbackRequest:
    return msgspec.structs.replace(
        event, subject=_kept_name(event.subject), session=_kept_name(event.session)
    )


def _kept_name(name: str | None) -> str | None:
    """A name in the form it was kept in is a hash already; anything else is a name."""
    digest = (name or "").removeprefix(KEYED)
    if name is None or digest == name or len(digest) != 2 * DIGEST_BYTES:
        return name
    return KeyedName(digest) if all(sign in "0123456789abcdef" for sign in digest) else name


def _report(results: list[LandedFeedback]) -> Replayed:
    landed = [result for result in results if result.outcome == Outcome.LANDED]
    quarantined = sum(1 for result in landed if result.reasons)
    return Replayed(
        accepted=len(landed) - quarantined,
        quarantined=quarantined,
        duplicates=len(results) - len(landed),
        event_ids=tuple(result.event_id for result in results),
    )
