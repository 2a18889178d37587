"""What the rollout pages show, as finished values: sentences first, then numbers, then charts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from feedbackhub.core.models import StatusChange
from rollout import decide
from rollout.models import Rollout, RolloutEvidence
from rollout.queries import Standing
from rollout.statistics.arms import ArmCounts, ArmSummary, Verdict, summarise
from rollout.statistics.estimates import Estimate, Measured, NotEnough, from_json
from rollout.statistics.wording import duration, points, ratio, share_of_subjects
from rollout.steps import over, state

STALE_AFTER = decide.Policy().stale_after
Status = Rollout.Status

_TONES = {
    Status.WAITING: "",
    Status.AB_TEST: "info",
    Status.PAUSED: "undecided",
    Status.PROMOTED: "better",
    Status.ROLLED_BACK: "worse",
    Status.CANCELLED: "",
}
_WORDS = {
    Status.WAITING: "Put in line",
    Status.AB_TEST: "In the A/B test",
    Status.PAUSED: "Paused",
    Status.PROMOTED: "Promoted",
    Status.ROLLED_BACK: "Rolled back",
    Status.CANCELLED: "Cancelled",
}
_AWAITED = {
    "turn": "its turn",
    "measurement": "a fresh measurement",
    "traffic": "traffic",
    "repair": "a repair",
    "time": "the minimum time",
    "labels": "more audit labels",
    "approval": "an ML lead's approval",
    "resume": "someone to resume it",
}
_VERDICTS = {
    Verdict.BETTER: "better",
    Verdict.NOT_WORSE: "better",
    Verdict.WORSE: "worse",
    Verdict.UNDECIDED: "undecided",
    Verdict.NO_DATA: "undecided",
}
FIT = (Verdict.BETTER, Verdict.NOT_WORSE)


@dataclass(frozen=True)
class Badge:
    """A word with a tone that also has a shape."""

    word: str
    tone: str = ""


@dataclass(frozen=True)
class Next:
    """What happens next, and why not sooner."""

    awaited: str
    reasons: tuple[str, ...]
    look_at: datetime | None
    stale_for: str
    """How long the reconciler is overdue, in words; empty when it is on time."""


@dataclass(frozen=True)
class Cell:
    """One number of the table, or the words that stand for it, and what it rests on."""

    value: str
    details: tuple[str, ...] = ()
    """Its interval, its n."""
    is_missing: bool = False


@dataclass(frozen=True)
class ArmRow:
    """One arm of the A/B table."""

    arm: str
    version: str
    share: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Finding:
    """One line of the comparison: what was compared, what came out, and where it comes from."""

    name: str
    source: str
    value: str
    detail: str
    badge: Badge


@dataclass(frozen=True)
class Health:
    """Whether the numbers can be trusted: how old they are and how they were gathered."""

    measured_at: datetime | None
    age_seconds: int
    is_stale: bool
    age: str
    lines: tuple[tuple[Badge, str], ...]

    @property
    def tone(self) -> str:
        """Of the badge beside the age."""
        return "undecided" if self.is_stale else "better"


@dataclass(frozen=True)
class LogEntry:
    """One move of the rollout."""

    at: datetime
    became: str
    actor: str
    reason: str


COLUMNS = (
    "Audit accuracy (blind)",
    "Thumbs up (self-selected)",
    "Predictions",
    "Subjects",
    "Feedback",
    "Feedback rate",
    "Corrections",
    "Latency p50",
)


def state_badge(rollout: Rollout) -> Badge:
    """The rollout's state as a badge."""
    status = Status(rollout.status)
    word = "A/B test" if status is Status.AB_TEST else state(status)
    return Badge(word, _TONES[status])


def serving_sentence(standing: Standing) -> str:
    """Who answers whom at this moment."""
    champion, active = standing.champion, standing.active
    if champion is None:
        return "Nothing serves yet."
    if active is None or active.status == Status.PAUSED:
        said = f"{champion.name} answers everyone"
        if active is not None:
            said += f" while the test of {active.candidate.name} is paused"
    else:
        said = (
            f"{active.candidate.name} answers {share_of_subjects(active.treatment_share)}, "
            f"{champion.name} the rest"
        )
    if standing.day0 is not None:
        kept = share_of_subjects(standing.holdback_share)
        said += f"; {kept} stay on {standing.day0.name} to show what the loop pays"
    return f"{said}."


