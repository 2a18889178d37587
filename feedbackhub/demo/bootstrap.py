"""Founding the demo: project, people, imported reviews, first champion, and the papers at the end.

Each step looks at what is there and adds what is missing, so that a demo that was killed half-way
goes on where it stopped.
"""

import json
import os
import secrets
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from curation.intake.importing import import_samples
from curation.intake.schemas import SampleRequest
from curation.intake.sources import create_source_key
from curation.models import CurationPolicy, Membership, Project, Source, SourceKey
from curation.services import create_project
from feedbackhub.core.models import User
from feedbackhub.demo import facts
from feedbackhub.demo.corpus import Review
from rollout.models import RolloutPolicy
from training.models import TrainingPolicy

PAPERS = "demo.json"


class NameTaken(Exception):
    """A project or person of the demo's name is there that is not of the demo; nothing was done."""


def found_project(*, test_share: float, now: datetime) -> Project:
    """The demo's project with its people and policies; what is there already is kept.

    Raises :class:`NameTaken`.
    """
    project = Project.objects.filter(slug=facts.SLUG).first()
    if project is not None and not project.is_demo:
        raise NameTaken(f"There is a project `{facts.SLUG}` already, and it is not the demo.")
    with transaction.atomic():
        admin = _person(facts.ADMIN)
        if project is None:
            project = create_project(
                slug=facts.SLUG,
                name=facts.NAME,
                labels=facts.LABELS,
                guideline=facts.GUIDELINE,
                created_by=admin,
                is_demo=True,
                now=now,
            )
            _set_policies(project, test_share)
        Source.objects.get_or_create(
            project=project, name=facts.SOURCE, defaults={"created_at": now}
        )
        for person in (*facts.PEOPLE, *facts.SIMULATED):
            user = _person(person)
            if person.role is not None:
                Membership.objects.get_or_create(
                    project=project, user=user, defaults={"role": person.role}
                )
    return project


def import_reviews(*, project: Project, reviews: Iterable[Review], now: datetime) -> int:
    """Import labelled reviews; how many were new."""
    samples = [SampleRequest(text=review.text, label=review.label) for review in reviews]
    return import_samples(project=project, samples=samples, now=now)


def is_handed_out() -> bool:
    """Whether the demo's papers lie in the home: the last thing a demo does."""
    return _papers().exists()


def hand_out(*, project: Project, now: datetime) -> Path:
    """Give everyone a new password, make a new API key, and write both down for the owner alone.

    Keys of an earlier attempt, which nobody knows any more, are withdrawn.
    """
    with transaction.atomic():
        SourceKey.objects.filter(source__project=project, source__name=facts.SOURCE).delete()
        key = create_source_key(
            project=project, source_name=facts.SOURCE, scopes=facts.SCOPES, now=now
        )
        users = {person.username: _new_password(person) for person in facts.PEOPLE}
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.ENV.host, settings.ENV.host)  # noqa: S104
    papers = {
        "base_url": f"http://{host}:{settings.ENV.port}",
        "project": project.slug,
        "api_key": key,
        "users": users,
    }
    _write(_papers(), papers)
    return _papers()


def _set_policies(project: Project, test_share: float) -> None:
    curation = {**facts.CURATION_POLICY, "test_share": test_share}
    CurationPolicy.objects.filter(project=project).update(**curation)
    TrainingPolicy.objects.create(project=project, **facts.TRAINING_POLICY)
    RolloutPolicy.objects.create(project=project, **facts.ROLLOUT_POLICY)


def _person(person: facts.Person) -> User:
    user = User.objects.filter(username=person.username).first()
    if user is not None:
        # Its password will be set anew: never that of somebody real.
        if user.last_name != person.last_name:
            raise NameTaken(f"There is a user `{person.username}` who is not of the demo.")
        return user
    return User.objects.create_user(
        username=person.username,
        first_name=person.first_name,
        last_name=person.last_name,
        is_superuser=person.role is None,
        is_staff=not person.is_simulated,
    )


def _new_password(person: facts.Person) -> dict[str, str]:
    password = secrets.token_urlsafe(12)
    user = User.objects.get(username=person.username)
    user.set_password(password)
    user.save(update_fields=["password"])
    return {"username": person.username, "password": password}


def _papers() -> Path:
    return Path(settings.HOME) / PAPERS


def _write(path: Path, papers: dict[str, Any]) -> None:
    """All or nothing, readable by the owner alone."""
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(papers, file, indent=2)
        file.write("\n")
    draft.replace(path)
