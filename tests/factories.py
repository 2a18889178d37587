"""Valid rows for tests: each function makes one thing, and the test states only what matters."""

import itertools
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import Client
from sklearn.pipeline import Pipeline

from curation.digest.normalise import content_hash
from curation.models import (
    Cluster,
    CurationPolicy,
    Guideline,
    LabelOption,
    Membership,
    Prediction,
    Project,
    Sample,
    Source,
    SourceKey,
)
from curation.models.sample import Split
from feedbackhub.core.ids import uuid7
from feedbackhub.core.keys import Scope
from feedbackhub.core.models import User
from feedbackhub.core.roles import Role
from rollout.models import Rollout, RolloutPolicy
from training import artifacts, estimators
from training.models import ModelVersion, TrainingPolicy, TrainingRun

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery staple"
LABELS = ("negative", "positive")
COLOURS = ("#dc2626", "#16a34a", "#2563eb", "#9333ea")

GOOD = ("great food", "lovely staff", "tasty soup", "will come back", "fresh fish", "warm bread")
BAD = ("cold food", "rude staff", "bland soup", "never again", "stale fish", "dirty table")

_numbers = itertools.count(1)


def make_user(*, username: str = "", is_superuser: bool = False) -> User:
    """A person who can sign in with :data:`PASSWORD`."""
    name = username or f"user{next(_numbers)}"
    return User.objects.create_user(
        username=name, password=PASSWORD, is_staff=True, is_superuser=is_superuser
    )


def make_project(
    *,
    slug: str = "",
    labels: Sequence[str] = LABELS,
    audit_share: float = 0.0,
    pool_margin: float = 0.0,
    test_share: float = 0.25,
    shown_first_share: float = 0.0,
    random_share: float = 0.0,
    gold_share: float = 0.0,
    **policy: Any,
) -> Project:
    """A project with labels, a guideline and the policies of every room."""
    name = slug or f"project-{next(_numbers)}"
    project = Project.objects.create(slug=name, name=name.title(), created_at=NOW)
    for position, label in enumerate(labels):
        LabelOption.objects.create(
            project=project,
            name=label,
            colour=COLOURS[position % len(COLOURS)],
            hotkey=str(position + 1),
            position=position,
        )
    Guideline.objects.create(project=project, number=1, text="Judge the whole.", created_at=NOW)
    CurationPolicy.objects.create(
        project=project,
        audit_share=audit_share,
        pool_margin=pool_margin,
        test_share=test_share,
        shown_first_share=shown_first_share,
        random_share=random_share,
        gold_share=gold_share,
        **policy,
    )
    TrainingPolicy.objects.create(project=project)
    RolloutPolicy.objects.create(project=project)
    return project


def make_member(project: Project, role: Role = Role.ANNOTATOR, *, username: str = "") -> User:
    """A person with ``role`` in ``project``."""
    user = make_user(username=username)
    Membership.objects.create(project=project, user=user, role=role)
    return user


def make_source(project: Project, *, name: str = "", **fields: Any) -> Source:
    """Someone who posts events."""
    return Source.objects.create(
        project=project, name=name or f"frontend-{next(_numbers)}", created_at=NOW, **fields
    )


def make_key(
    project: Project,
    *scopes: Scope,
    source: Source | None = None,
    expires_at: datetime | None = None,
) -> str:
    """The plaintext of a fresh API key; with every scope when none is named."""
    _, key = SourceKey.objects.create_key(
        name="test",
        source=source or make_source(project),
        scopes=list(scopes or Scope),
        expiry_date=expires_at,
    )
    return str(key)


def api_client(key: str | None) -> Client:
    """A client that sends the key with every request, and lets a 500 arrive as an answer."""
    headers = {"Authorization": f"Api-Key {key}"} if key else {}
    return Client(raise_request_exception=False, headers=headers)


