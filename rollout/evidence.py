"""Measures the arms of a rollout and keeps what was found; decisions rest on these rows alone."""

import logging
import time
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction

from curation import arms
from feedbackhub.core.ids import uuid7_time
from rollout.decide import Evidence, Serving, Stage
from rollout.models import Rollout, RolloutEvidence, RolloutPolicy, ServingFailure
from rollout.serving.assignment import CONTROL, TREATMENT, coverage_and_weight
from rollout.statistics.arms import ArmCounts, Comparison, Plan, as_json, compare
from rollout.statistics.sequential import EProcess, Guardrail, Outcome, guardrail
from training.services import ensure_policy as training_policy

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(seconds=2)
# A measurement may take this share of the worker's time, however large the rollout has grown.
LARGEST_LOAD = 0.05
GUARDRAILS = 2
FAILURES = "failures"  # How many measurements in a row failed, kept beside the decision.


def of_waiting(rollout: Rollout, *, ahead: Rollout | None) -> Evidence:
    """What is known of a rollout that has not started."""
    return Evidence(stage=Stage.WAITING, ahead=ahead.candidate.name if ahead else "")


def is_due(rollout: Rollout, now: datetime) -> bool:
    """Whether a new look is worth its cost."""
    latest = rollout.evidence.order_by("-computed_at").first()
    if latest is None:
        return True
    rest = timedelta(milliseconds=latest.comparison.get("cost_ms", 0) / LARGEST_LOAD)
    return now - latest.computed_at >= max(LOOK_EVERY, rest)


def measure(rollout: Rollout, *, policy: RolloutPolicy, now: datetime) -> Evidence:
    """Count the arms, compare them, keep the row; a failure to measure is evidence too."""
    try:
        with transaction.atomic():
            comparison, serving = _compare(rollout, policy, now)
    except (DatabaseError, ValueError, ArithmeticError) as error:
        log.exception("Rollout %s could not be measured", rollout.pk)
        failures = int(rollout.decision.get(FAILURES, 0)) + 1
        return _evidence(rollout, None, None, None, str(error) or type(error).__name__, failures)
    return _evidence(rollout, comparison, serving, now, "", 0)


def _evidence(
    rollout: Rollout,
    comparison: Comparison | None,
    serving: Serving | None,
    measured_at: datetime | None,
    failure: str,
    failures: int,
) -> Evidence:
    last = arms.last_prediction(rollout_id=rollout.pk)
    return Evidence(
        stage=Stage(rollout.status),
        measured_at=measured_at,
        started_at=rollout.started_at,
        comparison=comparison,
        serving=serving,
        last_prediction_at=uuid7_time(last) if last else None,
        failure=failure,
        failures_in_a_row=failures,
    )


def _serving(rollout: Rollout, rows: Iterable[arms.ArmCounts]) -> Serving:
    """How treatment fared, with and without subjects: a failure tells not of which it was."""
    errors = ServingFailure.objects.filter(rollout=rollout, arm=TREATMENT).count()
    answered = sum(row.predictions for row in rows if row.arm == TREATMENT)
    return Serving(requests=answered + errors, errors=errors)


def _compare(rollout: Rollout, policy: RolloutPolicy, now: datetime) -> tuple[Comparison, Serving]:
    began = time.perf_counter()
    rows = [row for row in arms.arm_counts(rollout_id=rollout.pk) if row.arm]
    # The strata are never mixed: traffic that names its subjects decides where there is any.
    has_subject = any(row.has_subject for row in rows) or not rows
    control, treatment = _counts(rollout, rows, has_subject=has_subject)
    _, weight = coverage_and_weight(rollout.treatment_share)
    labelled = control.audit_labelled + treatment.audit_labelled
    hours = (now - rollout.started_at).total_seconds() / 3600 if rollout.started_at else 0
    comparison = compare(
        control=control,
        treatment=treatment,
        plan=Plan(
            minimum_labels=policy.min_audit_labels,
            margin=training_policy(project=rollout.project).delta,
            treatment_weight=weight,
        ),
        labels_per_hour=labelled / hours if hours else 0.0,
        guardrails=_guardrails(rollout, weight, policy.guardrail_alpha, has_subject=has_subject),
    )
    cost_ms = (time.perf_counter() - began) * 1000
    left_out = sum(row.predictions for row in rows if row.has_subject != has_subject)
    _keep(rollout, comparison, {"cost_ms": cost_ms, "left_out": left_out}, now)
    return comparison, _serving(rollout, rows)


def _counts(
    rollout: Rollout, rows: list[arms.ArmCounts], *, has_subject: bool
) -> tuple[ArmCounts, ArmCounts]:
    champion = rollout.champion
    names = {CONTROL: champion.name if champion else "", TREATMENT: rollout.candidate.name}
    found = {row.arm: row for row in rows if row.has_subject == has_subject}
    control, treatment = (
        _counts_of(found[arm], name) if arm in found else ArmCounts(arm=arm, model_version=name)
        for arm, name in names.items()
    )
    return control, treatment


def _counts_of(row: arms.ArmCounts, model_version: str) -> ArmCounts:
    return ArmCounts(
        arm=row.arm,
        model_version=model_version,
        predictions=row.predictions,
        subjects=row.units,
        feedback=row.feedback,
        up=row.up,
        down=row.down,
        corrections=row.corrections,
        audit_labelled=row.audit_labelled,
        audit_correct=row.audit_correct,
        latency_p50_ms=row.latency_p50_ms,
        latency_p95_ms=row.latency_p95_ms,
    )


def _guardrails(
    rollout: Rollout, weight: float, alpha: float, *, has_subject: bool
) -> tuple[Guardrail, ...]:
    """The sequential watch on both harms; alpha is divided between them (Bonferroni)."""
    return tuple(
        guardrail(
            name=name,
            process=EProcess(treatment_share=weight).after(
                _outcomes(outcomes(rollout_id=rollout.pk, has_subject=has_subject))
            ),
            alpha=alpha / GUARDRAILS,
        )
        for name, outcomes in (
            ("thumbs-down rate", arms.first_thumbs),
            ("audit error rate", arms.first_audit_outcomes),
        )
    )


def _outcomes(rows: Iterable[arms.ArmOutcome]) -> Iterable[Outcome]:
    return (Outcome(treated=row.arm == TREATMENT, harmed=row.is_bad) for row in rows)


def _keep(rollout: Rollout, comparison: Comparison, facts: dict[str, float], now: datetime) -> None:
    values = {
        "computed_at": now,
        "arms": [asdict(comparison.control.counts), asdict(comparison.treatment.counts)],
        "comparison": {**as_json(comparison), **facts},
    }
    minute = now.replace(second=0, microsecond=0)
    latest = rollout.evidence.filter(computed_at__gte=minute).order_by("computed_at").last()
    if latest is None:
        RolloutEvidence.objects.create(rollout=rollout, **values)
    else:
        RolloutEvidence.objects.filter(pk=latest.pk).update(**values)
