"""The demo's past, tick by tick: guests come, annotators answer, the reconcilers look.

Told through the services that the API, the pages and the workers use; no result is written by
hand. Where the story stands is read from the rows it made, so that it can be told on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from curation.models import Project, Sample
from feedbackhub.demo import annotators, bootstrap, facts, guests, reconcilers
from feedbackhub.demo.texts import Texts
from rollout import services as rollout_services
from rollout.decide import Awaits
from rollout.models import Rollout
from rollout.serving import plan as serving_plan
from training import registry
from training.models import Evaluation, ModelVersion, TrainingPolicy, TrainingRun

SHOWN_EVERY = 6
LOOKS_FOR_THE_FIRST = 3


class NoFirstChampion(Exception):
    """The first version did not pass its gates; the message says why."""


def is_told(project: Project) -> bool:
    """Whether the story has reached its end."""
    return guests.ticks_told(project=project) >= facts.PLOT.ticks


@dataclass(frozen=True)
class Story:
    """One demo, from an empty project to a decision that awaits its visitor."""

    project: Project
    texts: Texts
    seed: int
    say: Callable[[str], None]

    def tell(self, *, until: datetime) -> None:
        """Tell what is missing, with the last tick ending at ``until``."""
        start = until - facts.PLOT.length
        self._import(start)
        if registry.live_version(project_id=self.project.pk) is None:
            self._crown_the_first(start)
        crowd = guests.crowd(project=self.project, stream=self.texts.stream, seed=self.seed)
        team = annotators.team(project=self.project, truth=self.texts.truth(), seed=self.seed)
        length = facts.PLOT.length / facts.PLOT.ticks
        for tick in range(guests.ticks_told(project=self.project), facts.PLOT.ticks):
            end = start + length * (tick + 1)
            crowd.visit(tick=tick, start=end - length, length=length * 0.8)
            reconcilers.look(now=end - length * 0.2)
            team.work(tick=tick, now=end - length * 0.15)
            if tick + 1 == facts.PLOT.promoted_after:
                self._promote(end - length * 0.1)
            reconcilers.look(now=end - length * 0.05)
            if (tick + 1) % SHOWN_EVERY == 0:
                self._tell_progress(tick + 1)
        TrainingPolicy.objects.filter(project=self.project).update(
            min_new_labels=facts.MIN_NEW_LABELS_OF_VISITORS
        )
        reconcilers.look(now=until)
        self.say(_ending(self.project))

    def _import(self, now: datetime) -> None:
        if Sample.objects.filter(project=self.project).exists():
            return
        n = bootstrap.import_reviews(project=self.project, reviews=self.texts.imported, now=now)
        self.say(f"imported {n:,} labelled reviews")

    def _crown_the_first(self, now: datetime) -> None:
        """Train the first version, let the gates judge it, and promote it as the admin would."""
        self.say("training the first version")
        # Usually the first look does it all; a run that an earlier demo died in takes two.
        for _ in range(LOOKS_FOR_THE_FIRST):
            now += timedelta(minutes=1)
            reconcilers.look(now=now)
            rollout = Rollout.objects.filter(
                project=self.project, status=Rollout.Status.WAITING
            ).first()
            if rollout is not None:
                break
        else:
            raise NoFirstChampion(_why_not(self.project))
        rollout_services.promote(
            rollout=rollout,
            expected=Rollout.Status.WAITING,
            actor=facts.ADMIN.username,
            reason="The first version passed its gates; it is time to serve.",
            now=now + timedelta(minutes=1),
        )
        serving_plan.forget()
        self.say(f"{rollout.candidate.name} is the first champion")

    def _promote(self, now: datetime) -> None:
        """Let the lead promote what is under test, if the hub says it is ready for that."""
        rollout = Rollout.objects.filter(
            project=self.project, status=Rollout.Status.AB_TEST
        ).first()
        if rollout is None or rollout.decision.get("awaits") != Awaits.APPROVAL:
            return
        rollout_services.promote(
            rollout=rollout,
            expected=Rollout.Status.AB_TEST,
            actor=facts.LEAD.username,
            reason="It holds its own on delivery orders, and the gates passed.",
            now=now,
        )
        self.say(f"{rollout.candidate.name} is promoted after its A/B test")

    def _tell_progress(self, ticks: int) -> None:
        days = facts.PLOT.length.days * ticks / facts.PLOT.ticks
        asked = ticks * facts.PLOT.predictions
        versions = ModelVersion.objects.filter(project=self.project).count()
        self.say(f"day {days:.0f}: {asked:,} predictions, {versions} versions")


def _why_not(project: Project) -> str:
    evaluation = Evaluation.objects.filter(version__project=project).first()
    if evaluation is not None:
        return f"The first version was not blessed: {evaluation.summary}"
    run = TrainingRun.objects.filter(project=project).first()
    return f"There is no first version: {run.error or run.outcome if run else 'no run started'}"


def _ending(project: Project) -> str:
    """What the visitor finds to decide, as a line."""
    active = Rollout.objects.filter(project=project, status__in=Rollout.ACTIVE).first()
    if active is None or active.champion is None:
        return "No candidate is under test; label some more, and one will be"
    reasons = active.decision.get("reasons") or [""]
    return f"{active.candidate.name} is tested against {active.champion.name}. {reasons[0]}"
