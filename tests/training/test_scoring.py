"""The pool is scored by the live version, and the least sure texts reach the annotators."""

import random
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from curation.models import Project, ReviewItem, SampleScore
from curation.models.review import Queue
from tests import factories
from tests.factories import NOW
from tests.training.scenes import label_texts, review
from training import registry, scoring
from training.models import ModelVersion

pytestmark = pytest.mark.django_db


def pool_of(project: Project, n: int, **fields: Any) -> list[int]:
    """Unlabelled samples of which some are clear and some are mixed."""
    rng = random.Random(5)
    texts = []
    for index in range(n):
        sides = ("positive", "negative") if index % 3 == 0 else ("positive", "positive")
        texts.append(" but ".join(review(rng, side) for side in sides))
    return [factories.make_sample(project, text=text, **fields).pk for text in texts]


@pytest.fixture
def project() -> Project:
    return factories.make_project(uncertain_queue_size=10)


def items() -> list[ReviewItem]:
    return list(ReviewItem.objects.filter(queue=Queue.UNCERTAIN).order_by("-priority", "id"))


def test_nothing_happens_before_there_is_a_model(project: Project) -> None:
    pool_of(project, 5)
    assert scoring.score(now=NOW) == scoring.ScoreReport(scored=0, opened=0)
    assert not ReviewItem.objects.exists()


def test_the_least_sure_texts_wait_for_annotators_with_the_reason(project: Project) -> None:
    version = factories.make_version(project)
    pool = pool_of(project, 30)
    assert scoring.score(now=NOW) == scoring.ScoreReport(scored=30, opened=10)
    by_margin = list(SampleScore.objects.order_by("margin", "sample_id"))
    assert {score.sample_id for score in by_margin} == set(pool)
    ranked = [item for item in items() if item.why["strategy"] == "margin"]
    drawn = [item for item in items() if item.why["strategy"] == "uniform"]
    # Priorities are kept to two decimals, so items nearly alike may swap places.
    assert {item.sample_id for item in ranked} == {score.sample_id for score in by_margin[:9]}
    assert ranked[0].priority == pytest.approx(1 - by_margin[0].margin, abs=0.006)
    assert [item.inclusion_probability for item in ranked] == [1.0] * 9
    assert [item.inclusion_probability for item in drawn] == [pytest.approx(1 / 21)]
    assert ranked[0].model_version == ranked[0].why["model"] == version.name
    assert ranked[0].why["margin"] == pytest.approx(by_margin[0].margin, abs=0.01)
    assert ranked[0].why["sentence"].startswith("v1 is unsure")


def test_test_texts_and_labelled_texts_are_never_picked(project: Project) -> None:
    factories.make_version(project)
    pool_of(project, 5, split="test")
    pool_of(project, 5, split=None)
    label_texts(project, [("great but cold", "positive")])
    assert scoring.score(now=NOW) == scoring.ScoreReport(scored=0, opened=0)


def test_the_queue_is_refilled_in_portions(project: Project) -> None:
    factories.make_version(project)
    pool_of(project, 40)
    scoring.score(now=NOW)
    first = {item.sample_id for item in items()}
    ReviewItem.objects.filter(pk__in=[item.pk for item in items()[:2]]).update(status="closed")
    assert scoring.score(now=NOW).opened == 0
    ReviewItem.objects.filter(pk=items()[5].pk).update(status="closed")
    assert scoring.score(now=NOW).opened == 3
    assert len({item.sample_id for item in items()} - first) == 3


def test_a_new_champion_scores_the_pool_anew(project: Project) -> None:
    old = factories.make_version(project)
    pool_of(project, 6)
    scoring.score(now=NOW)
    ModelVersion.objects.filter(pk=old.pk).update(status="superseded")
    factories.make_version(project, flipped=True)
    assert scoring.score(now=NOW + timedelta(seconds=5)).scored == 6
    assert set(SampleScore.objects.values_list("model_version", flat=True)) == {"v2"}


def test_one_tick_scores_a_bounded_number(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "BATCH", 4)
    factories.make_version(project)
    pool_of(project, 10)
    assert [scoring.score(now=NOW).scored for _ in range(4)] == [4, 4, 2, 0]


def test_a_tick_without_work_is_cheap(project: Project) -> None:
    factories.make_version(project)
    pool_of(project, 10)
    scoring.score(now=NOW)
    with CaptureQueriesContext(connection) as asked:
        assert scoring.score(now=NOW) == scoring.ScoreReport(scored=0, opened=0)
    assert len(asked) <= 6  # Two of them mark the savepoint.


def test_the_trouble_of_one_project_does_not_stop_the_others(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    broken = factories.make_version(project)
    pool_of(project, 3)
    registry.artifact_file(broken).unlink()
    registry._load.cache_clear()
    other = factories.make_project()
    factories.make_version(other)
    pool_of(other, 4)
    assert scoring.score(now=NOW).scored == 4
    assert f"The pool of {project.slug} could not be scored" in caplog.text
