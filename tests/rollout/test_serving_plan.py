"""A plan takes over within two seconds and without one failed request, or not at all."""

import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from prometheus_client import REGISTRY

from curation.intake.schemas import PredictionRequest
from curation.models import Project
from feedbackhub.core.clock import utcnow
from rollout.models import Rollout, RolloutPolicy
from rollout.serving import cache, plan
from rollout.serving.plan import current_plan
from rollout.serving.service import NoChampion, predict
from tests.factories import make_project, make_rollout, make_version
from training import artifacts
from training.models import ModelVersion

Status = ModelVersion.Status


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    plan.forget()
    yield
    plan.forget()


def look_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every call look at the database, as after half a second."""
    monkeypatch.setattr(plan, "SECONDS_FRESH", 0.0)


def crown(old: ModelVersion, new: ModelVersion) -> None:
    """What a promotion does to the rows, and nothing else."""
    with transaction.atomic():
        ModelVersion.objects.filter(pk=old.pk).update(status=Status.SUPERSEDED)
        ModelVersion.objects.filter(pk=new.pk).update(status=Status.LIVE)


@pytest.mark.django_db
def test_without_a_champion_there_is_no_plan() -> None:
    project = make_project()
    make_version(project, status=Status.BLESSED)
    assert current_plan(project.pk) is None
    with pytest.raises(NoChampion):
        predict(project=project, source_id=1, items=[PredictionRequest(text="x")], now=utcnow())


@pytest.mark.django_db
def test_the_plan_names_champion_and_candidate_of_a_running_test() -> None:
    project = make_project()
    champion = make_version(project)
    candidate = make_version(project, status=Status.BLESSED, flipped=True)
    rollout = make_rollout(candidate, champion, treatment_share=0.2, salt="abc")
    found = current_plan(project.pk)
    assert found is not None
    assert found.candidate is not None
    assert (found.champion.name, found.candidate.name) == ("v1", "v2")
    assert (found.rollout_id, found.salt, found.treatment_share) == (rollout.pk, "abc", 0.2)


@pytest.mark.django_db
@pytest.mark.parametrize("status", [Rollout.Status.WAITING, Rollout.Status.PAUSED])
def test_a_candidate_that_waits_or_rests_serves_nobody_but_is_kept_loaded(
    status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_again(monkeypatch)
    project = make_project()
    champion = make_version(project)
    candidate = make_version(project, status=Status.BLESSED, flipped=True)
    make_rollout(candidate, champion, status=status)
    found = current_plan(project.pk)
    assert found is not None
    assert found.candidate is None
    wanted = plan._read_wanted(project.pk)
    assert wanted is not None
    [warm] = wanted.warm
    while plan._models.get(warm) is None:
        time.sleep(0.01)
    assert current_plan(project.pk) is not None
    assert plan._models.get(warm) is not None


@pytest.mark.django_db
def test_after_a_promotion_the_former_champion_stays_loaded_for_a_rollback() -> None:
    project = make_project()
    old = make_version(project, status=Status.SUPERSEDED)
    new = make_version(project, flipped=True)
    make_rollout(new, old, status=Rollout.Status.PROMOTED)
    wanted = plan._read_wanted(project.pk)
    assert wanted is not None
    assert [version.name for version in wanted.warm] == ["v1"]
    assert wanted.candidate is None


@pytest.mark.django_db
def test_a_look_is_taken_at_most_twice_a_second() -> None:
    project = make_project()
    make_version(project)
    current_plan(project.pk)
    looks = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        looks.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        started = time.monotonic()
        for _ in range(200):
            current_plan(project.pk)
    assert len(looks) <= 1 + int((time.monotonic() - started) / plan.SECONDS_FRESH)


def _break(version: ModelVersion) -> None:
    """Put another file in the place of the one the registry vouches for."""
    file = Path(settings.ARTIFACTS_DIR) / version.artifact_path
    file.unlink()
    file.write_bytes(b"not the file that was vouched for")


@pytest.mark.django_db
def test_a_champion_that_does_not_load_leaves_the_last_good_one_serving(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    look_again(monkeypatch)
    project = make_project()
    old = make_version(project)
    new = make_version(project, status=Status.BLESSED, flipped=True)
    _break(new)
    assert current_plan(project.pk) is not None
    before = REGISTRY.get_sample_value("hub_model_load_failures_total", {"model_version": "v2"})
    crown(old, new)
    for _ in range(20):
        found = current_plan(project.pk)
        assert found is not None
        assert found.champion.name == "v1"
        time.sleep(0.01)
    after = REGISTRY.get_sample_value("hub_model_load_failures_total", {"model_version": "v2"})
    assert after == (before or 0) + 1  # Tried once, not with every look.
    assert [failure.version.name for failure in plan.load_failures()] == ["v2"]
    assert "v2 cannot be loaded" in caplog.text


@pytest.mark.django_db
def test_a_candidate_that_does_not_load_takes_no_part() -> None:
    project = make_project()
    champion = make_version(project)
    candidate = make_version(project, status=Status.BLESSED, flipped=True)
    _break(candidate)
    make_rollout(candidate, champion)
    found = current_plan(project.pk)
    assert found is not None
    assert (found.champion.name, found.candidate, found.rollout_id) == ("v1", None, None)


@pytest.mark.django_db
def test_an_idle_process_does_not_answer_from_an_old_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_project()
    old = make_version(project)
    new = make_version(project, status=Status.BLESSED, flipped=True)
    assert current_plan(project.pk) is not None
    crown(old, new)
    slow_loading(monkeypatch, seconds=0.3)
    desk = plan._desks[project.pk]
    desk._looked_at -= 3_600
    found = current_plan(project.pk)
    assert found is not None
    assert found.champion.name == "v2"


@pytest.mark.django_db
def test_held_back_subjects_stay_on_the_day0_version() -> None:
    project = make_project()
    day0 = make_version(project, status=Status.SUPERSEDED)
    make_version(project, flipped=True)
    RolloutPolicy.objects.filter(project=project).update(holdback_share=0.3, day0_version=day0)
    items = [PredictionRequest(text="great food", subject=f"s{n}") for n in range(300)]
    served = predict(project=project, source_id=1, items=items, now=utcnow())
    names = [one.model_version for one in served]
    assert set(names) == {"v1", "v2"}
    assert 50 < names.count("v1") < 130
    assert {one.label for one in served if one.model_version == "v1"} == {"positive"}
    assert {one.label for one in served if one.model_version == "v2"} == {"negative"}


def slow_loading(monkeypatch: pytest.MonkeyPatch, *, seconds: float) -> None:
    load = artifacts.load

    def slowly(*args: Any, **kwargs: Any) -> Any:
        time.sleep(seconds)
        return load(*args, **kwargs)

    monkeypatch.setattr(cache.artifacts, "load", slowly)


def _predict_until(
    stop: threading.Event, project: Project, answers: list[tuple[float, str]], wrongs: list[str]
) -> None:
    while not stop.is_set():
        try:
            items = [PredictionRequest(text="great food", subject="anna")]
            [one] = predict(project=project, source_id=1, items=items, now=utcnow())
            answers.append((time.monotonic(), one.model_version))
        except Exception as error:
            wrongs.append(repr(error))
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_promotion_under_traffic_takes_effect_within_two_seconds_without_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = make_project()
    old = make_version(project)
    new = make_version(project, status=Status.BLESSED, flipped=True)
    assert current_plan(project.pk) is not None
    slow_loading(monkeypatch, seconds=0.8)  # The new model is not in memory, and large.
    stop, answers, wrongs = threading.Event(), [], []
    arguments = (stop, project, answers, wrongs)
    threads = [threading.Thread(target=_predict_until, args=arguments) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    changes = []
    for before, after in ((old, new), (new, old)):
        crown(before, after)
        changes.append((time.monotonic(), f"v{after.number}"))
        time.sleep(2.5)
    stop.set()
    for thread in threads:
        thread.join()
    assert wrongs == []
    assert {name for _, name in answers} == {"v1", "v2"}
    for changed_at, name in changes:
        settled = [version for at, version in answers if changed_at + 2 < at < changed_at + 2.5]
        assert len(settled) > 10
        assert set(settled) == {name}
    # Nobody waited for the load either.
    times = sorted(at for at, _ in answers)
    assert max(later - earlier for earlier, later in pairwise(times)) < 0.75
