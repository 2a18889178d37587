"""The demo on a real database, small: what it leaves behind, and that telling it twice is safe."""

import itertools
import json
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.test import Client
from django_celery_beat.models import PeriodicTask
from pytest_django import Settings

from curation.models import Annotation, Feedback, FeedbackOutcome, Prediction, Project, Sample
from curation.models.review import Queue
from feedbackhub.core.models import User
from feedbackhub.demo import facts, guests, stillness, texts
from feedbackhub.demo.corpus import normalised
from feedbackhub.demo.story import Story
from rollout.serving import plan as serving_plan
from tests import factories
from training import registry
from training.models import ModelVersion, TrainingRun

SMALL = replace(
    facts.PLOT,
    imported=1_150,
    subjects=40,
    length=timedelta(days=1),
    ticks=4,
    predictions=60,
    open_items=2,
    promoted_after=99,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def small_demo(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path
) -> Iterator[Path]:
    """A demo that takes seconds, in a home of its own."""
    monkeypatch.setattr(facts, "PLOT", SMALL)
    monkeypatch.setattr(facts, "TRAINING_POLICY", {**facts.TRAINING_POLICY, "min_new_labels": 600})
    settings.HOME, settings.ARTIFACTS_DIR = tmp_path, tmp_path / "artifacts"
    serving_plan.forget()
    yield tmp_path
    serving_plan.forget()


def _papers(home: Path) -> dict[str, Any]:
    papers: dict[str, Any] = json.loads((home / "demo.json").read_text())
    return papers


def _counts() -> tuple[int, ...]:
    models = (Project, User, Sample, Prediction, Feedback, Annotation, ModelVersion, TrainingRun)
    return tuple(model.objects.count() for model in models)


def test_demo_leaves_a_full_project_and_a_second_run_changes_nothing(
    small_demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("demo", alone=True)

    project = Project.objects.get(slug=facts.SLUG)
    assert project.is_demo
    assert registry.live_version(project_id=project.pk) is not None
    assert Prediction.objects.count() == SMALL.ticks * SMALL.predictions
    assert FeedbackOutcome.objects.count() == Feedback.objects.count() > 20
    assert set(Annotation.objects.values_list("user__username", flat=True)) == {
        person.username for person in facts.SIMULATED
    }
    waiting = project.review_items.filter(status="open").values_list("queue", flat=True)
    assert {Queue.AUDIT, Queue.DISPUTED} <= set(waiting)
    assert "v1 is the first champion" in capsys.readouterr().out
    _check_papers(small_demo)
    counts, papers = _counts(), _papers(small_demo)

    call_command("demo", alone=True)

    assert (_counts(), _papers(small_demo)) == (counts, papers)
    assert "The demo is there already" in capsys.readouterr().out


def _check_papers(home: Path) -> None:
    papers = _papers(home)
    assert stat.S_IMODE((home / "demo.json").stat().st_mode) == 0o600
    assert set(papers) == {"base_url", "project", "api_key", "users"}
    for name in ("admin", "lead", "annotator"):
        assert Client().login(**papers["users"][name]), f"{name} cannot sign in"
    answer = factories.api_client(papers["api_key"]).post(
        f"/api/v1/projects/{papers['project']}/predictions",
        {"text": "The soup was cold."},
        content_type="application/json",
    )
    assert answer.status_code == 200, answer.content
    assert not any(
        User.objects.get(username=person.username).has_usable_password()
        for person in facts.SIMULATED
    )


def test_killed_demo_is_told_on_without_doubling(
    small_demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    come, visits = guests.Crowd._come, itertools.count()

    def die_within_the_third(crowd: guests.Crowd, *visit: Any) -> int:
        if next(visits) == 2 * guests.VISITS + 3:
            raise KeyboardInterrupt
        return come(crowd, *visit)

    monkeypatch.setattr(guests.Crowd, "_come", die_within_the_third)
    with pytest.raises(KeyboardInterrupt):
        call_command("demo", alone=True)
    assert Prediction.objects.count() == 2 * SMALL.predictions, "a tick is told whole or not at all"
    assert not (small_demo / "demo.json").exists()

    call_command("demo", alone=True)

    assert Prediction.objects.count() == SMALL.ticks * SMALL.predictions
    assert Sample.objects.filter(origin=Sample.Origin.IMPORT).count() <= SMALL.imported
    assert Feedback.objects.values("event_id").distinct().count() == Feedback.objects.count()
    _check_papers(small_demo)


def test_demo_leaves_strangers_of_the_same_name_alone() -> None:
    real = factories.make_user(username="lead")
    with pytest.raises(CommandError, match="`lead` who is not of the demo"):
        call_command("demo", alone=True)

    real.refresh_from_db()
    assert real.check_password(factories.PASSWORD)
    assert not Project.objects.filter(slug=facts.SLUG).exists()


def test_project_of_the_same_name_is_refused() -> None:
    factories.make_project(slug=facts.SLUG)
    with pytest.raises(CommandError, match="it is not the demo"):
        call_command("demo", alone=True)


def test_dump_is_split_between_import_and_guests(tmp_path: Path) -> None:
    lines = [f'He said "soup {n}" twice\t{n % 2}\n' for n in range(400)]
    dump = tmp_path / "dump.tsv"
    dump.write_text("Review\tLiked\n" + "".join(lines), encoding="utf-8")

    told = texts.dumped(dump, stream=200, seed=1)

    assert len(told.imported) == 400 - texts.KEPT_BACK
    assert len(told.stream) == 200
    imported = {normalised(review.text) for review in told.imported}
    assert imported.isdisjoint(normalised(review.text) for review in told.stream)
    assert told.truth()['he said "soup 3" twice'] == "positive"


def test_missing_dump_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="nowhere"):
        call_command("demo", alone=True, dump=tmp_path / "nowhere.tsv")


def test_schedules_of_a_running_hub_rest_while_the_story_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stillness, "NOTICED_AFTER_S", 0)
    # Tests in transactions of their own leave the tables empty, the migrated rows included.
    import_module("feedbackhub.migrations.0001_schedules").seed(apps, None)
    ours = PeriodicTask.objects.filter(task__in=stillness.RECONCILERS)
    assert ours.count() == len(stillness.RECONCILERS), "each name is a schedule's"

    def die(story: Story, *, until: datetime) -> None:
        assert not ours.filter(enabled=True).exists()
        raise KeyboardInterrupt

    monkeypatch.setattr(Story, "tell", die)
    with pytest.raises(KeyboardInterrupt):
        call_command("demo")

    assert not ours.filter(enabled=False).exists()
