"""What each feedback event of a batch turns out to be: counted, superseded or quarantined."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection

from curation.digest.garbage import garbage_reason
from curation.digest.normalise import normalise
from curation.digest.rules import LEAST_COMMENT, GarbageText
from curation.digest.samples import NewSample
from curation.digest.suggestion import Suggestion, suggestion
from curation.digest.supersession import EventId, Supersession, VoiceKey, supersede
from curation.models import FeedbackOutcome, Sample
from feedbackhub.core.sql import execute, statements
from feedbackhub.core.subjects import keyed_hash

SQL = statements(Path(__file__).with_name("digest.sql"))
State = FeedbackOutcome.State


@dataclass(frozen=True)
class FeedbackRow:
    """One feedback event with the text it judges, as it was read."""

    id: EventId
    project_id: int
    prediction_id: EventId | None
    subject_hash: bytes | None
    rating: str
    corrected_label: str
    predicted_label: str
    quarantine_reasons: str
    """JSON."""
    text: str | None
    content_hash: bytes | None
    is_audit: bool
    comment: str | None = None
    rule: str = ""
    """The rule that holds it back from the start; empty for intake's own reasons."""

    @property
    def is_quarantined(self) -> bool:
        """Intake or a rule took it with reservations: it does not speak."""
        return self.quarantine_reasons != "[]"

    @property
    def sample(self) -> NewSample | None:
        """The sample it is about; None without a text, or as long as it does not speak."""
        if self.text is None or self.content_hash is None or self.is_quarantined:
            return None
        # Feedback may be digested before the audited prediction it judges.
        origin = Sample.Origin.AUDIT if self.is_audit else Sample.Origin.FEEDBACK
        return NewSample(
            self.text, origin, self.prediction_id, content_hash=bytes(self.content_hash)
        )

    @property
    def comment_hash(self) -> bytes | None:
        """The keyed hash of its comment, when that is long enough to be recognised."""
        if self.comment is None or len(self.comment) < LEAST_COMMENT:
            return None
        said = normalise(self.comment)
        if len(said) < LEAST_COMMENT:
            return None
        return keyed_hash(said, key=settings.SUBJECT_HASH_KEY, project_id=self.project_id)

    def screened(self) -> "FeedbackRow":
        """Itself, or held back when its text is garbage."""
        why = None if self.text is None or self.is_quarantined else garbage_reason(self.text)
        if why is None:
            return self
        return replace(self, quarantine_reasons=json.dumps([why]), rule=GarbageText.name)

    @property
    def voice(self) -> VoiceKey | None:
        """Whose voice on what it is; None when it supersedes nothing."""
        if self.is_quarantined or self.prediction_id is None or self.subject_hash is None:
            return None
        return self.prediction_id, bytes(self.subject_hash)


@dataclass(frozen=True)
class Outcome:
    """What one event turned out to be."""

    row: FeedbackRow
    sample_id: int | None
    state: str
    superseded_by: EventId | None
    says: Suggestion

    @property
    def project_id(self) -> int:
        """Of the event."""
        return self.row.project_id


@dataclass(frozen=True)
class Settled:
    """The outcomes of a batch, written."""

    outcomes: list[Outcome]
    gave_way: int
    """Outcomes of earlier batches that were superseded."""
    touched_samples: list[int]
    """Samples about which someone spoke, or fell silent, by id."""


def settle(
    *,
    rows: Sequence[FeedbackRow],
    sample_of: Mapping[EventId, int],
    labels_of: Mapping[int, Sequence[str]],
    now: datetime,
    is_release: bool = False,
) -> Settled:
    """Decide and write the outcome of each event. Its caller has locked the samples.

    Events that people release (``is_release``) have an outcome already, which is replaced.
    """
    if not rows:
        return Settled([], 0, [])
    standing, samples_before = _standing(rows)
    order = supersede(events=[(row.id, row.voice) for row in rows], standing=standing)
    outcomes = [_outcome(row, order, sample_of, labels_of) for row in rows]
    if order.gave_way:
        earlier, later = zip(*order.gave_way.items(), strict=True)
        execute(SQL["supersede"], {"earlier": list(earlier), "later": list(later)})
    _write(outcomes, now, "release_outcomes" if is_release else "insert_outcomes")
    # An event may supersede one about the same prediction whose text is known no more.
    fell_silent = {samples_before[feedback_id] for feedback_id in order.gave_way}
    speaking = {each.sample_id for each in outcomes if each.state == State.COUNTED}
    touched = {sample_id for sample_id in fell_silent | speaking if sample_id is not None}
    return Settled(outcomes, len(order.gave_way), sorted(touched))


def _standing(
    rows: Sequence[FeedbackRow],
) -> tuple[dict[VoiceKey, EventId], dict[EventId, int | None]]:
    """Who has spoken on the predictions of the batch so far, and about which sample."""
    predictions = sorted({row.voice[0] for row in rows if row.voice is not None})
    if not predictions:
        return {}, {}
    with connection.cursor() as cursor:
        cursor.execute(SQL["standing_voices"], {"predictions": predictions})
        found = cursor.fetchall()
    voices = {(prediction, bytes(subject)): event for prediction, subject, event, _ in found}
    return voices, {event: sample_id for _, _, event, sample_id in found}


def _outcome(
    row: FeedbackRow,
    order: Supersession,
    sample_of: Mapping[EventId, int],
    labels_of: Mapping[int, Sequence[str]],
) -> Outcome:
    if row.is_quarantined:
        reasons = tuple(str(reason) for reason in json.loads(row.quarantine_reasons))
        return Outcome(row, None, State.QUARANTINED, None, Suggestion("", False, reasons))
    says = suggestion(
        rating=row.rating,
        predicted=row.predicted_label,
        corrected=row.corrected_label,
        labels=tuple(labels_of[row.project_id]),
    )
    later = order.by.get(row.id)
    state = State.COUNTED if later is None else State.SUPERSEDED
    return Outcome(row, sample_of.get(row.id), state, later, says)


def _write(outcomes: Sequence[Outcome], now: datetime, statement: str) -> None:
    execute(
        SQL[statement],
        {
            "ids": [each.row.id for each in outcomes],
            "projects": [each.project_id for each in outcomes],
            "predictions": [each.row.prediction_id for each in outcomes],
            "subjects": [each.row.subject_hash for each in outcomes],
            "samples": [each.sample_id for each in outcomes],
            "states": [str(each.state) for each in outcomes],
            "superseded_by": [each.superseded_by for each in outcomes],
            "suggested": [each.says.label for each in outcomes],
            "disputed": [each.says.is_disputed for each in outcomes],
            "reasons": [json.dumps(each.says.reasons) for each in outcomes],
            "rules": [_rule(each) for each in outcomes],
            "comments": [each.row.comment_hash for each in outcomes],
            "now": now,
        },
    )


def _rule(outcome: Outcome) -> str:
    """What holds it back: a rule, or the code of intake's first reason."""
    if outcome.state != State.QUARANTINED:
        return ""
    return outcome.row.rule or outcome.says.reasons[0]
