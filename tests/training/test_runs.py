"""A run ends in one version or in a sentence, however often its worker dies on the way."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db.models.functions import Upper

from curation.models import Project, Sample
from feedbackhub.core.clock import utcnow
from feedbackhub.core.transitions import ForbiddenTransition, history
from tests import factories
from tests.factories import NOW
from tests.training.scenes import label_reviews, label_texts, trainable_project
from training import estimators, evaluation, registry, runs, services, snapshots
from training.models import ModelVersion, TrainingRun

pytestmark = pytest.mark.django_db
Status = TrainingRun.Status


def at(now: datetime) -> Callable[[], datetime]:
    return lambda: now


def request(project: Project, *, now: datetime = NOW) -> TrainingRun:
    return services.request_run(
        project=project, trigger="button", reason="Asked for.", actor="lead", now=now
    )


def run_once(project: Project, *, now: datetime = NOW) -> TrainingRun:
    run = request(project, now=now)
    services.execute(run_id=run.pk, clock=at(now))
    run.refresh_from_db()
    return run


@pytest.fixture
def no_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the seconds of the artifact gate's fresh process; without it nothing is blessed."""
    gates = {name: gate for name, gate in evaluation.GATES.items() if name != "artifact"}
    monkeypatch.setattr(evaluation, "GATES", gates)


def test_a_run_freezes_trains_saves_and_judges_one_version() -> None:
    project = trainable_project()
    run = run_once(project)
    assert (run.status, run.error, run.attempt) == (Status.SUCCEEDED, "", 1)
    version = ModelVersion.objects.get(run=run)
    assert (version.number, version.status) == (1, "blessed")
    assert run.outcome.startswith("Made v1: Blessed.")
    assert run.snapshot is not None
    assert run.snapshot.counts["train"]["n"] == 120
    assert set(version.classes) == {"negative", "positive"}
    answers = registry.load_pipeline(version).predict(["lovely soup", "rude staff"])
    assert list(answers) == ["positive", "negative"]
    moves = [change.to_status for change in history(run)]
    assert moves == ["queued", "running", "succeeded"]
    assert [change.to_status for change in history(version)] == ["candidate", "blessed"]


def test_a_run_that_has_ended_is_not_carried_out_again() -> None:
    project = trainable_project(n_train=5)
    run = run_once(project)
    assert services.execute(run_id=run.pk, clock=at(NOW)) is None
    assert services.execute(run_id=10**9, clock=at(NOW)) is None
    run.refresh_from_db()
    assert run.attempt == 1


@pytest.mark.usefixtures("no_probe")
def test_labels_that_were_learned_from_before_teach_nothing_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = trainable_project()
    run_once(project)
    # Further test labels do not change what would be learned.
    label_reviews(project, 10, split="test", seed=5)
    monkeypatch.setattr(estimators, "fit", lambda *_, **__: pytest.fail("trained a twin"))
    run = run_once(project)
    assert run.status == Status.SUCCEEDED
    assert run.outcome.startswith("Nothing new to learn: v1 was trained on the same labels")
    assert ModelVersion.objects.count() == 1


@pytest.mark.usefixtures("no_probe")
@pytest.mark.parametrize("status", ["quarantined", "rejected"])
def test_a_model_that_was_turned_down_is_not_tried_again(status: str) -> None:
    project = trainable_project(n_test=0)
    first = run_once(project)
    ModelVersion.objects.update(status=status)
    assert f"v1, which was {status}" in run_once(project).error
    # Another snapshot, but the estimator reads in lower case: the same model.
    Sample.objects.update(text=Upper("text"))
    run = run_once(project)
    assert run.status == Status.FAILED
    assert f"v1, which was {status}" in run.error
    assert run.snapshot != first.snapshot
    assert ModelVersion.objects.get().run == first


def test_too_few_labels_fail_with_what_to_do() -> None:
    run = run_once(trainable_project(n_train=12, n_test=0))
    assert run.status == Status.FAILED
    assert run.error.startswith("There are 12 labels to learn from, and at least 20 are needed.")
    assert run.finished_at == NOW


def test_labels_of_one_class_fail_and_name_the_others() -> None:
    project = factories.make_project()
    label_texts(project, [(f"good number {n}", "positive") for n in range(30)])
    run = run_once(project)
    assert run.error == (
        "All 30 labels to learn from are `positive`. Label or import some that are `negative`."
    )


def test_a_bad_policy_fails_in_words() -> None:
    project = trainable_project(n_train=30, n_test=0, parameters={"C": -1})
    run = run_once(project)
    assert run.status == Status.FAILED
    assert "tfidf_logreg" in run.error
    assert "C" in run.error


def test_an_unexpected_trouble_fails_with_the_step_it_happened_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def explode(*_: Any, **__: Any) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(estimators, "fit", explode)
    run = run_once(trainable_project(n_test=0))
    assert run.status == Status.FAILED
    assert run.error.startswith("Unexpected MemoryError while training: no room.")


def test_one_run_at_a_time() -> None:
    project = factories.make_project()
    request(project)
    with pytest.raises(services.RunActive):
        request(project)


