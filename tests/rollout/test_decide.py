"""The next step of a rollout, told as scenarios, many of them lived through by other tools."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rollout.decide import (
    Action,
    Awaits,
    Decision,
    Evidence,
    Policy,
    Serving,
    Stage,
    decide,
)
from rollout.statistics.arms import ArmCounts, Comparison, Plan, compare
from rollout.statistics.sequential import EProcess, Guardrail, Outcome, guardrail

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PLAN = Plan(minimum_labels=100, margin=0.05)
HARM = EProcess().after([Outcome(True, True), Outcome(False, False)] * 30)


def watched(process: EProcess) -> Guardrail:
    return guardrail(name="thumbs-down rate", process=process, alpha=0.025)


def compared(
    control: tuple[int, int] = (850, 1000),
    treatment: tuple[int, int] = (930, 1000),
    *,
    subjects: tuple[int, int] = (500, 500),
    process: EProcess | None = None,
) -> Comparison:
    counts = [
        ArmCounts(
            arm,
            version,
            predictions=5000,
            subjects=people,
            feedback=500,
            up=400,
            down=100,
            audit_correct=correct,
            audit_labelled=labelled,
        )
        for arm, version, people, (correct, labelled) in (
            ("control", "v1", subjects[0], control),
            ("treatment", "v2", subjects[1], treatment),
        )
    ]
    return compare(
        control=counts[0],
        treatment=counts[1],
        plan=PLAN,
        labels_per_hour=20,
        guardrails=(watched(process or EProcess()),),
    )


BETTER = compared()
UNDECIDED = compared((160, 200), (162, 200))
WORSE = compared((900, 1000), (780, 1000))
TOO_FEW = compared((60, 70), (62, 70))
UNLABELLED = compared((0, 0), (0, 0))
SPLIT_WRONG = compared(subjects=(660, 340))
HARMFUL = compared((0, 0), (0, 0), process=HARM)

HEALTHY = Evidence(
    stage=Stage.AB_TEST,
    measured_at=NOW - timedelta(seconds=30),
    started_at=NOW - timedelta(days=4),
    comparison=BETTER,
    serving=Serving(requests=5000, errors=3),
    last_prediction_at=NOW - timedelta(minutes=1),
)
BROKEN = Serving(requests=20, errors=2)


@dataclass(frozen=True)
class Scenario:
    """What is known, and what should come of it."""

    name: str
    change: dict[str, Any]
    action: Action
    says: str
    awaits: Awaits = Awaits.NOTHING
    policy: dict[str, Any] = field(default_factory=dict)


SCENARIOS = [
    # The queue
    Scenario(
        "a candidate waits for the one under test",
        {"stage": Stage.WAITING, "ahead": "v13"},
        Action.HOLD,
        "Waits for the test of v13 to end.",
        Awaits.TURN,
    ),
    Scenario(
        "a candidate whose turn it is starts",
        {"stage": Stage.WAITING, "comparison": None, "measured_at": None},
        Action.ADVANCE,
        "the A/B test starts",
    ),
    # Freshness
    Scenario(
        "nothing is decided before the first measurement",
        {"measured_at": None, "comparison": None},
        Action.HOLD,
        "have not been measured yet",
        Awaits.MEASUREMENT,
    ),
    Scenario(
        "stale evidence decides nothing, however good it looks",
        {"measured_at": NOW - timedelta(minutes=6)},
        Action.HOLD,
        "The last measurement is 6 minutes old, older than 5 minutes",
        Awaits.MEASUREMENT,
        {"auto_promote": True},
    ),
    Scenario(
        "evidence is fresh up to its limit",
        {"measured_at": NOW - timedelta(minutes=5)},
        Action.COMPLETE,
        "Treatment is better by 8.0 points",
        policy={"auto_promote": True},
    ),
    # Guardrails protect in every state, at any sample size
    Scenario(
        "harm rolls back without a single audit label",
        {"comparison": HARMFUL},
        Action.ROLL_BACK,
        "The thumbs-down rate is worse: 30 of 30 in treatment against 0 of 30 in control",
    ),
    Scenario(
        "harm rolls back before the minimum duration is over",
        {"comparison": HARMFUL, "started_at": NOW - timedelta(minutes=3)},
        Action.ROLL_BACK,
        "thumbs-down rate is worse",
    ),
    Scenario(
        "harm rolls back while waiting at a pause",
        {"comparison": HARMFUL, "stage": Stage.PAUSED},
        Action.ROLL_BACK,
        "thumbs-down rate is worse",
    ),
    Scenario(
        "harm rolls back although traffic has stopped since",
        {"comparison": HARMFUL, "last_prediction_at": NOW - timedelta(days=3)},
        Action.ROLL_BACK,
        "thumbs-down rate is worse",
    ),
    Scenario(
        "harm rolls back although another measurement failed",
        {"comparison": HARMFUL, "serving": None, "failure": "error counts: time-out"},
        Action.ROLL_BACK,
        "thumbs-down rate is worse",
    ),
    Scenario(
        "harm outweighs a better audit accuracy",
        {"comparison": compared(process=HARM)},
        Action.ROLL_BACK,
        "thumbs-down rate is worse",
        policy={"auto_promote": True},
    ),
    Scenario(
        "accuracy known to be beyond the margin rolls back",
        {"comparison": WORSE},
        Action.ROLL_BACK,
        "Treatment is worse by 12.0 points (6.8 to 17.2), beyond the margin of 5 points.",
    ),
    Scenario(
        "serving errors above the limit roll back",
        {"serving": BROKEN},
        Action.ROLL_BACK,
        "Treatment failed 2 of 20 requests (10.0%, limit 5%).",
    ),
    Scenario(
        "serving errors roll back although the arms could not be compared",
        {"serving": BROKEN, "comparison": None, "failure": "audit labels: time-out"},
        Action.ROLL_BACK,
        "Treatment failed 2 of 20 requests",
    ),
    Scenario(
        "serving errors at the limit do not",
        {"serving": Serving(requests=20, errors=1)},
        Action.HOLD,
        "Ready: awaiting an ML lead's approval.",
        Awaits.APPROVAL,
    ),
    Scenario(
        "serving errors among few requests do not",
        {"serving": Serving(requests=19, errors=19)},
        Action.HOLD,
        "Ready: awaiting an ML lead's approval.",
        Awaits.APPROVAL,
    ),
    # A measurement that failed is a third outcome
    Scenario(
        "a failed measurement is never a pass",
        {"comparison": None, "failure": "audit labels: time-out"},
        Action.HOLD,
        "The arms could not be measured: audit labels: time-out.",
        Awaits.MEASUREMENT,
        {"auto_promote": True},
    ),
    Scenario(
        "a comparison with a failure beside it is not a pass either",
        {"failure": "guardrails: time-out", "failures_in_a_row": 4},
        Action.HOLD,
        "The arms could not be measured: guardrails: time-out.",
        Awaits.MEASUREMENT,
        {"auto_promote": True},
    ),
    Scenario(
        "unknown serving health is not a pass",
        {"serving": None},
        Action.HOLD,
        "a part of the evidence is missing",
        Awaits.MEASUREMENT,
        {"auto_promote": True},
    ),
    Scenario(
        "the fifth failure in a row pauses and asks",
        {"comparison": None, "failure": "time-out", "failures_in_a_row": 5},
        Action.PAUSE,
        "5 times in a row: a person must look",
        Awaits.RESUME,
    ),
    Scenario(
        "failures pause also once the last good measurement is stale",
        {
            "measured_at": NOW - timedelta(hours=1),
            "failure": "time-out",
            "failures_in_a_row": 5,
        },
        Action.PAUSE,
        "a person must look",
        Awaits.RESUME,
    ),
    Scenario(
        "failures from the very start pause as well",
        {"measured_at": None, "comparison": None, "failure": "time-out", "failures_in_a_row": 5},
        Action.PAUSE,
        "a person must look",
        Awaits.RESUME,
    ),
    Scenario(
        "a paused rollout is not paused again",
        {"stage": Stage.PAUSED, "comparison": None, "failure": "time-out", "failures_in_a_row": 9},
        Action.HOLD,
        "could not be measured",
        Awaits.MEASUREMENT,
    ),
    # No traffic is not a verdict
    Scenario(
        "no traffic at all holds and says so",
        {"last_prediction_at": None, "comparison": UNLABELLED},
        Action.HOLD,
        "No traffic yet",
        Awaits.TRAFFIC,
    ),
    Scenario(
        "traffic that stopped a day ago holds and says so",
        {"last_prediction_at": NOW - timedelta(hours=30)},
        Action.HOLD,
        "No traffic for 30 hours",
        Awaits.TRAFFIC,
        {"auto_promote": True},
    ),
    Scenario(
        "a quiet night is no reason to hold",
        {"last_prediction_at": NOW - timedelta(hours=23)},
        Action.COMPLETE,
        "Treatment is better",
        policy={"auto_promote": True},
    ),
    # Holds advise
    Scenario(
        "a paused rollout waits for a person",
        {"stage": Stage.PAUSED},
        Action.HOLD,
        "Paused by a person",
        Awaits.RESUME,
        {"auto_promote": True},
    ),
    Scenario(
        "a wrong split holds and does not roll back",
        {"comparison": SPLIT_WRONG},
        Action.HOLD,
        "Subjects are split 66.0% / 34.0% where 50.0% / 50.0% was planned",
        Awaits.REPAIR,
        {"auto_promote": True},
    ),
    Scenario(
        "a good start does not shorten the test",
        {"started_at": NOW - timedelta(hours=20)},
        Action.HOLD,
        "The test runs for at least 24 hours: 4 hours left.",
        Awaits.TIME,
        {"auto_promote": True},
    ),
    Scenario(
        "a test without a start has not run yet",
        {"started_at": None},
        Action.HOLD,
        "24 hours left",
        Awaits.TIME,
        {"auto_promote": True},
    ),
    Scenario(
        "too few labels hold",
        {"comparison": TOO_FEW},
        Action.HOLD,
        "Each arm needs 100 audit labels first.",
        Awaits.LABELS,
    ),
    Scenario(
        "no labels hold, and say how many",
        {"comparison": UNLABELLED},
        Action.HOLD,
        "Not enough data to compare the arms, about 200 more audit labels, about 10 hours.",
        Awaits.LABELS,
        {"auto_promote": True},
    ),
    # Approval last
    Scenario(
        "approval is a person's",
        {},
        Action.HOLD,
        "Ready: awaiting an ML lead's approval.",
        Awaits.APPROVAL,
    ),
    Scenario(
        "a person may judge an undecided test and is told that it is one",
        {"comparison": UNDECIDED},
        Action.HOLD,
        "Undecided: treatment is ahead by 1.0 points",
        Awaits.APPROVAL,
    ),
    Scenario(
        "an undecided test is not called ready",
        {"comparison": UNDECIDED},
        Action.HOLD,
        "Undecided so far; an ML lead may decide anyway.",
        Awaits.APPROVAL,
    ),
    Scenario(
        "an undecided test is never promoted by itself",
        {"comparison": UNDECIDED},
        Action.HOLD,
        "Promoted by itself only once it is shown to be better, or not worse.",
        Awaits.LABELS,
        {"auto_promote": True},
    ),
    Scenario(
        "a candidate shown not to be worse is promoted where the policy says so",
        {"comparison": compared((900, 1000), (905, 1000))},
        Action.COMPLETE,
        "Treatment is not worse: ahead by 0.5 points",
        policy={"auto_promote": True},
    ),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_scenario(scenario: Scenario) -> None:
    decision = decide(
        replace(HEALTHY, **scenario.change), replace(Policy(), **scenario.policy), NOW
    )
    assert decision.action is scenario.action
    assert scenario.says in " ".join(decision.reasons)
    assert decision.awaits is scenario.awaits


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_every_decision_says_why_and_every_journey_that_goes_on_when_to_look(
    scenario: Scenario,
) -> None:
    decision = decide(
        replace(HEALTHY, **scenario.change), replace(Policy(), **scenario.policy), NOW
    )
    assert decision.reasons
    assert all(reason.endswith(".") and reason[0].isupper() for reason in decision.reasons)
    ends = decision.action in (Action.ROLL_BACK, Action.COMPLETE)
    assert (decision.next_look_at is None) is ends
    assert decision.next_look_at is None or decision.next_look_at > NOW


def test_all_harms_are_named_at_once() -> None:
    decision = decide(replace(HEALTHY, comparison=HARMFUL, serving=BROKEN), Policy(), NOW)
    assert len(decision.reasons) == 2


def test_the_next_look_is_no_later_than_the_end_of_the_minimum_duration() -> None:
    nearly = replace(HEALTHY, started_at=NOW - timedelta(hours=24) + timedelta(seconds=10))
    assert decide(nearly, Policy(), NOW).next_look_at == NOW + timedelta(seconds=10)


def test_a_decision_is_kept_as_plain_json() -> None:
    decision = Decision(Action.HOLD, ("Because.",), Awaits.TIME, NOW)
    assert json.loads(json.dumps(decision.as_json())) == {
        "action": "hold",
        "reasons": ["Because."],
        "awaits": "time",
        "next_look_at": "2026-11-23T12:00:00+00:00",
    }
    assert Decision(Action.ROLL_BACK, ("Harm.",)).as_json()["next_look_at"] is None