def headline(rollout: Rollout, evidence: RolloutEvidence | None) -> str:
    """The page's answer: how the rollout ended, else what the arms say, else what is awaited."""
    if ended := over(rollout):
        return ended
    if evidence is not None and rollout.status in Rollout.ACTIVE:
        return _named(rollout, evidence.comparison["sentence"])
    if rollout.status == Status.WAITING and rollout.champion is None:
        return (
            f"{rollout.candidate.name} passed its gates and would be the first to serve. Nothing "
            "is compared, because nothing serves yet: an ML lead promotes it."
        )
    if rollout.status == Status.WAITING:
        return f"{rollout.candidate.name} passed its gates and waits for its A/B test."
    return "The arms have not been measured yet."


def caution(rollout: Rollout, evidence: RolloutEvidence | None) -> str:
    """What whoever promotes a candidate under test must know; empty once it is shown to be fit."""
    if rollout.status not in Rollout.ACTIVE:
        return ""
    if evidence is not None and evidence.comparison["verdict"] in FIT:
        return ""
    return f"Not shown to be better, or not worse. {headline(rollout, evidence)}"


def next_decision(rollout: Rollout, *, now: datetime, told: str = "") -> Next | None:
    """What is awaited, when, and why it is not advancing; None once the rollout is over.

    ``told`` is what the page has said already: it is not said twice.
    """
    if over(rollout):
        return None
    decision: Mapping[str, Any] = rollout.decision
    said = (_named(rollout, reason) for reason in decision.get("reasons", ()))
    reasons = tuple(reason for reason in said if reason != told)
    if not reasons:
        reasons = ("Nobody has looked at it yet; the reconciler looks every few seconds.",)
    late = now - (rollout.decided_at or rollout.created_at)
    look_at = decision.get("next_look_at")
    return Next(
        awaited=_AWAITED.get(decision.get("awaits", ""), "the next look"),
        reasons=reasons,
        look_at=datetime.fromisoformat(look_at) if look_at else None,
        stale_for=duration(late) if late > STALE_AFTER else "",
    )


def log_entries(changes: list[StatusChange]) -> list[LogEntry]:
    """The moves of a rollout in words."""
    return [
        LogEntry(change.at, _WORDS[Status(change.to_status)], change.actor, change.reason)
        for change in changes
    ]


def summaries(evidence: RolloutEvidence | None) -> list[ArmSummary]:
    """The arms as they were counted last; empty before the first look."""
    return [summarise(ArmCounts(**counts)) for counts in evidence.arms] if evidence else []


def arm_rows(rollout: Rollout, arms: list[ArmSummary]) -> list[ArmRow]:
    """The rows of the A/B table, control first."""
    treatment = rollout.treatment_share
    # Up to one half, control is as large as treatment; the rest is outside the comparison.
    shares = {"treatment": treatment, "control": min(treatment, 1 - treatment)}
    return [
        ArmRow(
            arm=arm.counts.arm.title(),
            version=arm.counts.model_version,
            share=share_of_subjects(shares[arm.counts.arm]),
            cells=_cells(arm),
        )
        for arm in arms
    ]


def findings(evidence: RolloutEvidence) -> list[Finding]:
    """The comparison in words, the weightiest line first."""
    comparison = evidence.comparison
    verdict = Verdict(comparison["verdict"])
    audit = from_json(comparison["audit_difference"])
    ratio_found = comparison["sample_ratio"]
    return [
        Finding(
            "Audit accuracy, treatment − control",
            "A uniform random share, labelled blind; valid at every look",
            points(audit),
            f"{_n(audit)}margin {100 * comparison['margin']:g} points",
            Badge(verdict.value, _VERDICTS[verdict]),
        ),
        _self_selected(from_json(comparison["thumbs_odds_ratio"])),
        _rate_change(from_json(comparison["feedback_rate_difference"])),
        Finding(
            "Sample ratio",
            "Subjects in each arm against the plan",
            ratio_found["sentence"],
            "",
            Badge("mismatch", "worse") if ratio_found["mismatched"] else Badge("as planned"),
        ),
        *(
            Finding(
                f"Guardrail: {rail['name']}",
                "Rolls back by itself when crossed",
                rail["sentence"],
                "",
                _guardrail_badge(rail),
            )
            for rail in comparison["guardrails"]
        ),
    ]


