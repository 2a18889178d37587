"""The tick: starts what is due, tells a worker until one listens, and costs little otherwise."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from kombu.exceptions import OperationalError

from curation import queries
from curation.models import Label, Project
from feedbackhub.core.clock import utcnow
from feedbackhub.supervision import CHECKOUT
from tests import factories
from tests.factories import NOW
from tests.training.scenes import label_reviews, trainable_project
from training import services, tasks
from training.models import ModelVersion, TrainingPolicy, TrainingRun

pytestmark = pytest.mark.django_db
Status = TrainingRun.Status


def run_of(project: Project) -> TrainingRun:
    return TrainingRun.objects.get(project=project)


def test_enough_labels_start_the_first_run_and_only_one() -> None:
    project = trainable_project(n_train=99, n_test=0)
    assert services.plan(now=NOW) == []
    label_reviews(project, 1, seed=9)
    sent = services.plan(now=NOW)
    assert sent == [run_of(project).pk]
    assert run_of(project).trigger == "first"
    assert services.plan(now=NOW) == sent


def test_labels_that_came_since_the_last_run_start_the_next() -> None:
    project = trainable_project(n_train=100, n_test=0)
    services.plan(now=NOW)
    TrainingRun.objects.update(status=Status.FAILED, started_at=NOW)
    later = NOW + timedelta(hours=1)
    label_reviews(project, 99, seed=9, now=later)
    assert services.plan(now=later) == []
    label_reviews(project, 1, seed=10, now=later)
    (run_id,) = services.plan(now=later)
    run = TrainingRun.objects.get(pk=run_id)
    assert (run.trigger, run.reason) == (
        "labels",
        "100 new labels; the policy asks for 100.",
    )


def test_a_single_label_starts_a_run_once_the_last_is_old() -> None:
    project = trainable_project(n_train=100, n_test=0)
    services.plan(now=NOW)
    TrainingRun.objects.update(status=Status.SUCCEEDED, started_at=NOW)
    label_reviews(project, 1, seed=9, now=NOW + timedelta(hours=1))
    assert services.plan(now=NOW + timedelta(hours=167)) == []
    (run_id,) = services.plan(now=NOW + timedelta(hours=168))
    assert TrainingRun.objects.get(pk=run_id).trigger == "age"


def test_a_project_whose_policy_is_off_waits_for_the_button() -> None:
    project = trainable_project(n_test=0, is_enabled=False)
    assert services.plan(now=NOW) == []
    services.request_run(project=project, trigger="button", reason="", actor="lead", now=NOW)
    assert services.plan(now=NOW) == [run_of(project).pk]


def test_the_trouble_of_one_project_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = (
        trainable_project(n_train=100, n_test=0),
        trainable_project(n_train=100, n_test=0),
    )
    count = queries.new_label_count

    def breaks_for_the_first(*, project: Project, **given: Any) -> int:
        if project == first:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")
        return count(project=project, **given)

    monkeypatch.setattr(queries, "new_label_count", breaks_for_the_first)
    assert services.plan(now=NOW) == [run_of(second).pk]
    assert f"Whether {first.slug} retrains could not be told" in caplog.text


def test_a_project_without_a_policy_gets_the_usual_one() -> None:
    project = factories.make_project()
    TrainingPolicy.objects.all().delete()
    services.plan(now=NOW)
    assert TrainingPolicy.objects.get().project == project


def test_a_queued_run_is_sent_again_after_a_while() -> None:
    project = factories.make_project()
    run = services.request_run(project=project, trigger="button", reason="", actor="lead", now=NOW)
    services.mark_sent(run_id=run.pk, now=NOW)
    assert services.plan(now=NOW + timedelta(seconds=30)) == []
    assert services.plan(now=NOW + timedelta(seconds=31)) == [run.pk]


def test_a_lost_broker_is_asked_again_by_the_next_tick(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = services.request_run(
        project=factories.make_project(), trigger="button", reason="", actor="lead", now=utcnow()
    )
    sent: list[dict[str, Any]] = []

    def lost(**_: Any) -> None:
        raise OperationalError("connection refused")

    with monkeypatch.context() as patch:
        patch.setattr(tasks.execute, "apply_async", lost)
        tasks.plan()
    assert "sending again at the next tick" in caplog.text
    monkeypatch.setattr(tasks.execute, "apply_async", lambda **given: sent.append(given))
    tasks.plan()
    tasks.plan()
    assert sent == [{"kwargs": {"run_id": run.pk}}]


def test_a_tick_without_work_asks_few_questions() -> None:
    project = trainable_project(n_train=10, n_test=0)
    factories.make_version(project)
    with CaptureQueriesContext(connection) as asked:
        tasks.plan()
    # Policies, dead runs, one label count for each project between the ends of its savepoint,
    # unsent runs, versions to judge, and versions whose labels are to be valued.
    assert len(asked) <= 10


@contextmanager
def celery_worker() -> Iterator[subprocess.Popen[bytes]]:
    """A real worker of the training queue on the test's own database, in a group of its own."""
    name = connection.settings_dict["NAME"]
    environment = {
        **os.environ,
        "DATABASE_URL": os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{name}",
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "FEEDBACKHUB_HOME": str(settings.HOME),
    }
    command = [sys.executable, "-m", "celery", "-A", "feedbackhub", "worker"]
    options = ["-Q", "training", "-c", "1", "--without-gossip", "--without-mingle"]
    process = subprocess.Popen(
        [*command, *options],
        cwd=CHECKOUT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL for the worker and its children, at once."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=10)


def wait_until(run: TrainingRun, *, is_so: Any) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        run.refresh_from_db()
        if is_so(run):
            return
        time.sleep(0.01)
    pytest.fail(f"The run stayed {run.status}, {run.step}, {run.error}.")


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_while_training_is_noticed_and_the_retry_makes_one_version() -> None:
    # Enough that fitting takes a while; too few test labels keep the gates short.
    project = trainable_project(n_train=6_000, n_test=10)
    now = utcnow()
    run = services.request_run(
        project=project, trigger="button", reason="For a test.", actor="lead", now=now
    )
    with celery_worker() as doomed:
        tasks.plan()
        wait_until(run, is_so=lambda run: run.step == "training")
        kill(doomed)
    run.refresh_from_db()
    assert (run.status, run.attempt) == (Status.RUNNING, 1)
    assert not ModelVersion.objects.exists()

    # The tick that comes half a minute later, without the wait.
    assert services.plan(now=utcnow() + services.STALE_AFTER + timedelta(seconds=1)) == [run.pk]
    with celery_worker():
        tasks.plan()
        # Twice does no harm: the second message finds the run taken.
        tasks.execute.apply_async(kwargs={"run_id": run.pk})
        wait_until(run, is_so=lambda run: run.status not in services.ACTIVE)
    assert (run.status, run.attempt, run.error) == (Status.SUCCEEDED, 2, "")
    version = ModelVersion.objects.get()
    assert (version.run_id, version.number) == (run.pk, 1)
    assert Label.objects.count() == 6_010
