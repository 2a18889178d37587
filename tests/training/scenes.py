"""Labelled texts for training tests: many valid rows in a few statements."""

import itertools
import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from curation.digest.normalise import content_hash
from curation.models import Cluster, Label, Project, Sample
from curation.models.sample import Split
from tests import factories
from tests.factories import NOW

PRAISE = ("lovely", "tasty", "fresh", "warm", "friendly", "generous", "crisp", "delightful")
BLAME = ("cold", "rude", "bland", "stale", "dirty", "slow", "greasy", "overpriced")
THINGS = ("soup", "staff", "fish", "bread", "room", "dessert", "coffee", "music", "wine", "rice")

_serial = itertools.count(1)


def review(rng: random.Random, value: str) -> str:
    """A short restaurant review that means ``value``; every one is distinct."""
    words = PRAISE if value == "positive" else BLAME
    parts = [f"{rng.choice(words)} {rng.choice(THINGS)}" for _ in range(3)]
    return f"{', '.join(parts)}, visit {next(_serial)}"


def label_texts(
    project: Project,
    texts: Sequence[tuple[str, str]],
    *,
    split: str = Split.TRAIN,
    origin: str = Label.Origin.IMPORT,
    quality: float = 0.9,
    now: datetime = NOW,
) -> list[Label]:
    """Samples with these (text, value) labels, each in a cluster of its own."""
    clusters = Cluster.objects.bulk_create(
        Cluster(project=project, split=split, created_at=now) for _ in texts
    )
    samples = Sample.objects.bulk_create(
        Sample(
            project=project,
            cluster=cluster,
            text=text,
            content_hash=content_hash(text),
            origin=Sample.Origin.IMPORT,
            created_at=now,
        )
        for cluster, (text, _) in zip(clusters, texts, strict=True)
    )
    return Label.objects.bulk_create(
        Label(sample=sample, value=value, origin=origin, quality=quality, created_at=now)
        for sample, (_, value) in zip(samples, texts, strict=True)
    )


def label_reviews(
    project: Project,
    n: int,
    *,
    split: str = Split.TRAIN,
    lies: float = 0.0,
    seed: int = 1,
    **fields: Any,
) -> list[Label]:
    """``n`` reviews, half of each sentiment; a share of ``lies`` carries the wrong label."""
    rng = random.Random(seed)
    texts = []
    for index in range(n):
        value, other = ("positive", "negative") if index % 2 else ("negative", "positive")
        said = other if rng.random() < lies else value
        texts.append((review(rng, value), said))
    return label_texts(project, texts, split=split, **fields)


def trainable_project(
    *, n_train: int = 120, n_test: int = 120, min_test_labels: int = 100, **policy: Any
) -> Project:
    """A project with clear labels and a policy whose gates such a model can pass."""
    project = factories.make_project()
    training = project.training_policy
    training.min_test_labels = min_test_labels
    training.delta = 0.05
    for name, value in policy.items():
        setattr(training, name, value)
    training.save()
    label_reviews(project, n_train, seed=1)
    label_reviews(project, n_test, split=Split.TEST, seed=2)
    return project
