"""Use cases of the curation room as a whole: making a project."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from curation.label_weighing import record_support
from curation.models import CurationPolicy, Guideline, LabelOption, Project
from feedbackhub.core.models import User

__all__ = ["LabelSpec", "create_project", "record_support"]


@dataclass(frozen=True)
class LabelSpec:
    """One label of a project to be made."""

    name: str
    colour: str
    """As ``#rrggbb``."""
    hotkey: str
    """One of 1 to 9."""


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
