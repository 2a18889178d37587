"""What the training pages show, as finished values: sentences first, then numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from training.gates.base import EACH_LOOK
from training.models import Evaluation, GateResult, ModelVersion, Snapshot, TrainingRun

Run = TrainingRun.Status
Version = ModelVersion.Status

_RUN_TONES = {Run.QUEUED: "info", Run.RUNNING: "info", Run.FAILED: "worse"}
_VERSION_TONES = {
    Version.CANDIDATE: "info",
    Version.BLESSED: "better",
    Version.REJECTED: "worse",
    Version.INSUFFICIENT: "undecided",
    Version.LIVE: "live",
    Version.QUARANTINED: "worse",
}
_GATE_TONES = {
    GateResult.Status.PASSED: "better",
    GateResult.Status.FAILED: "worse",
    GateResult.Status.INSUFFICIENT: "undecided",
}
_TRIGGERS = {"first": "First labels", "labels": "New labels", "age": "Age", "button": "By hand"}
# Whose word a label rests on, as people say it.
_ORIGINS = {"import": "imported", "feedback": "from thumbs", "annotation": "from annotators"}


@dataclass(frozen=True)
class Badge:
    """A status word with its tone."""

    word: str
    tone: str


@dataclass(frozen=True)
class RunRow:
    """One run in the list."""

    run: TrainingRun
    badge: Badge
    trigger: str
    duration: str
    labels: str
    said: str
    """What it is doing, what came of it, or why it failed."""
    version: ModelVersion | None


@dataclass(frozen=True)
class VersionRow:
    """One version in the list."""

    version: ModelVersion
    badge: Badge
    accuracy: str
    n_test: int | None
    said: str


@dataclass(frozen=True)
class GateRow:
    """One gate of an evaluation."""

    name: str
    badge: Badge
    said: str
    is_required: bool


@dataclass(frozen=True)
class Stat:
    """One number with what it rests on."""

    label: str
    value: str
    interval: str = ""
    n: str = ""
    source: str = ""
    needs: str = ""


@dataclass(frozen=True)
class Confusion:
    """One model's answers by true label."""

    name: str
    classes: Sequence[str]
    rows: Sequence[tuple[str, Sequence[int]]]
    """True label, and how often each label was the answer."""


@dataclass(frozen=True)
class ClassRow:
    """One label, as the candidate and the champion answer it."""

    name: str
    support: int
    candidate: Sequence[str]
    """Precision, recall and F1."""
    champion: Sequence[str]


def run_badge(run: TrainingRun, *, made_version: bool) -> Badge:
    """How a run stands, in a word."""
    if run.status == Run.SUCCEEDED:
        return Badge("made a version", "better") if made_version else Badge("nothing new", "")
    return Badge(run.get_status_display().lower(), _RUN_TONES.get(Run(run.status), ""))


def version_badge(version: ModelVersion) -> Badge:
    """How a version stands, in a word."""
    word = version.get_status_display().lower()
    return Badge(word, _VERSION_TONES.get(Version(version.status), ""))


def run_row(run: TrainingRun, *, now: datetime) -> RunRow:
    """A run as a line of the list."""
    version: ModelVersion | None = getattr(run, "version", None)
    return RunRow(
        run=run,
        badge=run_badge(run, made_version=version is not None),
        trigger=_TRIGGERS.get(run.trigger, run.trigger),
        duration=_duration_of(run, now),
        labels=split_sentence(run.snapshot) if run.snapshot else "",
        said=_said_of(run, version),
        version=version,
    )


def version_row(version: ModelVersion, evaluation: Evaluation | None) -> VersionRow:
    """A version as a line of the list."""
    measured = evaluation.metrics.get("candidate") if evaluation else None
    return VersionRow(
        version=version,
        badge=version_badge(version),
        accuracy=_share_with_interval(measured),
        n_test=evaluation.n_test if evaluation else None,
        said=evaluation.summary if evaluation else "Not judged yet.",
    )


def activity(run: TrainingRun, *, now: datetime) -> str:
    """What an active run is doing, as the sentence of the page."""
    if run.status == Run.QUEUED:
        since = _span(now - run.created_at)
        again = f" Attempt {run.attempt} was lost with its worker." if run.attempt else ""
        return f"Run {run.pk} has waited {since} for a worker.{again} {run.reason}"
    return f"Run {run.pk} is at work: {run.step}. {run.reason}"


def wait_sentence(version: ModelVersion, *, missing: int | None) -> str:
    """When an undecided version is judged again; nothing for any other."""
    if missing is None:
        return ""
    if missing == 0:
        return f"{version.name} is judged again by itself within minutes."
    further = (
        "1 further test label has" if missing == 1 else f"{missing:,} further test labels have"
    )
    return (
        f"{version.name} is judged again when {further} come, from the audit queue or by import, "
        "or when a newer version takes its place."
    )


