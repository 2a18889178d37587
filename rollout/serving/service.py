"""Answering texts: assign, score, record durably, and only then answer.

What a candidate cannot answer the champion does, outside the comparison; the failure is kept.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError

from curation.intake.facts import ProjectFacts, project_facts
from curation.intake.landing import hashed_name
from curation.intake.predictions import NewPrediction, record_predictions
from curation.intake.schemas import PredictionRequest
from curation.models import Project
from feedbackhub.core.ids import uuid7s
from feedbackhub.core.subjects import keyed_hash
from rollout.serving.assignment import (
    DAY0,
    OUTSIDE,
    TREATMENT,
    assign,
    coverage_and_weight,
    in_audit,
    programme_group,
    unit_of,
)
from rollout.serving.attempts import Timed, attempted, record_failures, timed
from rollout.serving.cache import ServedVersion
from rollout.serving.metrics import PREDICTIONS, SCORING_SECONDS, SERVING_FAILURES
from rollout.serving.plan import ServingPlan, current_plan
from rollout.serving.scorer import Score

logger = logging.getLogger(__name__)


class NoChampion(Exception):
    """The project has no version that can answer."""


@dataclass(frozen=True)
class Served:
    """An answer to one text. Whether it is audited stays between us and the database."""

    prediction_id: UUID
    label: str
    confidence: float
    probabilities: dict[str, float]
    model_version: str
    arm: str
    """``control`` or ``treatment``; empty outside a comparison."""


@dataclass(frozen=True)
class _Seat:
    """Where one text goes."""

    prediction_id: UUID
    subject_hash: bytes | None
    version: ServedVersion
    rollout_id: int | None
    arm: str
    programme_group: str


@dataclass(frozen=True)
class _Failure:
    """A text that its version could not answer, and why."""

    seat: _Seat
    reason: str


def predict(
    *, project: Project, source_id: int, items: Sequence[PredictionRequest], now: datetime
) -> list[Served]:
    """Answers to texts, in order; every one is recorded before this returns.

    A subject meets the same arm as long as a rollout lasts, unless its version fails to answer:
    then the champion does. Raises :class:`NoChampion`.
    """
    plan = current_plan(project.pk)
    if plan is None:
        raise NoChampion(f"{project.name} has no model that can answer yet.")
    ids = uuid7s(now, count=len(items))
    seats = [
        _seat(plan, prediction_id=identity, subject=item.subject)
        for identity, item in zip(ids, items, strict=True)
    ]
    seats, scores, failures = _score(plan, seats, [item.text for item in items])
    facts = project_facts(project.pk)
    predictions = [
        _prediction(facts, source_id, seat, item, score, latency_ms)
        for seat, item, (score, latency_ms) in zip(seats, items, scores, strict=True)
    ]
    record_predictions(predictions=predictions, pool_margin=facts.policy.pool_margin, now=now)
    _count(project, seats, scores)
    if failures:
        _keep(project, failures, now)
    return [_served(seat, score) for seat, (score, _) in zip(seats, scores, strict=True)]


def _seat(plan: ServingPlan, *, prediction_id: UUID, subject: str | None) -> _Seat:
    name = hashed_name(subject, project_id=plan.project_id)
    subject_hash = bytes.fromhex(name) if name else None
    unit = unit_of(subject_hash=subject_hash, prediction_id=prediction_id)
    group = _programme_group(plan, subject_hash)
    version, rollout_id, arm = plan.champion, None, OUTSIDE
    if group == DAY0 and plan.day0 is not None:
        version = plan.day0
    elif plan.candidate is not None:
        coverage, weight = coverage_and_weight(plan.treatment_share)
        arm = assign(salt=plan.salt, unit=unit, coverage=coverage, treatment_weight=weight).arm
        if arm != OUTSIDE:
            rollout_id = plan.rollout_id
        if arm == TREATMENT:
            version = plan.candidate
    return _Seat(prediction_id, subject_hash, version, rollout_id, arm, group)


def _programme_group(plan: ServingPlan, subject_hash: bytes | None) -> str:
    """The group of a subject; traffic without one cannot be held back and is in neither group."""
    if subject_hash is None:
        return ""
    return programme_group(
        salt=_salt(plan.project_id), unit=subject_hash, holdback_share=plan.holdback_share
    )


def _salt(project_id: int) -> str:
    """Of the choices that outlast every rollout; keyed, so that no caller can foretell an audit."""
    return keyed_hash("choices", key=settings.SUBJECT_HASH_KEY, project_id=project_id).hex()


def _score(
    plan: ServingPlan, seats: Sequence[_Seat], texts: Sequence[str]
) -> tuple[list[_Seat], list[Timed], list[_Failure]]:
    """Where each text was answered in the end, its score, and what failed on the way.

    Texts of one version are scored together, the champion's last: it also answers what another
    could not.
    """
    places: dict[int, list[int]] = defaultdict(list)
    for index, seat in enumerate(seats):
        places[seat.version.id].append(index)
    left = places.pop(plan.champion.id, [])
    taken, scored, failures = list(seats), dict[int, Timed](), list[_Failure]()
    for version_id, indices in places.items():
        outcomes = attempted(plan.scorers[version_id], [texts[index] for index in indices])
        for index, outcome in zip(indices, outcomes, strict=True):
            if isinstance(outcome, str):
                failures.append(_Failure(seats[index], outcome))
                taken[index] = _fallback(plan, seats[index])
                left.append(index)
            else:
                scored[index] = outcome
    if left:
        answers = timed(plan.scorers[plan.champion.id], [texts[index] for index in left])
        scored.update(zip(left, answers, strict=True))
    return taken, [scored[index] for index in range(len(texts))], failures


def _fallback(plan: ServingPlan, seat: _Seat) -> _Seat:
    """The champion's seat for a text; what it answers there says nothing about either arm."""
    group = "" if seat.programme_group == DAY0 else seat.programme_group
    return replace(seat, version=plan.champion, rollout_id=None, arm=OUTSIDE, programme_group=group)