@cache
def tiny_pipeline(*, labels: tuple[str, str] = LABELS, flipped: bool = False) -> Pipeline:
    """A real fitted text classifier of two labels; ``flipped`` answers the opposite."""
    negative, positive = reversed(labels) if flipped else labels
    pipeline = estimators.build("tfidf_logreg", params={}, seed=7)
    return estimators.fit(
        pipeline,
        texts=[*GOOD, *BAD],
        labels=[positive] * len(GOOD) + [negative] * len(BAD),
    )


def make_version(
    project: Project,
    *,
    status: str = ModelVersion.Status.LIVE,
    pipeline: Pipeline | None = None,
    flipped: bool = False,
) -> ModelVersion:
    """A model version with a succeeded run and a real artifact on disk."""
    labels = tuple(project.label_names())
    fitted = pipeline or tiny_pipeline(labels=(labels[0], labels[1]), flipped=flipped)
    folder = Path(settings.ARTIFACTS_DIR) / project.slug
    artifact = artifacts.save(
        fitted,
        directory=folder,
        manifest=artifacts.Manifest(
            project=project.slug,
            estimator="tfidf_logreg",
            parameters={},
            seed=7,
            snapshot="",
            classes=tuple(str(name) for name in fitted.classes_),
            trained_at=NOW.isoformat(),
        ),
    )
    run = TrainingRun.objects.create(
        project=project,
        status=TrainingRun.Status.SUCCEEDED,
        trigger="first",
        reason="For a test.",
        estimator="tfidf_logreg",
        seed=7,
        created_at=NOW,
        finished_at=NOW,
    )
    return ModelVersion.objects.create(
        project=project,
        number=ModelVersion.objects.filter(project=project).count() + 1,
        run=run,
        status=status,
        artifact_path=str(artifact.path.relative_to(settings.ARTIFACTS_DIR)),
        artifact_sha256=artifact.sha256,
        fingerprint=artifact.fingerprint,
        classes=[str(name) for name in fitted.classes_],
        created_at=NOW,
    )


def make_rollout(
    candidate: ModelVersion,
    champion: ModelVersion | None,
    *,
    status: str = Rollout.Status.AB_TEST,
    treatment_share: float = 0.5,
    salt: str = "salt",
) -> Rollout:
    """A rollout of ``candidate`` against ``champion``, in an A/B test unless told otherwise."""
    return Rollout.objects.create(
        project=candidate.project,
        candidate=candidate,
        champion=champion,
        status=status,
        salt=salt,
        treatment_share=treatment_share,
        created_at=NOW,
        started_at=NOW if status != Rollout.Status.WAITING else None,
    )


def make_prediction(
    project: Project, *, text: str = "great food", now: datetime = NOW, **fields: Any
) -> Prediction:
    """A served answer, as it stands in the event table."""
    defaults: dict[str, Any] = {
        "id": uuid7(now),
        "source_id": 1,
        "content_hash": content_hash(text),
        "label": project.label_names()[-1],
        "confidence": 0.9,
        "model_version": "v1",
        "arm": "",
        "programme_group": "",
        "is_audit": False,
        "is_external": False,
        "created_at": now,
    }
    return Prediction.objects.create(project_id=project.pk, text=text, **{**defaults, **fields})


def make_sample(
    project: Project,
    *,
    text: str = "",
    split: str | None = Split.TRAIN,
    origin: str = Sample.Origin.IMPORT,
) -> Sample:
    """A sample in a cluster of its own; without a split it has no cluster."""
    words = text or f"sample number {next(_numbers)}"
    cluster = (
        Cluster.objects.create(project=project, split=split, created_at=NOW) if split else None
    )
    return Sample.objects.create(
        project=project,
        cluster=cluster,
        text=words,
        content_hash=content_hash(words),
        origin=origin,
        created_at=NOW,
    )


def feedback_body(prediction_id: uuid.UUID | str | None, **fields: Any) -> dict[str, Any]:
    """A valid body for ``POST feedback``."""
    named = {} if prediction_id is None else {"prediction_id": str(prediction_id)}
    return {"event_id": f"event-{next(_numbers)}", "rating": "up", **named, **fields}
