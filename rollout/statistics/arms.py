"""The two arms of a test: what was counted, what it says, and how sure that is."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from rollout.statistics import power, proportions, sequential
from rollout.statistics.estimates import Estimate, Measured, NotEnough, Tally, not_enough, to_json
from rollout.statistics.sequential import Guardrail
from rollout.statistics.srm import SampleRatio, sample_ratio
from rollout.statistics.wording import duration, points

LABELS = "audit labels"
FEWEST_SHOWN = 10  # A share of fewer is not shown: its interval covers most of 0 to 100 %.


@dataclass(frozen=True)
class ArmCounts:
    """What was counted in one arm since its rollout began. Shares of it are checked on use."""

    arm: str
    """``control`` or ``treatment``."""
    model_version: str
    predictions: int = 0
    subjects: int = 0
    """Distinct subjects (or, of traffic without subjects, predictions) assigned to the arm."""
    feedback: int = 0
    """Predictions with a thumb; the latest thumb of each counts."""
    up: int = 0
    down: int = 0
    corrections: int = 0
    """Feedback that named another label."""
    audit_labelled: int = 0
    """Predictions of the audit stream that annotators have labelled."""
    audit_correct: int = 0
    latency_p50_ms: float | None = None
    latency_p95_ms: float | None = None

    @property
    def audit(self) -> Tally:
        """Correct, of the audited."""
        return Tally(self.audit_correct, self.audit_labelled)

    @property
    def thumbs(self) -> Tally:
        """Thumbs up, of all thumbs."""
        return Tally(self.up, self.up + self.down)


@dataclass(frozen=True)
class ArmSummary:
    """One arm's rates with one-look 95 % intervals, as the table shows them."""

    counts: ArmCounts
    audit_accuracy: Measured
    """The only unbiased accuracy: of a uniform random share of predictions."""
    thumbs_up_share: Measured
    """Self-selected: only those who cared to vote. Never call it accuracy without that word."""
    feedback_rate: Measured
    """Feedback per prediction."""
    correction_rate: Measured
    """Corrections per feedback."""


@dataclass(frozen=True)
class Plan:
    """What was agreed before looking."""

    minimum_labels: int = 100
    """Audit labels wanted in each arm before anything is decided."""
    margin: float = 0.05
    """How much worse a candidate may be and still count as not worse (share, 0-1)."""
    alpha: float = sequential.ALPHA
    treatment_weight: float = 0.5
    """Treatment's share of the compared subjects."""

    @property
    def labels_per_arm(self) -> int:
        """Audit labels each arm must have: the wanted, or what the arithmetic needs if more."""
        return max(self.minimum_labels, sequential.MINIMUM_PER_ARM)

    @property
    def decision_size(self) -> int:
        """Planned labels in both arms; the interval is narrowest there."""
        return 2 * self.labels_per_arm


class Verdict(StrEnum):
    """What the audit labels say of the candidate, by the interval that may be looked at anytime."""

    BETTER = "better"
    NOT_WORSE = "not worse"
    """Any harm is within the margin."""
    WORSE = "worse"
    """Harm is beyond the margin."""
    UNDECIDED = "undecided"
    NO_DATA = "no data"


@dataclass(frozen=True)
class Comparison:
    """Treatment against control, with everything the page shows and the decision weighs."""

    control: ArmSummary
    treatment: ArmSummary
    plan: Plan
    audit_difference: Measured
    """Treatment minus control in audit accuracy; valid at every look."""
    verdict: Verdict
    thumbs_odds_ratio: Measured
    """Odds of a thumb up, treatment over control; self-selected, fair if both arms report alike."""
    feedback_rate_difference: Measured
    sample_ratio: SampleRatio
    guardrails: tuple[Guardrail, ...]
    labels_more: int | None
    """More audit labels until the plan is met and the verdict is in; None: too close to say."""
    time_more: timedelta | None
    """How long those take at the present rate; None when none come in, or no number is known."""

    @property
    def lacks_labels(self) -> bool:
        """Whether an arm is still short of the plan's minimum."""
        fewest = min(self.control.counts.audit_labelled, self.treatment.counts.audit_labelled)
        return fewest < self.plan.labels_per_arm


def summarise(counts: ArmCounts) -> ArmSummary:
    """The rates of one arm.

    >>> summarise(ArmCounts("control", "v1", audit_labelled=3, audit_correct=3)).audit_accuracy
    NotEnough(needed=7, sentence='Not enough data, about 7 more audit labels.')
    """
    return ArmSummary(
        counts=counts,
        audit_accuracy=proportions.share(counts.audit, unit=LABELS, minimum=FEWEST_SHOWN),
        thumbs_up_share=proportions.share(counts.thumbs, unit="thumbs", minimum=FEWEST_SHOWN),
        feedback_rate=proportions.share(
            Tally(counts.feedback, counts.predictions), unit="predictions", minimum=FEWEST_SHOWN
        ),
        correction_rate=proportions.share(
            Tally(counts.corrections, counts.feedback), unit="feedback", minimum=FEWEST_SHOWN
        ),
    )