def _keep(project: Project, failures: Sequence[_Failure], now: datetime) -> None:
    """Tell the guardrail and the operator; the answers go out whether or not this succeeds."""
    for version, count in Counter(failure.seat.version.name for failure in failures).items():
        SERVING_FAILURES.labels(project.slug, version).inc(count)
        logger.error(
            "%s of %s failed %d texts: %s", version, project.slug, count, failures[0].reason
        )
    compared: dict[tuple[int, str], list[str]] = defaultdict(list)
    for failure in failures:
        if failure.seat.rollout_id is not None:
            compared[failure.seat.rollout_id, failure.seat.arm].append(failure.reason)
    try:
        for (rollout_id, arm), reasons in compared.items():
            record_failures(rollout_id=rollout_id, arm=arm, reasons=reasons, now=now)
    except DatabaseError:
        logger.exception("The failures of %s could not be recorded", project.slug)


def _prediction(
    facts: ProjectFacts,
    source_id: int,
    seat: _Seat,
    item: PredictionRequest,
    score: Score,
    latency_ms: float,
) -> NewPrediction:
    project_id = facts.project.pk
    session = hashed_name(item.session, project_id=project_id)
    return NewPrediction(
        id=seat.prediction_id,
        project_id=project_id,
        source_id=source_id,
        text=item.text,
        label=score.label,
        confidence=score.confidence,
        probabilities=score.probabilities,
        model_version=seat.version.name,
        rollout_id=seat.rollout_id,
        arm=seat.arm,
        programme_group=seat.programme_group,
        subject_hash=seat.subject_hash,
        session_hash=bytes.fromhex(session) if session else None,
        is_audit=in_audit(
            salt=_salt(project_id),
            prediction_id=seat.prediction_id,
            share=facts.policy.audit_share,
        ),
        latency_ms=latency_ms,
        metadata=item.metadata,
    )


def _served(seat: _Seat, score: Score) -> Served:
    return Served(
        prediction_id=seat.prediction_id,
        label=score.label,
        confidence=score.confidence,
        probabilities=score.probabilities,
        model_version=seat.version.name,
        arm=seat.arm,
    )


def _count(project: Project, seats: Sequence[_Seat], scores: Sequence[Timed]) -> None:
    served = Counter((seat.version.name, seat.arm) for seat in seats)
    for (version, arm), count in served.items():
        PREDICTIONS.labels(project.slug, version, arm).inc(count)
    histograms = {seat.arm: SCORING_SECONDS.labels(project.slug, seat.arm) for seat in seats}
    for seat, (_, latency_ms) in zip(seats, scores, strict=True):
        histograms[seat.arm].observe(latency_ms / 1_000)
