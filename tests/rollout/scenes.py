"""Rollouts in the states that people meet, with the rows that the reconcilers would have left."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from math import log

from curation.models import Project
from feedbackhub.core.models import User
from feedbackhub.core.roles import Role
from feedbackhub.core.transitions import record
from rollout import services
from rollout.decide import Evidence, Serving, Stage, decide
from rollout.decide import Policy as Terms
from rollout.models import Rollout, RolloutEvidence
from rollout.statistics.arms import ArmCounts, Comparison, Plan, as_json, compare
from rollout.statistics.sequential import EProcess, guardrail
from tests.factories import NOW, make_member, make_project, make_rollout, make_version
from training.models import Evaluation, GateResult, ModelVersion

Status = Rollout.Status


@dataclass(frozen=True)
class Scene:
    """A project with a champion, a blessed candidate, their rollout and a lead."""

    project: Project
    champion: ModelVersion | None
    candidate: ModelVersion
    rollout: Rollout
    lead: User


def make_scene(*, status: str = Status.AB_TEST, first: bool = False, slug: str = "") -> Scene:
    """A blessed candidate in ``status``; ``first`` leaves out the champion."""
    project = make_project(slug=slug)
    champion = None if first else make_live(project)
    candidate = make_blessed(project, against=champion)
    rollout = make_rollout(candidate, champion, status=status)
    record(rollout, from_status="", to=Status.WAITING, actor="advance", now=rollout.created_at)
    if status != Status.WAITING:
        record(
            rollout,
            from_status=Status.WAITING,
            to=status,
            actor="advance",
            reason="Passed its gates and no other candidate is under test: the A/B test starts.",
            now=rollout.created_at,
        )
    lead = make_member(project, Role.LEAD)
    return Scene(project, champion, candidate, rollout, lead)


def make_live(project: Project) -> ModelVersion:
    """A version that serves, with the history of having been promoted."""
    version = make_version(project)
    record(
        version, from_status="blessed", to="live", actor="ada", reason="It was the first.", now=NOW
    )
    return version


def make_blessed(project: Project, *, against: ModelVersion | None) -> ModelVersion:
    """A version that passed its gates against ``against``."""
    version = make_version(project, status=ModelVersion.Status.BLESSED, flipped=against is not None)
    evaluation = Evaluation.objects.create(
        version=version,
        champion=against,
        verdict="blessed",
        summary=f"{version.name} passed every gate.",
        n_test=612,
        test_digest="0" * 64,
        metrics={},
        policy={"delta": 0.05},
        created_at=NOW,
    )
    for gate, summary in (
        ("artifact", "Loads in a fresh process and answers ten queries within 300 s."),
        ("floor", "Macro-F1 0.912 and the lowest recall 0.887, above their floors, n = 612."),
        (
            "non_inferior",
            "Not worse. Accuracy changes by +3.1 points (+0.9 to +5.3) against the champion; the "
            "margin is -5.0, n = 612.",
        ),
    ):
        GateResult.objects.create(
            evaluation=evaluation, gate=gate, status="passed", summary=summary
        )
    return version


def measure(
    scene: Scene, *, now: datetime, labels: int = 300, gain: float = 0.07, harm: bool = False
) -> Comparison:
    """Leave a look at the arms, and the decision it led to, as the reconciler would."""
    comparison = _compare(scene, labels, gain, harm)
    counts = [asdict(comparison.control.counts), asdict(comparison.treatment.counts)]
    RolloutEvidence.objects.create(
        rollout=scene.rollout,
        computed_at=now,
        arms=counts,
        comparison={**as_json(comparison), "cost_ms": 3.0, "left_out": 0},
    )
    evidence = Evidence(
        stage=Stage.AB_TEST,
        measured_at=now,
        started_at=scene.rollout.started_at,
        comparison=comparison,
        serving=Serving(requests=4000, errors=0),
        last_prediction_at=now,
    )
    decision = decide(evidence, Terms(minimum_duration=timedelta(0)), now)
    Rollout.objects.filter(pk=scene.rollout.pk).update(decision=decision.as_json(), decided_at=now)
    scene.rollout.refresh_from_db()
    return comparison


def address(scene: Scene, step: str = "") -> str:
    """Where the page of the rollout is, or that of one of its steps."""
    path = f"/rollouts/{scene.project.slug}/{scene.rollout.pk}/"
    return f"{path}{step}/" if step else path


def fresh(scene: Scene) -> Rollout:
    """The rollout as it is stored now."""
    return Rollout.objects.select_related("project", "candidate", "champion").get(
        pk=scene.rollout.pk
    )


def names_of_live(project: Project) -> list[str]:
    """The versions that are live; one, or there is something wrong."""
    live = ModelVersion.objects.filter(project=project, status=ModelVersion.Status.LIVE)
    return [version.name for version in live]


def end_another(scene: Scene) -> None:
    """Leave another rollout of the project behind, over and done with."""
    candidate = make_blessed(scene.project, against=scene.champion)
    opened = services.open_rollout(candidate=candidate, actor="advance", now=NOW)
    services.cancel(rollout=opened, actor="bob", reason="Not wanted.", now=NOW)


def _compare(scene: Scene, labels: int, gain: float, harm: bool) -> Comparison:
    champion = scene.champion.name if scene.champion else ""
    return compare(
        control=_arm("control", champion, labels, 0.82),
        treatment=_arm("treatment", scene.candidate.name, labels, 0.82 + gain),
        plan=Plan(minimum_labels=100, margin=0.05),
        labels_per_hour=45.0,
        guardrails=(
            guardrail(
                name="thumbs-down rate",
                process=EProcess(0.5, 420, 94, 410, 60, 0.0, log(90) if harm else log(1.4)),
                alpha=0.025,
            ),
            guardrail(name="audit error rate", process=EProcess(), alpha=0.025),
        ),
    )


def _arm(arm: str, version: str, labels: int, accuracy: float) -> ArmCounts:
    feedback = round(1.4 * labels)
    up = round(feedback * accuracy)
    return ArmCounts(
        arm=arm,
        model_version=version,
        predictions=14 * labels,
        subjects=3 * labels,
        feedback=feedback,
        up=up,
        down=feedback - up,
        corrections=round(0.4 * (feedback - up)),
        audit_labelled=labels,
        audit_correct=round(labels * accuracy),
        latency_p50_ms=0.081,
        latency_p95_ms=0.164,
    )