def compare(
    *,
    control: ArmCounts,
    treatment: ArmCounts,
    plan: Plan,
    labels_per_hour: float = 0.0,
    guardrails: tuple[Guardrail, ...] = (),
) -> Comparison:
    """Treatment against control; ``labels_per_hour`` counts the audit labels of both arms."""
    audit = _audit_difference(control, treatment, plan)
    labels_more = _labels_more(control, treatment, plan)
    return Comparison(
        control=summarise(control),
        treatment=summarise(treatment),
        plan=plan,
        audit_difference=audit,
        verdict=_verdict(audit, margin=plan.margin),
        thumbs_odds_ratio=proportions.odds_ratio(
            control=control.thumbs, treatment=treatment.thumbs, unit="thumbs", minimum=FEWEST_SHOWN
        ),
        feedback_rate_difference=proportions.difference(
            control=Tally(control.feedback, control.predictions),
            treatment=Tally(treatment.feedback, treatment.predictions),
            unit="predictions",
            minimum=FEWEST_SHOWN,
        ),
        sample_ratio=sample_ratio(
            observed=[control.subjects, treatment.subjects],
            weights=[1 - plan.treatment_weight, plan.treatment_weight],
        ),
        guardrails=guardrails,
        labels_more=labels_more,
        time_more=(
            None
            if labels_more is None
            else power.time_left(labels=labels_more, per_hour=labels_per_hour)
        ),
    )


def sentence(comparison: Comparison) -> str:
    """The answer the page opens with: who is better, by how much, how sure, and what it waits for.

    "Treatment is better by 3.1 points (0.8 to 5.4); 412 more labels decide it, about 9 hours."
    """
    if isinstance(comparison.audit_difference, NotEnough):
        return f"Not enough data to compare the arms, {_waiting(comparison)}."
    finding = _finding(comparison.audit_difference, comparison)
    if comparison.labels_more == 0:
        return f"{finding}."
    if comparison.labels_more is None:
        return f"{finding}; too close to the margin to say how many more labels decide it."
    return f"{finding}; {_waiting(comparison)}."


def as_json(comparison: Comparison) -> dict[str, Any]:
    """What is kept of a comparison as evidence; the counts it came from are kept beside it."""
    ratio = comparison.sample_ratio
    time_more = comparison.time_more
    return {
        "sentence": sentence(comparison),
        "verdict": comparison.verdict.value,
        "audit_difference": to_json(comparison.audit_difference),
        "thumbs_odds_ratio": to_json(comparison.thumbs_odds_ratio),
        "feedback_rate_difference": to_json(comparison.feedback_rate_difference),
        "sample_ratio": {"mismatched": ratio.mismatched, "sentence": ratio.sentence},
        "guardrails": [
            {
                "name": rail.name,
                "e_value": rail.e_value,
                "peak": rail.peak,
                "threshold": rail.threshold,
                "crossed": rail.crossed,
                "known": bool(rail.control.n and rail.treatment.n),
                "sentence": rail.sentence,
            }
            for rail in comparison.guardrails
        ],
        "labels_more": comparison.labels_more,
        "hours_more": None if time_more is None else time_more.total_seconds() / 3600,
        "margin": comparison.plan.margin,
    }


def _audit_difference(control: ArmCounts, treatment: ArmCounts, plan: Plan) -> Measured:
    measured = sequential.difference(
        control=control.audit,
        treatment=treatment.audit,
        decision_size=plan.decision_size,
        unit=LABELS,
        alpha=plan.alpha,
    )
    if isinstance(measured, NotEnough):
        # Labels come to both arms, so waiting for the shorter one brings more than it lacks.
        return not_enough(
            needed=_shortfall(control, treatment, plan, sequential.MINIMUM_PER_ARM), unit=LABELS
        )
    return measured


def _shortfall(control: ArmCounts, treatment: ArmCounts, plan: Plan, minimum: int) -> int:
    """Labels that must still come, over both arms, until each has ``minimum``."""
    shares = (1 - plan.treatment_weight, plan.treatment_weight)
    lacking = [max(0, minimum - arm.audit_labelled) for arm in (control, treatment)]
    return max(round(labels / share) for labels, share in zip(lacking, shares, strict=True))


def _labels_more(control: ArmCounts, treatment: ArmCounts, plan: Plan) -> int | None:
    least = _shortfall(control, treatment, plan, plan.labels_per_arm)
    if min(control.audit_labelled, treatment.audit_labelled) < sequential.MINIMUM_PER_ARM:
        return least
    to_decide = power.labels_to_decide(
        control=control.audit,
        treatment=treatment.audit,
        margin=plan.margin,
        decision_size=plan.decision_size,
        alpha=plan.alpha,
    )
    return None if to_decide is None else max(least, to_decide)


def _verdict(audit: Measured, *, margin: float) -> Verdict:
    if isinstance(audit, NotEnough):
        return Verdict.NO_DATA
    if audit.low > 0:
        return Verdict.BETTER
    if audit.low > -margin:
        return Verdict.NOT_WORSE
    return Verdict.WORSE if audit.high < -margin else Verdict.UNDECIDED


def _finding(audit: Estimate, comparison: Comparison) -> str:
    if audit.value < 0:  # "Behind by 3 (1 to 5)": the words carry the sign, for the range too.
        side, audit = "behind", Estimate(-audit.value, -audit.high, -audit.low, audit.n)
    else:
        side = "ahead"
    by = f"by {points(audit).removeprefix('+')}"
    margin = f"the margin of {100 * comparison.plan.margin:g} points"
    match comparison.verdict:
        case Verdict.BETTER:
            return f"Treatment is better {by}"
        case Verdict.NOT_WORSE:
            return f"Treatment is not worse: {side} {by}, within {margin}"
        case Verdict.WORSE:
            return f"Treatment is worse {by}, beyond {margin}"
        case _:
            return f"Undecided: treatment is {side} {by}"


def _waiting(comparison: Comparison) -> str:
    count = f"{comparison.labels_more:,}"
    if isinstance(comparison.audit_difference, NotEnough):
        need = f"about {count} more audit labels"
    else:
        need = f"{count} more labels decide it"
    if comparison.time_more is None:
        return f"{need}, but none are coming in"
    return f"{need}, about {duration(comparison.time_more)}"
