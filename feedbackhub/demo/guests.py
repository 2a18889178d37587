"""Simulated guests: they ask for predictions and press thumbs, through the services REST uses."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from curation.intake.landing import land_feedback
from curation.intake.schemas import FeedbackRequest, PredictionRequest
from curation.models import Prediction, Project, Source
from feedbackhub.demo import facts
from feedbackhub.demo.corpus import Review
from feedbackhub.demo.eras import Label
from feedbackhub.demo.subjects import Subject, make_subjects, react
from rollout.serving.service import Served, predict

MARK = "demo_tick"
"""In the metadata of every simulated prediction: which tick of the demo it belongs to."""
VISITS = 6
"""Moments within a tick at which guests come."""
THINKING = timedelta(seconds=40)


@dataclass(frozen=True)
class Crowd:
    """The demo's guests and what they write, all fixed by a seed."""

    project: Project
    source: Source
    subjects: Sequence[Subject]
    stream: Sequence[Review]
    seed: int

    def visit(self, *, tick: int, start: datetime, length: timedelta) -> int:
        """Let guests come during one tick; how many thumbs were pressed.

        All or nothing, so that a demo killed in the middle of a tick starts that tick anew.
        """
        rng = random.Random(f"guests:{self.seed}:{tick}")  # noqa: S311 a demo is no secret
        each = facts.PLOT.predictions
        reviews = self.stream[tick * each : (tick + 1) * each]
        thumbs = 0
        with transaction.atomic():
            for visit in range(VISITS):
                now = start + length * (visit + rng.random()) / VISITS
                thumbs += self._come(tick, visit, reviews[visit::VISITS], rng, now)
        return thumbs

    def _come(
        self, tick: int, visit: int, reviews: Sequence[Review], rng: random.Random, now: datetime
    ) -> int:
        guests = [rng.choice(self.subjects) for _ in reviews]
        served = predict(
            project=self.project,
            source_id=self.source.pk,
            items=[
                PredictionRequest(text=review.text, subject=guest.name, metadata={MARK: tick})
                for guest, review in zip(guests, reviews, strict=True)
            ],
            now=now,
        )
        thumbs = [
            thumb
            for place, (guest, review, answer) in enumerate(
                zip(guests, reviews, served, strict=True)
            )
            for thumb in _thumb(f"demo-{tick:03d}-{visit}-{place:03d}", guest, review, answer, rng)
        ]
        land_feedback(
            project=self.project, source_id=self.source.pk, events=thumbs, now=now + THINKING
        )
        return len(thumbs)


def crowd(*, project: Project, stream: Sequence[Review], seed: int) -> Crowd:
    """The guests of a project."""
    return Crowd(
        project=project,
        source=Source.objects.get(project=project, name=facts.SOURCE),
        subjects=make_subjects(n=facts.PLOT.subjects, seed=seed, eagerness=facts.PLOT.eagerness),
        stream=stream,
        seed=seed,
    )


def ticks_told(*, project: Project) -> int:
    """How many ticks of guests there were: read from the last simulated prediction."""
    last = (
        Prediction.objects.filter(project_id=project.pk, metadata__has_key=MARK)
        .order_by("-id")
        .first()
    )
    return int(last.metadata[MARK]) + 1 if last and last.metadata else 0


def _thumb(
    event_id: str, guest: Subject, review: Review, answer: Served, rng: random.Random
) -> Iterator[FeedbackRequest]:
    """The thumb a guest presses, if any."""
    predicted: Label = "positive" if answer.label == "positive" else "negative"
    reaction = react(guest, review=review, predicted=predicted, rng=rng)
    if reaction is not None:
        yield FeedbackRequest(
            event_id=event_id,
            rating=reaction.rating,
            prediction_id=answer.prediction_id,
            corrected_label=reaction.corrected_label,
            comment=reaction.comment,
            subject=guest.name,
        )
