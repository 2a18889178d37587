"""The steps a person may take with a rollout: in words, when they are refused, and taken.

The page and the API offer the same steps with the same reasons; the services do the work.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from feedbackhub.core.transitions import StaleTransition
from rollout import services
from rollout.models import Rollout
from rollout.queries import Standing, event_log
from rollout.statistics.wording import share_of_subjects
from training.artifacts import BadArtifact
from training.models import ModelVersion
from training.registry import NeverLive

Status = Rollout.Status


class Step(StrEnum):
    """What a person may do with a rollout; the last part of its address."""

    START = "start"
    PROMOTE = "promote"
    ROLL_BACK = "rollback"
    PAUSE = "pause"
    RESUME = "resume"


class Refused(Exception):
    """The step cannot be taken now; the message says why and what to do."""


@dataclass(frozen=True)
class Offer:
    """One step as it stands: what the button says, what it would do, why it is off."""

    step: Step
    label: str
    """Verb and object, with the exact version: "Promote v4"."""
    consequence: str
    refusal: str = ""
    """Why the step cannot be taken now; empty when it can."""

    @property
    def is_dangerous(self) -> bool:
        """Whether it takes something away from subjects."""
        return self.step is Step.ROLL_BACK


_SERVICES: dict[Step, Callable[..., None]] = {
    Step.START: services.start,
    Step.PROMOTE: services.promote,
    Step.ROLL_BACK: services.roll_back,
    Step.PAUSE: services.pause,
    Step.RESUME: services.resume,
}
# What is offered in each status; nothing once the candidate is out.
_OFFERED: dict[str, tuple[Step, ...]] = {
    Status.WAITING: (Step.PROMOTE, Step.START),
    Status.AB_TEST: (Step.PROMOTE, Step.ROLL_BACK, Step.PAUSE),
    Status.PAUSED: (Step.PROMOTE, Step.ROLL_BACK, Step.RESUME),
    Status.PROMOTED: (Step.ROLL_BACK,),
}


def offers(*, rollout: Rollout, standing: Standing, refusal: str = "") -> list[Offer]:
    """The steps to show, the next one first; ``refusal`` bars them all (the wrong role)."""
    steps = _OFFERED.get(rollout.status, ())
    if rollout.status == Status.WAITING and standing.champion is None:
        steps = (Step.PROMOTE,)
    return [offer(step, rollout=rollout, standing=standing, refusal=refusal) for step in steps]


def offer(step: Step, *, rollout: Rollout, standing: Standing, refusal: str = "") -> Offer:
    """One step of a rollout in words, whether or not it can be taken now."""
    return Offer(
        step=step,
        label=_label(step, rollout),
        consequence=_consequence(step, rollout, standing.champion),
        refusal=refusal or _refusal(step, rollout, standing),
    )


def next_step(*, rollout: Rollout, standing: Standing) -> Step:
    """The one step forward. Raises :class:`Refused` when the journey is over."""
    if rollout.status == Status.WAITING:
        return Step.START if standing.champion else Step.PROMOTE
    forward = {Status.AB_TEST: Step.PROMOTE, Status.PAUSED: Step.RESUME}
    for status, step in forward.items():
        if rollout.status == status:
            return step
    raise Refused(f"{over(rollout)} There is no next step.")


def take(
    step: Step, *, rollout: Rollout, expected: str, actor: str, reason: str, now: datetime
) -> None:
    """Take one step of a rollout believed to be in status ``expected``.

    Raises :class:`~feedbackhub.core.transitions.StaleTransition` when the rollout has moved, and
    :class:`Refused` for every other refusal.
    """
    if rollout.status != expected:
        raise StaleTransition(f"It is {state(rollout.status)} by now.")
    if step not in _OFFERED.get(rollout.status, ()):
        raise Refused(_not_while(step, rollout))
    try:
        _SERVICES[step](rollout=rollout, expected=expected, actor=actor, reason=reason, now=now)
    except (services.CannotPromote, services.CannotRollBack, NeverLive) as refusal:
        raise Refused(str(refusal)) from refusal
    except BadArtifact as refusal:
        raise Refused(f"The model file cannot be served: {refusal}") from refusal


def state(status: str) -> str:
    """A status as it reads in a sentence: "in its A/B test", "rolled back"."""
    return "in its A/B test" if status == Status.AB_TEST else status.replace("_", " ")


def moved_on(rollout: Rollout, *, stale: StaleTransition, expected: str) -> str:
    """What to tell a person whose view of the rollout was out of date."""
    rollout.refresh_from_db()
    last = event_log(rollout=rollout)[:1]
    if rollout.status == expected or not last:
        return f"The rollout has moved on: {stale} Look again."
    change = last[0]
    return (
        f"The rollout has moved on: it is {state(rollout.status)} by now "
        f"({change.actor}: “{change.reason}”). Look again."
    )


def done(step: Step, rollout: Rollout) -> str:
    """What has just happened, for the person who did it."""
    candidate = rollout.candidate.name
    champion = rollout.champion.name if rollout.champion else ""
    return {
        Step.START: f"The A/B test of {candidate} has begun.",
        Step.PROMOTE: f"{candidate} is champion and answers every subject.",
        Step.ROLL_BACK: f"{champion} answers every subject again; {candidate} is quarantined.",
        Step.PAUSE: f"The test of {candidate} is paused; {champion} answers every subject.",
        Step.RESUME: f"The test of {candidate} goes on.",
    }[step]


def over(rollout: Rollout) -> str:
    """A finished rollout in words; empty while it goes on."""
    name = rollout.candidate.name
    ends = {
        Status.PROMOTED: f"{name} was promoted.",
        Status.ROLLED_BACK: f"{name} was rolled back and is never proposed again.",
        Status.CANCELLED: f"The rollout of {name} was cancelled.",
    }
    return ends.get(Status(rollout.status), "")


def _not_while(step: Step, rollout: Rollout) -> str:
    return f"{_label(step, rollout)}: not possible while the rollout is {state(rollout.status)}."


def _label(step: Step, rollout: Rollout) -> str:
    candidate = rollout.candidate.name
    back = f"Roll back to {rollout.champion.name}" if rollout.champion else f"Roll back {candidate}"
    return {
        Step.START: f"Start the A/B test of {candidate}",
        Step.PROMOTE: f"Promote {candidate}",
        Step.ROLL_BACK: back,
        Step.PAUSE: f"Pause the test of {candidate}",
        Step.RESUME: f"Resume the test of {candidate}",
    }[step]


def _consequence(step: Step, rollout: Rollout, live: ModelVersion | None) -> str:
    candidate = rollout.candidate.name
    if step is Step.ROLL_BACK and rollout.champion is None:
        return "No earlier version could answer in its place."
    champion = rollout.champion or live
    if champion is None:
        return (
            f"{candidate} becomes the first champion and answers every subject from the next "
            "request on. Nothing is compared, because nothing serves yet; its gates have passed."
        )
    was = champion.name
    share = share_of_subjects(rollout.treatment_share)
    return {
        Step.START: f"{candidate} answers {share}; {was} answers the rest. Each subject keeps "
        "one version for the whole test.",
        Step.PROMOTE: f"{candidate} replaces {was} and answers every subject within two seconds. "
        f"{was} is kept: you can roll back to it with one click.",
        Step.ROLL_BACK: f"{was} answers every subject within two seconds. {candidate} is "
        "quarantined: neither it nor an identical model is proposed again.",
        Step.PAUSE: f"{was} answers every subject until someone resumes. The arms and what was "
        "measured are kept.",
        Step.RESUME: f"{candidate} answers {share} again, the same ones as before.",
    }[step]


def _refusal(step: Step, rollout: Rollout, standing: Standing) -> str:
    candidate = rollout.candidate
    if step not in _OFFERED.get(rollout.status, ()):
        return _not_while(step, rollout)
    if rollout.status == Status.WAITING and standing.champion is not None:
        if step is Step.PROMOTE:
            return f"{candidate.name} has served no traffic yet; start its A/B test first."
        if step is Step.START and standing.active is not None:
            return f"The test of {standing.active.candidate.name} must end first."
    if step is Step.ROLL_BACK and rollout.status == Status.PROMOTED:
        if candidate.status != ModelVersion.Status.LIVE:
            return f"{candidate.name} is not live any more; roll back the version that is."
        if rollout.champion is None:
            return f"{candidate.name} is the first champion: nothing to go back to."
    return ""
