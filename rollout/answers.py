"""How a rollout reads over the REST API; the types also describe it in the OpenAPI document."""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from rollout.models import Rollout, RolloutEvidence
from rollout.steps import Offer

State = Annotated[
    str, msgspec.Meta(description=f"One of {', '.join(Rollout.Status.values)}.", max_length=12)
]


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What the last look decided."""

    action: str = ""
    awaits: str = ""
    reasons: list[str] = []
    next_look_at: datetime | None = None


class StepAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A step a person may take, or why not now."""

    step: str
    label: str
    consequence: str
    allowed: bool
    refusal: str


class RolloutAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The journey of one candidate."""

    id: int
    state: State
    candidate: str
    champion: str | None
    treatment_share: float
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    decision: Decision
    decided_at: datetime | None


class RolloutDetail(RolloutAnswer, frozen=True, kw_only=True):
    """A rollout with its evidence and the steps it may take."""

    steps: list[StepAnswer]
    measured_at: datetime | None
    arms: list[dict[str, Any]]
    comparison: dict[str, Any]


class RolloutList(msgspec.Struct, frozen=True, kw_only=True):
    """Rollouts, latest first."""

    results: list[RolloutAnswer]
    next_before: int | None
    """Pass it as `before` for the ones that came earlier; null at the end."""


def rollout_answer(rollout: Rollout) -> RolloutAnswer:
    """A rollout in a list."""
    return RolloutAnswer(**_fields(rollout))


def rollout_detail(
    rollout: Rollout, *, evidence: RolloutEvidence | None, offers: list[Offer]
) -> RolloutDetail:
    """A rollout on its own."""
    return RolloutDetail(
        **_fields(rollout),
        steps=[
            StepAnswer(
                step=offer.step,
                label=offer.label,
                consequence=offer.consequence,
                allowed=not offer.refusal,
                refusal=offer.refusal,
            )
            for offer in offers
        ],
        measured_at=evidence.computed_at if evidence else None,
        arms=evidence.arms if evidence else [],
        comparison=evidence.comparison if evidence else {},
    )


def _fields(rollout: Rollout) -> dict[str, Any]:
    return {
        "id": rollout.pk,
        "state": str(rollout.status),
        "candidate": rollout.candidate.name,
        "champion": rollout.champion.name if rollout.champion else None,
        "treatment_share": rollout.treatment_share,
        "created_at": rollout.created_at,
        "started_at": rollout.started_at,
        "finished_at": rollout.finished_at,
        "decision": msgspec.convert(rollout.decision, Decision),
        "decided_at": rollout.decided_at,
    }
