"""A status moves in one place: allowed, forbidden, raced; its history cannot be rewritten."""

import threading
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection, transaction

from curation.models import Project
from feedbackhub.core.transitions import ForbiddenTransition, StaleTransition, history, move
from training.models import TrainingRun

NOW = datetime(2026, 11, 23, tzinfo=UTC)
Status = TrainingRun.Status


def queued_run() -> TrainingRun:
    project = Project.objects.create(slug="reviews", name="Reviews", created_at=NOW)
    return TrainingRun.objects.create(
        project=project, trigger="button", reason="asked", estimator="x", seed=1, created_at=NOW
    )


def go(run: TrainingRun, *, expected: str, to: str) -> None:
    move(run, moves=TrainingRun.MOVES, expected=expected, to=to, actor="ann", now=NOW, step="go")


@pytest.mark.django_db
def test_an_allowed_move_changes_the_row_and_leaves_its_history() -> None:
    run = queued_run()
    go(run, expected=Status.QUEUED, to=Status.RUNNING)
    assert (run.status, run.step) == ("running", "go")
    run.refresh_from_db()
    assert (run.status, run.step) == ("running", "go")
    (change,) = history(run)
    assert (change.from_status, change.to_status, change.actor) == ("queued", "running", "ann")


@pytest.mark.django_db
def test_a_move_outside_the_table_is_refused() -> None:
    run = queued_run()
    with pytest.raises(ForbiddenTransition):
        go(run, expected=Status.QUEUED, to=Status.SUCCEEDED)
    run.refresh_from_db()
    assert run.status == "queued"
    assert not history(run).exists()


@pytest.mark.django_db
def test_a_move_from_a_status_the_row_has_left_is_stale() -> None:
    run = queued_run()
    go(run, expected=Status.QUEUED, to=Status.RUNNING)
    with pytest.raises(StaleTransition):
        go(run, expected=Status.QUEUED, to=Status.RUNNING)
    assert history(run).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_racing_moves_exactly_one_wins() -> None:
    run = queued_run()
    outcomes: list[str] = []
    start = threading.Barrier(8)

    def race() -> None:
        start.wait()
        try:
            go(TrainingRun.objects.get(pk=run.pk), expected=Status.QUEUED, to=Status.RUNNING)
            outcomes.append("won")
        except StaleTransition:
            outcomes.append("stale")
        finally:
            connection.close()

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["stale"] * 7 + ["won"]
    assert history(run).count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sql", ["UPDATE core_statuschange SET actor = 'x'", "DELETE FROM core_statuschange"]
)
def test_history_cannot_be_rewritten(sql: str) -> None:
    run = queued_run()
    go(run, expected=Status.QUEUED, to=Status.RUNNING)
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
    assert history(run).get().actor == "ann"