def health(rollout: Rollout, evidence: RolloutEvidence | None, *, now: datetime) -> Health | None:
    """How fresh and sound the numbers are; None before the first look."""
    if evidence is None:
        return None
    age = max(now - evidence.computed_at, timedelta(0))
    is_over = rollout.status not in Rollout.ACTIVE
    return Health(
        measured_at=evidence.computed_at,
        age_seconds=int(age.total_seconds()),
        is_stale=age > STALE_AFTER and not is_over,
        age=duration(age),
        lines=tuple(_health_lines(evidence)),
    )


def _named(rollout: Rollout, said: str) -> str:
    """A sentence about the arms, with the candidate called by its name."""
    name = rollout.candidate.name
    return said.replace("Treatment", name).replace("treatment", name)


def _guardrail_badge(rail: Mapping[str, Any]) -> Badge:
    if rail["crossed"]:
        return Badge("harm", "worse")
    return Badge("no harm shown") if rail["known"] else Badge("no data", "undecided")


def _health_lines(evidence: RolloutEvidence) -> list[tuple[Badge, str]]:
    comparison = evidence.comparison
    found = comparison["sample_ratio"]
    lines = [
        (
            Badge("mismatch", "worse") if found["mismatched"] else Badge("sample ratio", "better"),
            found["sentence"],
        )
    ]
    rails = comparison["guardrails"]
    crossed = [rail["name"] for rail in rails if rail["crossed"]]
    if crossed:
        lines.append((Badge("harm", "worse"), f"Crossed: {', '.join(crossed)}."))
    elif rails:
        watched = " and ".join(rail["name"] for rail in rails)
        lines.append((Badge("guardrails", "better"), f"No harm shown in {watched}."))
    if left_out := comparison.get("left_out"):
        said = f"{left_out:,} predictions of the smaller stratum (with or without subject) are not"
        lines.append((Badge("left out", "undecided"), f"{said} compared."))
    return lines


def _cells(arm: ArmSummary) -> tuple[Cell, ...]:
    counts = arm.counts
    return (
        _rate(arm.audit_accuracy, "labels"),
        _rate(arm.thumbs_up_share, "thumbs"),
        Cell(f"{counts.predictions:,}"),
        Cell(f"{counts.subjects:,}"),
        Cell(f"{counts.feedback:,}"),
        _rate(arm.feedback_rate, "predictions"),
        _rate(arm.correction_rate, "feedback", count=counts.corrections),
        Cell(_ms(counts.latency_p50_ms), (f"p95 {_ms(counts.latency_p95_ms)}",)),
    )


def _rate(measured: Measured, unit: str, *, count: int | None = None) -> Cell:
    counted = "" if count is None else f"{count:,} · "
    if isinstance(measured, NotEnough):
        more = () if measured.needed is None else (f"about {measured.needed:,} more {unit}",)
        return Cell(f"{counted}not enough data", more, is_missing=True)
    interval = f"{100 * measured.low:.1f} to {100 * measured.high:.1f}"
    details = (interval, f"n {measured.n:,} {unit}")
    return Cell(f"{counted}{100 * measured.value:.1f} %", details)


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g} ms"


def _self_selected(measured: Measured) -> Finding:
    return Finding(
        "Thumbs up, odds ratio",
        "Self-selected: only those who cared to vote",
        ratio(measured),
        f"{_n(measured)}1 is no difference",
        _direction(measured, even=1.0),
    )


def _rate_change(measured: Measured) -> Finding:
    # More feedback is neither good nor bad in itself: the badge takes no side.
    told = isinstance(measured, Estimate) and not measured.low <= 0 <= measured.high
    return Finding(
        "Feedback rate, treatment − control",
        "Feedback per prediction",
        points(measured),
        _n(measured).removesuffix(" · "),
        Badge("changed", "info") if told else Badge("undecided", "undecided"),
    )


def _direction(measured: Measured, *, even: float) -> Badge:
    if isinstance(measured, NotEnough):
        return Badge("no data", "undecided")
    if measured.low > even:
        return Badge("better", "better")
    return Badge("worse", "worse") if measured.high < even else Badge("undecided", "undecided")


def _n(measured: Measured) -> str:
    return f"n {measured.n:,} · " if isinstance(measured, Estimate) else ""