def split_sentence(snapshot: Snapshot) -> str:
    """How many labels a snapshot trains on and holds out: "120 to learn, 40 to test"."""
    counts = snapshot.counts
    return f"{counts['train']['n']:,} to learn, {counts['test']['n']:,} to test"


def origins_sentence(origins: Mapping[str, int]) -> str:
    """Whose word labels rest on: "90 imported, 30 from thumbs"."""
    parts = [f"{n:,} {_ORIGINS.get(origin, origin)}" for origin, n in origins.items()]
    return ", ".join(parts) or "none"


def gate_rows(evaluation: Evaluation) -> list[GateRow]:
    """The gates of an evaluation, in their order."""
    return [
        GateRow(
            name=result.gate.replace("_", "-"),
            badge=Badge(
                result.get_status_display().lower(), _GATE_TONES[GateResult.Status(result.status)]
            )
            if result.is_required or result.evidence.get("applies", True)
            else Badge("does not apply", ""),
            said=result.summary,
            is_required=result.is_required,
        )
        for result in evaluation.gate_results.all()
    ]


def stats(evaluation: Evaluation) -> list[Stat]:
    """The numbers an evaluation decided on, with what they rest on."""
    measured: dict[str, Any] = evaluation.metrics.get("candidate") or {}
    n = f"{evaluation.n_test:,} test labels"
    source = origins_sentence(evaluation.metrics.get("test_origins", {}))
    accuracy = _percent(measured.get("accuracy"))
    found = [
        Stat("Accuracy", accuracy, _interval(measured), n, source, "test labels are missing"),
        Stat("Macro-F1", _decimal(measured.get("macro_f1")), "", n),
        Stat("Calibration error", _percent(measured.get("ece")), "", n),
    ]
    compared = _paired(evaluation)
    return [*found[:1], compared, *found[1:]] if compared else found


def confusions(evaluation: Evaluation, *, candidate: str) -> list[Confusion]:
    """The candidate's and the champion's confusion matrices."""
    champion = evaluation.champion.name if evaluation.champion else ""
    return [
        Confusion(
            name=name,
            classes=evaluation.metrics["classes"],
            rows=[
                (label, [round(cell) for cell in cells])
                for label, cells in zip(
                    evaluation.metrics["classes"], measured["confusion"], strict=True
                )
            ],
        )
        for name, measured in (
            (candidate, evaluation.metrics.get("candidate")),
            (champion, evaluation.metrics.get("champion")),
        )
        if measured and measured["n"]
    ]


def class_rows(evaluation: Evaluation) -> list[ClassRow]:
    """Precision, recall and F1 of each label, for both models."""
    candidate = evaluation.metrics.get("candidate") or {"classes": {}}
    champion = evaluation.metrics.get("champion") or {"classes": {}}
    return [
        ClassRow(
            name=name,
            support=measured["support"],
            candidate=_scores(measured),
            champion=_scores(champion["classes"].get(name)),
        )
        for name, measured in candidate["classes"].items()
    ]


def _scores(measured: Mapping[str, Any] | None) -> list[str]:
    if measured is None:
        return []
    return [_percent(measured[name]) or "–" for name in ("precision", "recall", "f1")]


def _paired(evaluation: Evaluation) -> Stat | None:
    results = {result.gate: result for result in evaluation.gate_results.all()}
    evidence = results["non_inferior"].evidence if "non_inferior" in results else {}
    if "difference" not in evidence or evaluation.champion is None:
        return None
    low, high = _points(evidence["low"]), _points(evidence["high"])
    return Stat(
        label=f"Accuracy against {evaluation.champion.name}",
        value=f"{_points(evidence['difference'])} points",
        interval=f"{low} to {high}, {EACH_LOOK}; judged {_times(evidence.get('look', 1))}",
        n=f"{evidence['b']:,} better, {evidence['c']:,} worse of {evidence['n']:,}",
        source=f"margin −{100 * evidence['delta']:.1f}",
    )


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n:,} times"


def _said_of(run: TrainingRun, version: ModelVersion | None) -> str:
    if run.status == Run.RUNNING:
        return f"{run.step}, attempt {run.attempt}" if run.attempt > 1 else run.step
    if version is not None and run.status == Run.SUCCEEDED:
        return ""  # The version's own line says it.
    return run.error or run.outcome


def _duration_of(run: TrainingRun, now: datetime) -> str:
    if run.started_at is None:
        return ""
    return _span((run.finished_at or now) - run.started_at)


def _span(span: timedelta) -> str:
    seconds = max(0, round(span.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _share_with_interval(measured: Mapping[str, Any] | None) -> str:
    if not measured or measured["accuracy"] is None:
        return ""
    return f"{_percent(measured['accuracy'])} ({_interval(measured)})"


def _interval(measured: Mapping[str, Any]) -> str:
    interval = measured.get("accuracy_interval")
    return f"{100 * interval['low']:.1f} to {100 * interval['high']:.1f}" if interval else ""


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def _decimal(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _points(difference: float) -> str:
    text = f"{100 * difference:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", "−")
