"""One request's feedback: read, checked, landed, and what could not land kept."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial

import msgspec

from curation.intake.answers import FeedbackBatchAnswer, FieldError, RejectedItem
from curation.intake.facts import ProjectFacts
from curation.intake.landing import LandedFeedback, Outcome, land_feedback
from curation.intake.reading import Refused, read_many, read_one, unfit
from curation.intake.rejects import keep_rejected
from curation.intake.schemas import MAX_FEEDBACK, FeedbackRequest, feedback_faults
from feedbackhub.core.problems import Problem


def take_one(
    *,
    facts: ProjectFacts,
    source_id: int,
    body: bytes,
    now: datetime,
    address_hash: str | None = None,
) -> LandedFeedback:
    """Land the one event of a body; raises :class:`Problem` 400 or 409, after keeping the body."""

    def refuse(problem: Problem) -> Problem:
        _keep(facts, source_id, [Refused(0, body, problem.errors)], now)
        return problem

    try:
        event = read_one(body, FeedbackRequest)
    except Problem as problem:
        raise refuse(problem) from None
    if errors := feedback_faults(event, labels=facts.labels):
        raise refuse(unfit(errors))
    [result] = land_feedback(
        project=facts.project,
        source_id=source_id,
        events=[event],
        now=now,
        address_hash=address_hash,
    )
    if result.outcome == Outcome.CONFLICT:
        raise refuse(conflict(result))
    return result


def take_batch(
    *,
    facts: ProjectFacts,
    source_id: int,
    body: bytes,
    is_ndjson: bool,
    now: datetime,
    address_hash: str | None = None,
) -> FeedbackBatchAnswer:
    """Land every event of a body that can; raises :class:`Problem` when there are none to read."""
    try:
        read = read_many(
            body,
            FeedbackRequest,
            is_ndjson=is_ndjson,
            limit=MAX_FEEDBACK,
            faults=partial(feedback_faults, labels=facts.labels),
        )
    except Problem as problem:
        reasons = problem.errors or [{"field": "", "message": str(problem.detail)}]
        _keep(facts, source_id, [Refused(0, body, reasons)], now)
        raise
    events = [event for _, event in read.taken]
    results = land_feedback(
        project=facts.project,
        source_id=source_id,
        events=events,
        now=now,
        address_hash=address_hash,
    )
    refused = read.refused + [
        Refused(index, msgspec.json.encode(event), result.differences)
        for (index, event), result in zip(read.taken, results, strict=True)
        if result.outcome == Outcome.CONFLICT
    ]
    _keep(facts, source_id, refused, now)
    return _report(results, refused)


def conflict(result: LandedFeedback) -> Problem:
    """The answer to another body under a known event id."""
    names = ", ".join(error["field"] for error in result.differences)
    return Problem(
        409,
        f"The event_id `{result.event_id}` came before with another body; it differs in: {names}.",
        result.differences,
    )


def _report(results: list[LandedFeedback], refused: list[Refused]) -> FeedbackBatchAnswer:
    landed = [result for result in results if result.outcome == Outcome.LANDED]
    quarantined = sum(1 for result in landed if result.reasons)
    return FeedbackBatchAnswer(
        accepted=len(landed) - quarantined,
        quarantined=quarantined,
        duplicates=sum(1 for result in results if result.outcome == Outcome.DUPLICATE),
        rejected=rejected_items(refused),
    )


def rejected_items(refused: Iterable[Refused]) -> list[RejectedItem]:
    """What was refused, as answers name it, in the order of the request."""
    return [
        RejectedItem(index=one.index, errors=[FieldError(**error) for error in one.errors])
        for one in sorted(refused, key=lambda one: one.index)
    ]


def _keep(facts: ProjectFacts, source_id: int, refused: list[Refused], now: datetime) -> None:
    if refused:
        keep_rejected(project_id=facts.project.pk, source_id=source_id, refused=refused, now=now)
