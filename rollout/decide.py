"""What happens next to a rollout: a pure function of evidence, policy and time.

Guardrails protect and act alone, in every state, at any sample size. Everything else advises: it
holds, and says in words what it waits for. What could not be measured is never read as a pass.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from rollout.statistics.arms import Comparison, Verdict, sentence
from rollout.statistics.wording import duration

READY = "Ready: awaiting an ML lead's approval."
UNDECIDED = "Undecided so far; an ML lead may decide anyway."


class Stage(StrEnum):
    """Where a rollout stands; only these ask for a decision."""

    WAITING = "waiting"
    AB_TEST = "ab_test"
    PAUSED = "paused"


class Action(StrEnum):
    """What to do now."""

    HOLD = "hold"
    ADVANCE = "advance"
    """Leave the queue and start the A/B test."""
    PAUSE = "pause"
    """Stop and ask a person."""
    ROLL_BACK = "roll_back"
    COMPLETE = "complete"
    """Promote the candidate."""


class Awaits(StrEnum):
    """What a held rollout waits for."""

    NOTHING = ""
    TURN = "turn"
    MEASUREMENT = "measurement"
    TRAFFIC = "traffic"
    REPAIR = "repair"
    TIME = "time"
    LABELS = "labels"
    APPROVAL = "approval"
    RESUME = "resume"


@dataclass(frozen=True)
class Policy:
    """What was agreed about rollouts; the comparison's plan holds the labels and the margin."""

    minimum_duration: timedelta = timedelta(hours=24)
    auto_promote: bool = False
    """Promote without a person once the candidate is shown to be better or not worse."""
    stale_after: timedelta = timedelta(minutes=5)
    """How old a measurement may be; two intervals of the reconciler and some slack."""
    no_traffic_after: timedelta = timedelta(hours=24)
    """How long without a prediction before the rollout is said to have no traffic."""
    error_share_limit: float = 0.05
    """Share of failed requests in treatment beyond which it is rolled back."""
    error_least_requests: int = 20
    measurement_failures_limit: int = 4
    """More failed measurements in a row than this pause the rollout."""
    look_every: timedelta = timedelta(minutes=1)


@dataclass(frozen=True)
class Serving:
    """How requests to the treatment arm fared since the rollout began."""

    requests: int = 0
    errors: int = 0


@dataclass(frozen=True)
class Evidence:
    """What was known of a rollout at one look."""

    stage: Stage
    measured_at: datetime | None = None
    """When the comparison was computed; None before the first time."""
    started_at: datetime | None = None
    """When the A/B test began."""
    ahead: str = ""
    """The candidate under test that a waiting one waits for."""
    comparison: Comparison | None = None
    """None when it could not be computed."""
    serving: Serving | None = None
    """None when it could not be counted."""
    last_prediction_at: datetime | None = None
    """The latest prediction in either arm."""
    failure: str = ""
    """Why the last measurement failed, in words."""
    failures_in_a_row: int = 0


@dataclass(frozen=True)
class Decision:
    """What to do, why, and what comes next."""

    action: Action
    reasons: tuple[str, ...]
    """Sentences for the page and the history, the weightiest first."""
    awaits: Awaits = Awaits.NOTHING
    next_look_at: datetime | None = None
    """When another look is worth while at the earliest; None when the journey ends here."""

    def as_json(self) -> dict[str, Any]:
        """The decision as it is stored beside the rollout."""
        return {
            "action": self.action.value,
            "reasons": list(self.reasons),
            "awaits": self.awaits.value,
            "next_look_at": self.next_look_at.isoformat() if self.next_look_at else None,
        }


def decide(evidence: Evidence, policy: Policy, now: datetime) -> Decision:
    """The next step of one rollout.

    The order is that of GrowthBook's ramp evaluator, with one change: what was measured and shows
    harm rolls back before a failed measurement, a lull in traffic or a pause can hold it.
    """
    if evidence.stage is Stage.WAITING:
        return _take_turn(evidence, policy, now)
    if stale := _stale(evidence, policy, now):
        return stale
    if harm := tuple(_harm(evidence, policy)):
        return Decision(Action.ROLL_BACK, harm)
    comparison = evidence.comparison
    if evidence.failure or comparison is None or evidence.serving is None:
        return _unmeasured(evidence, policy, now)
    if evidence.stage is Stage.PAUSED:
        return _hold(Awaits.RESUME, policy, now, "Paused by a person; resume it to go on.")
    if quiet := _no_traffic(evidence, policy, now):
        return quiet
    if comparison.sample_ratio.mismatched:
        return _hold(Awaits.REPAIR, policy, now, comparison.sample_ratio.sentence)
    return _weigh(evidence, comparison, policy, now)


