"""The champion's crown passes in one step, to the version that was judged against it."""

import threading
from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction

from curation.models import Project
from feedbackhub.core.transitions import ForbiddenTransition, StaleTransition, history
from tests import factories
from tests.factories import NOW
from training import registry
from training.artifacts import ArtifactMissing
from training.models import Evaluation, ModelVersion

pytestmark = pytest.mark.django_db
Status = ModelVersion.Status


@pytest.fixture
def project() -> Project:
    return factories.make_project()


def judged(version: ModelVersion, champion: ModelVersion | None, verdict: str = "blessed") -> None:
    Evaluation.objects.create(
        version=version,
        champion=champion,
        verdict=verdict,
        summary="",
        n_test=300,
        test_digest="",
        metrics={},
        policy={},
        created_at=NOW,
    )


def blessed(project: Project, champion: ModelVersion | None) -> ModelVersion:
    version = factories.make_version(project, status=Status.BLESSED)
    judged(version, champion)
    return version


def crown(version: ModelVersion, champion: ModelVersion | None) -> None:
    registry.crown(
        version=version, expected_champion=champion, actor="lead", reason="Better.", now=NOW
    )


def statuses(project: Project) -> list[str]:
    rows = ModelVersion.objects.filter(project=project).order_by("number")
    return list(rows.values_list("status", flat=True))


def test_the_first_version_is_crowned_without_a_champion(project: Project) -> None:
    version = blessed(project, None)
    crown(version, None)
    assert registry.live_version(project_id=project.pk) == version


def test_crowning_supersedes_the_champion_and_writes_both_moves(project: Project) -> None:
    old = factories.make_version(project)
    new = blessed(project, old)
    crown(new, old)
    assert statuses(project) == ["superseded", "live"]
    assert history(old).get().reason == history(new).get().reason == "Better."


def test_crowning_over_another_champion_changes_nothing(project: Project) -> None:
    stranger = factories.make_version(project, status=Status.SUPERSEDED)
    old = factories.make_version(project)
    new = blessed(project, old)
    with pytest.raises(StaleTransition):
        crown(new, stranger)
    with pytest.raises(StaleTransition):
        crown(new, None)
    assert statuses(project) == ["superseded", "live", "blessed"]
    assert not history(new).exists()


def test_a_blessing_against_an_earlier_champion_does_not_crown(project: Project) -> None:
    earlier = factories.make_version(project, status=Status.SUPERSEDED)
    now_live = factories.make_version(project)
    new = blessed(project, earlier)
    assert not registry.blessed_versions(project=project).exists()
    with pytest.raises(StaleTransition, match="judged again"):
        crown(new, now_live)
    assert statuses(project) == ["superseded", "live", "blessed"]


@pytest.mark.parametrize("status", [Status.CANDIDATE, Status.REJECTED, Status.INSUFFICIENT])
def test_only_a_blessed_version_is_crowned(project: Project, status: str) -> None:
    version = factories.make_version(project, status=status)
    judged(version, None)
    with pytest.raises((ForbiddenTransition, StaleTransition)):
        crown(version, None)


def test_a_version_whose_file_is_gone_is_not_crowned(project: Project) -> None:
    old = factories.make_version(project)
    new = blessed(project, old)
    registry.load_pipeline(new)
    registry.artifact_file(new).unlink()
    with pytest.raises(ArtifactMissing):
        crown(new, old)
    assert statuses(project) == ["live", "blessed"]


def test_rollback_reinstates_a_former_champion_and_quarantines(project: Project) -> None:
    old = factories.make_version(project)
    new = blessed(project, old)
    # The factory made ``old`` live without a history; give it one the real way.
    crown(new, old)
    newest = blessed(project, new)
    crown(newest, new)
    registry.reinstate(version=new, instead_of=newest, actor="lead", reason="Worse.", now=NOW)
    assert statuses(project) == ["superseded", "live", "quarantined"]


def test_rollback_never_goes_to_a_version_that_never_served(project: Project) -> None:
    shelved = factories.make_version(project, status=Status.SUPERSEDED)
    live = factories.make_version(project)
    with pytest.raises(registry.NeverLive):
        registry.reinstate(version=shelved, instead_of=live, actor="lead", reason="", now=NOW)
    assert statuses(project) == ["superseded", "live"]


def test_the_database_refuses_a_second_live_version(project: Project) -> None:
    factories.make_version(project)
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.make_version(project)


def test_blessed_versions_are_those_judged_against_the_live_one(project: Project) -> None:
    live = factories.make_version(project)
    ready = blessed(project, live)
    renewed = blessed(project, None)
    judged(renewed, live)
    lost = blessed(project, live)
    judged(lost, live, "insufficient")
    assert list(registry.blessed_versions(project=project)) == [ready, renewed]


@pytest.mark.django_db(transaction=True)
def test_of_two_promotions_at_once_one_wins_and_one_is_told() -> None:
    project = factories.make_project()
    old = factories.make_version(project)
    rivals = [blessed(project, old), blessed(project, old)]
    results = at_once([lambda v=v: crown(v, old) for v in rivals])  # type: ignore[misc]
    assert sorted(type(result) for result in results if result) == [StaleTransition]
    assert sorted(statuses(project)) == ["blessed", "live", "superseded"]


@pytest.mark.django_db(transaction=True)
def test_of_two_first_promotions_at_once_one_wins_and_one_is_told() -> None:
    project = factories.make_project()
    rivals = [blessed(project, None), blessed(project, None)]
    results = at_once([lambda v=v: crown(v, None) for v in rivals])  # type: ignore[misc]
    assert [type(result) for result in results if result] == [StaleTransition]
    assert sorted(statuses(project)) == ["blessed", "live"]


@pytest.mark.django_db(transaction=True)
def test_numbers_are_drawn_once_even_at_the_same_time() -> None:
    project = factories.make_project()
    drawn: list[int] = []

    def draw() -> None:
        # The version itself is left out: holding the lock until the end of the transaction is
        # what keeps a second run from drawing before the first has written.
        with transaction.atomic():
            drawn.append(registry.next_number(project_id=project.pk))
            factories.make_version(project, status=Status.REJECTED)

    assert at_once([draw] * 4) == [None] * 4
    assert sorted(drawn) == [1, 2, 3, 4]


def at_once(calls: list[Callable[[], None]]) -> list[BaseException | None]:
    """Run the calls in threads that start together; what each raised, in order."""
    barrier = threading.Barrier(len(calls))
    results: list[BaseException | None] = [None] * len(calls)

    def run(index: int, call: Callable[[], None]) -> None:
        try:
            barrier.wait()
            call()
        except Exception as error:
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