# Cancelling.


def test_a_queued_run_is_cancelled_and_never_carried_out() -> None:
    run = request(factories.make_project())
    services.cancel_run(run=run, actor="lead", reason="Wrong labels.", now=NOW)
    assert services.execute(run_id=run.pk, clock=at(NOW)) is None
    run.refresh_from_db()
    assert (run.status, run.outcome) == (Status.CANCELLED, "Cancelled by lead: Wrong labels.")
    with pytest.raises(ForbiddenTransition):
        services.cancel_run(run=run, actor="lead", reason="", now=NOW)


def test_a_run_cancelled_while_training_makes_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    run = request(trainable_project(n_test=0))
    fit = estimators.fit

    def fit_and_be_cancelled(*args: Any, **kwargs: Any) -> Any:
        current = TrainingRun.objects.get(pk=run.pk)
        services.cancel_run(run=current, actor="lead", reason="Never mind.", now=NOW)
        return fit(*args, **kwargs)

    monkeypatch.setattr(estimators, "fit", fit_and_be_cancelled)
    assert services.execute(run_id=run.pk, clock=at(NOW)) is None
    run.refresh_from_db()
    assert run.status == Status.CANCELLED
    assert not ModelVersion.objects.exists()


# Dying.


class Killed(BaseException):
    """What a killed worker looks like from inside: nothing after this line runs."""


CRASH_SITES = [
    (snapshots, "freeze", "before"),
    (snapshots, "freeze", "after"),
    (estimators, "fit", "before"),
    (runs.artifacts, "save", "after"),
    (runs, "_register", "after"),
    (runs, "evaluate", "before"),
    (runs, "evaluate", "after"),
]


@pytest.mark.usefixtures("no_probe")
@pytest.mark.parametrize(
    ("module", "name", "when"), CRASH_SITES, ids=[f"{when} {name}" for _, name, when in CRASH_SITES]
)
def test_a_worker_killed_anywhere_leaves_one_version_after_the_retry(
    module: Any, name: str, when: str
) -> None:
    project = trainable_project(n_train=40, n_test=10)
    run = request(project)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, name, dying(getattr(module, name), when=when))
        with pytest.raises(Killed):
            services.execute(run_id=run.pk, clock=at(NOW))
    run.refresh_from_db()
    assert run.status == Status.RUNNING

    later = NOW + timedelta(seconds=31)
    assert services.plan(now=later) == [run.pk]
    services.execute(run_id=run.pk, clock=at(later))
    run.refresh_from_db()
    assert (run.status, run.attempt) == (Status.SUCCEEDED, 2), run.error
    version = ModelVersion.objects.get()
    assert (version.run_id, version.number, version.status) == (
        run.pk,
        1,
        "insufficient",
    ), run.outcome
    assert version.evaluations.count() == 1


def dying(function: Callable[..., Any], *, when: str) -> Callable[..., Any]:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if when == "after":
            function(*args, **kwargs)
        raise Killed

    return wrapped


def test_a_worker_that_keeps_dying_fails_the_run_in_words() -> None:
    run = request(factories.make_project())
    now = NOW
    for _ in range(services.MAX_ATTEMPTS):
        assert services.plan(now=now) == [run.pk]
        assert runs.claim(run_id=run.pk, now=now)
        now += timedelta(seconds=31)
    assert services.plan(now=now) == []
    run.refresh_from_db()
    assert run.status == Status.FAILED
    assert run.error.startswith("The worker fell silent while starting, in attempt 3 of 3.")


def test_a_run_with_a_recent_heartbeat_is_left_alone() -> None:
    run = request(factories.make_project())
    runs.claim(run_id=run.pk, now=NOW)
    assert services.plan(now=NOW + timedelta(seconds=30)) == []
    run.refresh_from_db()
    assert run.status == Status.RUNNING


def test_a_worker_that_comes_back_from_the_dead_writes_nothing() -> None:
    run = request(trainable_project(n_train=40, n_test=0))
    undead = runs.claim(run_id=run.pk, now=NOW)
    assert undead is not None
    later = NOW + timedelta(seconds=31)
    services.plan(now=later)
    heir = runs.claim(run_id=run.pk, now=later)
    assert heir is not None
    with pytest.raises(runs.LostClaim):
        undead.touch(step="training")
    with pytest.raises(runs.LostClaim):
        undead.finish(Status.SUCCEEDED, now=later)
    heir.touch(step="training")
    run.refresh_from_db()
    assert (run.status, run.step, run.attempt) == (Status.RUNNING, "training", 2)


@pytest.mark.django_db(transaction=True)
def test_the_heartbeat_goes_on_while_the_run_works() -> None:
    run = request(factories.make_project())
    held = runs.claim(run_id=run.pk, now=NOW)
    assert held is not None
    with runs.heartbeat(held, clock=utcnow, every_seconds=0.02):
        deadline = utcnow() + timedelta(seconds=10)
        while run.heartbeat_at in (None, NOW) and utcnow() < deadline:
            run.refresh_from_db()
    assert run.heartbeat_at is not None
    assert run.heartbeat_at > NOW
