"""Many answers at once, for the tests of agreement."""

import random
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from curation.digest.normalise import content_hash
from curation.labels import Belief, believe
from curation.models import Annotation, Cluster, Label, Prediction, Project, ReviewItem, Sample
from curation.models.review import Queue
from curation.models.sample import Split
from feedbackhub.core.models import User
from tests.factories import NOW, make_prediction


def make_samples(project: Project, n: int) -> list[Sample]:
    """Samples of one cluster."""
    cluster = Cluster.objects.create(project=project, split=Split.TRAIN, created_at=NOW)
    return Sample.objects.bulk_create(
        Sample(
            project=project,
            cluster=cluster,
            text=(text := f"text {uuid.uuid4()}"),
            content_hash=content_hash(text),
            origin=Sample.Origin.IMPORT,
            created_at=NOW,
        )
        for _ in range(n)
    )


def annotate(
    answers: Sequence[tuple[Sample, User, str]],
    *,
    queue: str = Queue.DISPUTED,
    at: datetime = NOW,
) -> list[Annotation]:
    """Blind answers that count, of as many annotators to a sample as name it."""
    items: dict[int, ReviewItem] = {}
    for sample, _, _ in answers:
        items.setdefault(
            sample.pk,
            ReviewItem(
                project_id=sample.project_id,
                sample=sample,
                queue=queue,
                status="done",
                needed=9,
                created_at=at,
            ),
        )
    ReviewItem.objects.bulk_create(items.values())
    return Annotation.objects.bulk_create(
        Annotation(
            item=items[sample.pk],
            sample=sample,
            user=user,
            kind=Annotation.Kind.LABEL,
            value=value,
            submission_key=uuid.uuid4(),
            submitted_at=at,
        )
        for sample, user, value in answers
    )


def answers_of(
    samples: Sequence[Sample],
    accuracies: Mapping[User, float],
    *,
    labels: Sequence[str],
    seed: int = 0,
) -> tuple[list[str], list[tuple[Sample, User, str]]]:
    """A truth for each sample, and what annotators who are right so often say of it."""
    rng = random.Random(seed)
    truths = [rng.choice(labels) for _ in samples]
    answers = []
    for sample, truth in zip(samples, truths, strict=True):
        for user, accuracy in accuracies.items():
            wrong = rng.choice([label for label in labels if label != truth])
            answers.append((sample, user, truth if rng.random() < accuracy else wrong))
    return truths, answers


def believe_first(given: Sequence[Annotation], *, quality: float = 0.85) -> None:
    """Labels that rest on the first annotator's answer to each sample."""
    first = {each.sample_id: each for each in reversed(given)}
    beliefs = [
        Belief(sample_id, each.value, Label.Origin.ANNOTATION, quality, ["So."], (), [each.pk])
        for sample_id, each in sorted(first.items())
    ]
    believe(beliefs=beliefs, now=NOW)


def predict(samples: Sequence[Sample], values: Sequence[str], *, sure: float = 0.8) -> None:
    """A served answer behind each sample, with its probabilities."""
    for sample, value in zip(samples, values, strict=True):
        names = sample.project.label_names()
        rest = (1 - sure) / (len(names) - 1)
        made: Prediction = make_prediction(
            sample.project,
            text=sample.text or "",
            label=value,
            probabilities={name: sure if name == value else rest for name in names},
        )
        sample.prediction_id = made.pk
    Sample.objects.bulk_update(samples, ["prediction_id"])
