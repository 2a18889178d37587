"""Questions about rollouts: what serves, what was tried, and what was found."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db.models import OuterRef, QuerySet, Subquery

from curation.models import Project
from feedbackhub.core.models import StatusChange
from feedbackhub.core.sql import fetch, statements
from feedbackhub.core.transitions import history
from rollout.charts import MOST_POINTS, EffectPoint
from rollout.models import Rollout, RolloutEvidence, RolloutPolicy
from rollout.statistics.estimates import from_json
from training import registry
from training.models import Evaluation, ModelVersion

_SQL = statements(Path(__file__).with_suffix(".sql"))


@dataclass(frozen=True)
class Standing:
    """What serves a project at this moment."""

    champion: ModelVersion | None
    active: Rollout | None
    """The rollout under test or paused."""
    day0: ModelVersion | None
    """What the held-back subjects get; None when nobody is held back."""
    holdback_share: float


@dataclass(frozen=True)
class Reign:
    """One time a version became champion."""

    at: datetime
    number: int
    actor: str
    reason: str
    was_put_back: bool
    """Whether a rollback brought it back, rather than a promotion."""

    @property
    def name(self) -> str:
        """The version, as it is called everywhere: ``v14``."""
        return f"v{self.number}"


@dataclass(frozen=True)
class _Look:
    at: datetime
    difference: str


def standing(*, project: Project) -> Standing:
    """Who answers whom; three queries."""
    policy = RolloutPolicy.objects.filter(project=project).select_related("day0_version").first()
    held_back = policy is not None and policy.holdback_share > 0
    return Standing(
        champion=registry.live_version(project_id=project.pk),
        active=rollouts(project=project).filter(status__in=Rollout.ACTIVE).first(),
        day0=policy.day0_version if policy and held_back else None,
        holdback_share=policy.holdback_share if policy and held_back else 0.0,
    )


def rollouts(*, project: Project) -> QuerySet[Rollout]:
    """The project's rollouts with their versions, latest first."""
    return (
        Rollout.objects.filter(project=project)
        .select_related("project", "candidate", "champion")
        .order_by("-created_at", "-id")
    )


def ended(*, project: Project, most: int = 50) -> QuerySet[Rollout]:
    """The latest finished rollouts, each with who ended it and why; one query."""
    last = StatusChange.objects.filter(
        kind=Rollout._meta.label_lower, object_id=OuterRef("pk")
    ).order_by("-at", "-id")
    open_states = [Rollout.Status.WAITING, *Rollout.ACTIVE]
    return (
        rollouts(project=project)
        .exclude(status__in=open_states)
        .annotate(
            ended_by=Subquery(last.values("actor")[:1]),
            ended_because=Subquery(last.values("reason")[:1]),
        )
    )[:most]


def champions(*, project: Project, most: int = 50) -> list[Reign]:
    """Every time a version went live, latest first; one query."""
    return fetch(_SQL["champions"], {"project_id": project.pk, "most": most}, into=Reign)


def latest_evidence(*, rollout: Rollout) -> RolloutEvidence | None:
    """The latest look at the arms, or None before the first."""
    return rollout.evidence.order_by("-computed_at", "-id").first()


def effect_points(*, rollout: Rollout, most: int = MOST_POINTS) -> list[EffectPoint]:
    """The audit difference at about ``most`` looks, the first and the latest among them."""
    looks = fetch(_SQL["looks"], {"rollout_id": rollout.pk, "most": most}, into=_Look)
    return [EffectPoint(look.at, from_json(json.loads(look.difference))) for look in looks]


def latest_evaluation(*, version: ModelVersion) -> Evaluation | None:
    """What the gates said of a version last, with each gate's result; two queries."""
    return (
        version.evaluations.select_related("champion")
        .prefetch_related("gate_results")
        .order_by("-created_at", "-id")
        .first()
    )


def event_log(*, rollout: Rollout) -> list[StatusChange]:
    """Every move of the rollout, latest first."""
    return list(history(rollout).order_by("-at", "-id"))
