"""From Kafka messages to landed feedback and refusals, each message judged alone."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.db import DataError, IntegrityError

from curation.intake.facts import ProjectFacts
from curation.intake.feedback import conflict
from curation.intake.landing import LandedFeedback, Outcome, land_feedback
from curation.intake.reading import Refused, read_one
from curation.intake.schemas import FeedbackRequest, feedback_faults
from feedbackhub.core.problems import FieldErrors, Problem

logger = logging.getLogger(__name__)

# Said of the event, not of the database: trying again cannot help.
_UNSTORABLE = (DataError, IntegrityError, ValueError, ArithmeticError)

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Record:
    """One message of a topic. Key and headers are not here: they decide nothing."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    """When it was produced; tells it from one at the same place of a topic made anew."""
    value: bytes | None

    @property
    def position(self) -> str:
        """Its place, the same whenever it is delivered."""
        return f"{self.topic}/{self.partition}/{self.offset}@{self.timestamp_ms}"


@dataclass(frozen=True)
class Landing:
    """What became of a batch."""

    landed: int
    """Events that are new, quarantined ones among them."""
    duplicates: int
    refused: list[Refused]
    """In the order of the batch; ``index`` is the place there."""


@dataclass(frozen=True)
class _Taken:
    index: int
    event: FeedbackRequest


def land_records(
    *, facts: ProjectFacts, source_id: int, records: Sequence[Record], clock: Clock
) -> Landing:
    """Land every event that can; landing a batch again changes nothing.

    Raises what the database raises when it cannot be used.
    """
    taken: list[_Taken] = []
    faults: dict[int, FieldErrors] = {}
    for index, record in enumerate(records):
        try:
            taken.append(_Taken(index, _read(record, facts)))
        except Problem as problem:
            faults[index] = problem.errors
    results = _land(facts, source_id, taken, clock)
    outcomes = [result.outcome for result in results.values() if not isinstance(result, list)]
    faults |= {index: found for index, result in results.items() if (found := _faults(result))}
    return Landing(
        landed=outcomes.count(Outcome.LANDED),
        duplicates=outcomes.count(Outcome.DUPLICATE),
        refused=[_refused(index, records[index], faults[index]) for index in sorted(faults)],
    )


def _read(record: Record, facts: ProjectFacts) -> FeedbackRequest:
    """The event of a message; raises :class:`Problem` with every fault."""
    if record.value is None:
        raise Problem(400, "", [{"field": "", "message": "the message has no value"}])
    event = read_one(record.value, FeedbackRequest)
    if errors := feedback_faults(event, labels=facts.labels):
        raise Problem(400, "", errors)
    return event


def _land(
    facts: ProjectFacts, source_id: int, taken: Sequence[_Taken], clock: Clock
) -> dict[int, LandedFeedback | FieldErrors]:
    """By index, what became of each event, or why Postgres cannot hold it."""
    events = [one.event for one in taken]
    try:
        results = land_feedback(
            project=facts.project, source_id=source_id, events=events, now=clock()
        )
    except _UNSTORABLE as error:
        if len(taken) == 1:
            logger.exception("An event passed its checks and cannot be stored.")
            return {taken[0].index: [{"field": "", "message": f"cannot be stored: {error}"}]}
        # One that cannot be stored must not hold the others up for ever: halve until it is alone.
        middle = len(taken) // 2
        first = _land(facts, source_id, taken[:middle], clock)
        return first | _land(facts, source_id, taken[middle:], clock)
    return {one.index: result for one, result in zip(taken, results, strict=True)}


def _faults(result: LandedFeedback | FieldErrors) -> FieldErrors:
    if isinstance(result, list):
        return result
    if result.outcome != Outcome.CONFLICT:
        return []
    return [{"field": "event_id", "message": str(conflict(result).detail)}, *result.differences]


def _refused(index: int, record: Record, errors: FieldErrors) -> Refused:
    return Refused(index, record.value or b"", errors, position=record.position)


def encoded(errors: FieldErrors) -> bytes:
    """Reasons as the header of a dead letter carries them."""
    return msgspec.json.encode(errors)
