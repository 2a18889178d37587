"""Use cases of the curation room as a whole: making a project, and keeping its scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction

from curation.models import CurationPolicy, Guideline, LabelOption, Project
from feedbackhub.core.models import User
from feedbackhub.core.sql import execute, statements

SQL = statements(Path(__file__).with_name("services.sql"))


@dataclass(frozen=True)
class LabelSpec:
    """One label of a project to be made."""

    name: str
    colour: str
    """As ``#rrggbb``."""
    hotkey: str
    """One of 1 to 9."""


@dataclass(frozen=True)
class Score:
    """How unsure a model version is about one sample."""

    sample_id: int
    predicted_label: str
    margin: float
    """Difference of the two best probabilities, in [0, 1]."""
    entropy: float
    """Of the class probabilities, in nats."""


def create_project(
    *,
    slug: str,
    name: str,
    labels: Sequence[LabelSpec],
    guideline: str,
    created_by: User | None,
    is_demo: bool,
    now: datetime,
) -> Project:
    """A project with its labels, the first version of its guidelines, and the usual policy.

    Raises ``IntegrityError`` when the slug is taken or two labels share a name or key, and
    ``ValidationError`` when a label's name, colour or key does not fit.
    """
    with transaction.atomic():
        project = Project.objects.create(slug=slug, name=name, is_demo=is_demo, created_at=now)
        options = [
            LabelOption(
                project=project,
                name=label.name,
                colour=label.colour,
                hotkey=label.hotkey,
                position=position,
            )
            for position, label in enumerate(labels)
        ]
        for option in options:
            option.clean_fields()
        LabelOption.objects.bulk_create(options)
        Guideline.objects.create(
            project=project, number=1, text=guideline, created_by=created_by, created_at=now
        )
        CurationPolicy.objects.create(project=project)
    return project


def record_scores(*, scores: Sequence[Score], model_version: str, now: datetime) -> int:
    """Replace the scores of these samples by those of ``model_version``; how many were written.

    Ids that are no sample (any more) are passed over.
    """
    if not scores:
        return 0
    ordered = sorted(scores, key=lambda score: score.sample_id)
    params = {
        "samples": [score.sample_id for score in ordered],
        "labels": [score.predicted_label for score in ordered],
        "margins": [score.margin for score in ordered],
        "entropies": [score.entropy for score in ordered],
        "version": model_version,
        "now": now,
    }
    with transaction.atomic():
        written = execute(SQL["record_scores"], params)
        execute(SQL["doubt_scored"], params)
    return written
