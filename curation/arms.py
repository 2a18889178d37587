"""What was counted in the arms of a rollout: predictions, thumbs, latency and audit answers."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.db import connection

from feedbackhub.core.sql import fetch, statements

SQL = statements(Path(__file__).with_name("arms.sql"))


@dataclass(frozen=True)
class ArmTraffic:
    """One arm's predictions in one stratum: those with a subject, or those without."""

    arm: str
    has_subject: bool
    """False: each prediction is its own unit, and none enters a per-subject statistic."""
    predictions: int
    units: int
    """Distinct subjects; of traffic without subjects, predictions."""
    latency_mean_ms: float | None
    latency_p50_ms: float | None
    latency_p95_ms: float | None


@dataclass(frozen=True)
class ArmFeedback:
    """One arm's counted feedback in one stratum; superseded and quarantined events are out."""

    arm: str
    has_subject: bool
    feedback: int
    up: int
    down: int
    corrections: int
    """Feedback that named another label."""


@dataclass(frozen=True)
class AuditAnswer:
    """An audited prediction whose text has been labelled blind."""

    arm: str
    has_subject: bool
    prediction_id: UUID
    unit: bytes
    """The subject's keyed hash; without a subject, the prediction."""
    predicted: str
    truth: str
    answered_at: datetime
    """When its last annotator answered."""


@dataclass(frozen=True)
class ArmOutcome:
    """One unit's first outcome in its arm."""

    arm: str
    is_bad: bool


@dataclass(frozen=True)
class ArmCounts:
    """Everything counted in one arm, in one stratum."""

    arm: str
    has_subject: bool
    predictions: int
    units: int
    latency_mean_ms: float | None
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    feedback: int
    up: int
    down: int
    corrections: int
    audit_labelled: int
    audit_correct: int


def arm_traffic(*, rollout_id: int) -> list[ArmTraffic]:
    """Predictions, units and latency by arm and stratum."""
    return fetch(SQL["arm_traffic"], {"rollout": rollout_id}, into=ArmTraffic)


def arm_feedback(*, rollout_id: int) -> list[ArmFeedback]:
    """Counted feedback by arm and stratum."""
    return fetch(SQL["arm_feedback"], {"rollout": rollout_id}, into=ArmFeedback)


def audit_answers(*, rollout_id: int) -> list[AuditAnswer]:
    """Audited predictions with the label that blind annotators agreed on for their text.

    A text has one truth however often it was served; it comes from the audit queue alone, since
    what other queues ask about is no random share. Texts whose annotators are split are left out.
    """
    return fetch(SQL["audit_answers"], {"rollout": rollout_id}, into=AuditAnswer)


def first_thumbs(*, rollout_id: int, has_subject: bool) -> list[ArmOutcome]:
    """Each unit's first thumb, in order of arrival; later ones cannot change a settled bet."""
    params = {"rollout": rollout_id, "has_subject": has_subject}
    return fetch(SQL["first_thumbs"], params, into=ArmOutcome)


def first_audit_outcomes(*, rollout_id: int, has_subject: bool) -> list[ArmOutcome]:
    """Whether each unit's first audited prediction was wrong, in the order of the answers."""
    first: dict[bytes, ArmOutcome] = {}
    answers = audit_answers(rollout_id=rollout_id)
    for answer in sorted(answers, key=lambda row: (row.answered_at, row.prediction_id)):
        if answer.arm and answer.has_subject == has_subject:
            outcome = ArmOutcome(arm=answer.arm, is_bad=answer.predicted != answer.truth)
            first.setdefault(bytes(answer.unit), outcome)
    return list(first.values())


def last_prediction(*, rollout_id: int) -> UUID | None:
    """The latest prediction in either arm, or None before the first."""
    with connection.cursor() as cursor:
        cursor.execute(SQL["last_prediction"], {"rollout": rollout_id})
        found = cursor.fetchone()
        return found[0] if found else None


def arm_counts(*, rollout_id: int) -> list[ArmCounts]:
    """All counts of a rollout's arms in three statements, by arm and stratum."""
    feedback = {(row.arm, row.has_subject): row for row in arm_feedback(rollout_id=rollout_id)}
    audited: dict[tuple[str, bool], list[bool]] = {}
    for answer in audit_answers(rollout_id=rollout_id):
        key = answer.arm, answer.has_subject
        audited.setdefault(key, []).append(answer.predicted == answer.truth)
    return [
        _joined(row, feedback.get((row.arm, row.has_subject)), audited)
        for row in arm_traffic(rollout_id=rollout_id)
    ]


def _joined(
    traffic: ArmTraffic,
    feedback: ArmFeedback | None,
    audited: dict[tuple[str, bool], list[bool]],
) -> ArmCounts:
    correct = audited.get((traffic.arm, traffic.has_subject), [])
    return ArmCounts(
        arm=traffic.arm,
        has_subject=traffic.has_subject,
        predictions=traffic.predictions,
        units=traffic.units,
        latency_mean_ms=traffic.latency_mean_ms,
        latency_p50_ms=traffic.latency_p50_ms,
        latency_p95_ms=traffic.latency_p95_ms,
        feedback=feedback.feedback if feedback else 0,
        up=feedback.up if feedback else 0,
        down=feedback.down if feedback else 0,
        corrections=feedback.corrections if feedback else 0,
        audit_labelled=len(correct),
        audit_correct=sum(correct),
    )