def _take_turn(evidence: Evidence, policy: Policy, now: datetime) -> Decision:
    if evidence.ahead:
        reason = f"Waits for the test of {evidence.ahead} to end."
        return _hold(Awaits.TURN, policy, now, reason)
    reason = "Passed its gates and no other candidate is under test: the A/B test starts."
    return Decision(Action.ADVANCE, (reason,), next_look_at=now + policy.look_every)


def _stale(evidence: Evidence, policy: Policy, now: datetime) -> Decision | None:
    if evidence.measured_at is not None and now - evidence.measured_at <= policy.stale_after:
        return None
    if evidence.failure:
        return _unmeasured(evidence, policy, now)
    if evidence.measured_at is None:
        return _hold(Awaits.MEASUREMENT, policy, now, "The arms have not been measured yet.")
    reason = (
        f"The last measurement is {duration(now - evidence.measured_at)} old, older than "
        f"{duration(policy.stale_after)}: nothing is decided on it."
    )
    return _hold(Awaits.MEASUREMENT, policy, now, reason)


def _harm(evidence: Evidence, policy: Policy) -> Iterator[str]:
    serving = evidence.serving
    if serving is not None and serving.requests >= policy.error_least_requests:
        share = serving.errors / serving.requests
        if share > policy.error_share_limit:
            yield (
                f"Treatment failed {serving.errors:,} of {serving.requests:,} requests "
                f"({share:.1%}, limit {policy.error_share_limit:.0%})."
            )
    if evidence.comparison is not None:
        for rail in evidence.comparison.guardrails:
            if rail.crossed:
                yield rail.sentence
        if evidence.comparison.verdict is Verdict.WORSE:
            yield sentence(evidence.comparison)


def _unmeasured(evidence: Evidence, policy: Policy, now: datetime) -> Decision:
    what = evidence.failure or "a part of the evidence is missing"
    reason = f"The arms could not be measured: {what}."
    if evidence.stage is Stage.AB_TEST and (
        evidence.failures_in_a_row > policy.measurement_failures_limit
    ):
        again = (
            f"{reason} That was {evidence.failures_in_a_row} times in a row: a person must look."
        )
        return Decision(Action.PAUSE, (again,), Awaits.RESUME, now + policy.look_every)
    return _hold(Awaits.MEASUREMENT, policy, now, reason)


def _no_traffic(evidence: Evidence, policy: Policy, now: datetime) -> Decision | None:
    last = evidence.last_prediction_at
    if last is None:
        return _hold(Awaits.TRAFFIC, policy, now, "No traffic yet: nothing to compare.")
    if now - last <= policy.no_traffic_after:
        return None
    reason = f"No traffic for {duration(now - last)}: nothing new to compare."
    return _hold(Awaits.TRAFFIC, policy, now, reason)


def _weigh(evidence: Evidence, comparison: Comparison, policy: Policy, now: datetime) -> Decision:
    finding = sentence(comparison)
    ran_for = now - evidence.started_at if evidence.started_at else timedelta(0)
    left = policy.minimum_duration - ran_for
    if left > timedelta(0):
        least = duration(policy.minimum_duration)
        reason = f"The test runs for at least {least}: {duration(left)} left."
        soon = now + min(left, policy.look_every)
        return Decision(Action.HOLD, (reason, finding), Awaits.TIME, soon)
    if comparison.lacks_labels:
        reason = f"Each arm needs {comparison.plan.labels_per_arm:,} audit labels first."
        return _hold(Awaits.LABELS, policy, now, finding, reason)
    shown = comparison.verdict in (Verdict.BETTER, Verdict.NOT_WORSE)
    if not policy.auto_promote:
        reason = READY if shown else UNDECIDED
        return _hold(Awaits.APPROVAL, policy, now, reason, finding)
    if not shown:
        reason = "Promoted by itself only once it is shown to be better, or not worse."
        return _hold(Awaits.LABELS, policy, now, finding, reason)
    return Decision(Action.COMPLETE, (finding, "The policy promotes such a candidate by itself."))


def _hold(awaits: Awaits, policy: Policy, now: datetime, *reasons: str) -> Decision:
    return Decision(Action.HOLD, reasons, awaits, now + policy.look_every)
