"""The pool is scored by the live version, and the least sure texts reach the annotators."""

import random
from collections import Counter
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from sklearn.pipeline import Pipeline

from curation import queries
from curation.models import (
    Label,
    Project,
    Ranking,
    ReviewItem,
    Sample,
    SampleScore,
    TrainingExclusion,
)
from curation.models.review import Queue
from curation.review.services import Pick, open_items
from tests import factories
from tests.curation.reviewing import at_once
from tests.factories import NOW
from tests.training.scenes import BLAME, PRAISE, label_texts, review
from training import estimators, registry, scoring, selection
from training.active_learning import STRATEGIES
from training.models import ModelVersion, TrainingPolicy

pytestmark = pytest.mark.django_db


def pool_of(project: Project, n: int, **fields: Any) -> list[int]:
    """Unlabelled samples of which some are clear and some are mixed."""
    rng = random.Random(5)
    texts = []
    for index in range(n):
        sides = ("positive", "negative") if index % 3 == 0 else ("positive", "positive")
        texts.append(" but ".join(review(rng, side) for side in sides))
    return [factories.make_sample(project, text=text, **fields).pk for text in texts]


@cache
def other_pipeline() -> Pipeline:
    """A version that is unsure about other texts than the usual one."""
    texts = [f"{word} {thing}" for word in (*PRAISE, *BLAME) for thing in ("soup", "staff", "fish")]
    labels = ["positive"] * 3 * len(PRAISE) + ["negative"] * 3 * len(BLAME)
    return estimators.fit(
        estimators.build("tfidf_logreg", params={}, seed=1), texts=texts, labels=labels
    )


@pytest.fixture
def project() -> Project:
    return project_with(margin=0.8, uniform=0.2)


def project_with(**shares: float) -> Project:
    made = factories.make_project(uncertain_queue_size=10)
    TrainingPolicy.objects.filter(project=made).update(sampling=shares)
    return made


def crown(new: ModelVersion, old: ModelVersion) -> None:
    """As a promotion or a rollback does."""
    ModelVersion.objects.filter(pk=old.pk).update(status="superseded")
    ModelVersion.objects.filter(pk=new.pk).update(status="live")


def ranking(project: Project) -> Ranking:
    return Ranking.objects.get(project=project)


def scorers() -> dict[str, int]:
    return dict(Counter(SampleScore.objects.values_list("model_version", flat=True)))


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
    opened = items()
    first = next(item for item in opened if item.sample_id == by_margin[0].sample_id)
    # Priorities are kept to two decimals.
    assert first.priority == pytest.approx(1 - by_margin[0].margin, abs=0.006)
    assert first.inclusion_probability == 1.0
    assert first.model_version == first.why["model"] == version.name
    assert first.why["margin"] == pytest.approx(by_margin[0].margin, abs=0.01)
    assert first.why["sentence"].startswith("v1 is unsure")
    assert {item.why["strategy"] for item in opened} <= {"margin", "uniform"}
    assert all(0 < (item.inclusion_probability or 0) <= 1 for item in opened)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_each_strategy_fills_the_queue(strategy: str) -> None:
    project = project_with(**{strategy: 0.7, "uniform": 0.3})
    factories.make_version(project, status="superseded", flipped=True)
    factories.make_version(project)
    pool_of(project, 30)
    assert scoring.score(now=NOW).opened == 10
    assert strategy in {item.why["strategy"] for item in items()}


def test_a_strategy_that_breaks_leaves_its_share_to_the_others(
    project: Project, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    TrainingPolicy.objects.filter(project=project).update(
        sampling={"diversity": 0.6, "margin": 0.3, "uniform": 0.1}
    )
    monkeypatch.setattr("training.active_learning._features", lambda *_: 1 / 0)
    factories.make_version(project)
    pool_of(project, 30)
    assert scoring.score(now=NOW).opened == 10
    assert {item.why["strategy"] for item in items()} <= {"margin", "uniform"}
    assert "diversity could not put the pool in order" in caplog.text


def test_the_chances_count_texts_that_no_strategy_saw(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "PICK_POOL", 4)
    factories.make_version(project)
    pool_of(project, 30)
    TrainingPolicy.objects.filter(project=project).update(sampling={"margin": 0.2, "uniform": 0.8})
    scoring.score(now=NOW)
    weights = [1 / (item.inclusion_probability or 0) for item in items()]
    assert len(weights) == 10
    assert sum(weights) == pytest.approx(30, abs=8)
    assert Counter(item.why["strategy"] for item in items())["uniform"] >= 6


def test_one_text_stands_for_its_cluster_and_none_for_one_that_was_asked(project: Project) -> None:
    factories.make_version(project)
    pool = pool_of(project, 6)
    first, twin, asked, asked_twin, labelled, other = (Sample.objects.get(pk=pk) for pk in pool)
    Sample.objects.filter(pk=twin.pk).update(cluster=first.cluster)
    Sample.objects.filter(pk=asked_twin.pk).update(cluster=asked.cluster)
    Sample.objects.filter(pk=other.pk).update(cluster=labelled.cluster)
    open_items(
        project=project,
        picks=[Pick(sample_id=asked.pk, queue=Queue.DISPUTED, priority=1, why={})],
        now=NOW,
    )
    Label.objects.create(
        sample=labelled, value="positive", origin="import", quality=0.9, created_at=NOW
    )
    scoring.score(now=NOW)
    assert [item.sample_id for item in items()] == [first.pk]


def test_a_text_that_nothing_may_learn_from_is_not_asked_about(project: Project) -> None:
    factories.make_version(project)
    excluded, other = pool_of(project, 2)
    TrainingExclusion.objects.create(sample_id=excluded, reason="Spam.", excluded_by="x", at=NOW)
    scoring.score(now=NOW)
    assert [item.sample_id for item in items()] == [other]


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


def test_an_empty_pool_is_not_searched_at_every_tick(project: Project) -> None:
    factories.make_version(project)
    pool_of(project, 4)
    assert scoring.score(now=NOW).opened == 4
    ReviewItem.objects.update(status="closed")
    with CaptureQueriesContext(connection) as asked:
        scoring.score(now=NOW + timedelta(seconds=5))
    assert not any("scored_pool" in query["sql"] for query in asked)
    pool_of(project, 1)
    assert scoring.score(now=NOW + timedelta(seconds=10)).opened == 1


def test_a_new_champion_ranks_when_it_has_scored_the_pool_and_not_before(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "BATCH", 4)
    old = factories.make_version(project)
    pool_of(project, 12)
    scoring.score(now=NOW)
    before = {item.pk: item.priority for item in items()}
    new = factories.make_version(project, status="blessed", pipeline=other_pipeline())
    crown(new, old)
    later = NOW + timedelta(minutes=1)
    assert scoring.score(now=later, seconds=0).scored == 4
    assert {item.pk: item.priority for item in items()} == before
    status = queries.ranking_status(project=project)
    assert status is not None
    assert (status.version, status.pending, status.pending_share) == ("v1", "v2", 4 / 12)
    assert status.said(now=later) == "ranked by v1, 1 min ago; v2 has scored 33 % and takes over"
    # A worker that dies in between goes on where the last batch ended.
    assert [scoring.score(now=later, seconds=0).scored for _ in range(3)] == [4, 4, 0]
    status = queries.ranking_status(project=project)
    assert status is not None
    assert status.said(now=later) == "ranked by v2, just now, 100 % current"
    margins = dict(
        SampleScore.objects.filter(model_version="v2").values_list("sample_id", "margin")
    )
    for item in items():
        if item.why["strategy"] == "uniform":
            assert item.priority == before[item.pk]
        else:
            assert item.priority == pytest.approx(1 - margins[item.sample_id], abs=0.006)
    assert {item.pk: item.priority for item in items()} != before
    assert scorers() == {"v1": 12, "v2": 12}


def test_the_queue_is_refilled_by_the_old_scores_while_the_new_ones_come(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "BATCH", 4)
    old = factories.make_version(project)
    pool_of(project, 40)
    scoring.score(now=NOW)
    crown(factories.make_version(project, status="blessed", pipeline=other_pipeline()), old)
    ReviewItem.objects.update(status="closed")
    assert scoring.score(now=NOW + timedelta(minutes=2), seconds=0).opened == 10
    assert {item.model_version for item in items()} == {"v1"}


def test_a_rolled_back_version_ranks_at_once_by_the_scores_it_left(project: Project) -> None:
    old = factories.make_version(project)
    pool_of(project, 12)
    scoring.score(now=NOW)
    before = {item.pk: item.priority for item in items()}
    new = factories.make_version(project, status="blessed", pipeline=other_pipeline())
    crown(new, old)
    scoring.score(now=NOW)
    assert ranking(project).version == "v2"
    crown(old, new)
    assert scoring.score(now=NOW, seconds=0).scored == 0
    assert ranking(project).version == "v1"
    assert {item.pk: item.priority for item in items()} == before


def test_a_rollback_before_the_swap_leaves_the_ranking_as_it_was(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "BATCH", 4)
    old = factories.make_version(project)
    pool_of(project, 12)
    scoring.score(now=NOW)
    new = factories.make_version(project, status="blessed", pipeline=other_pipeline())
    crown(new, old)
    scoring.score(now=NOW, seconds=0)
    crown(old, new)
    scoring.score(now=NOW, seconds=0)
    assert (ranking(project).version, ranking(project).pending) == ("v1", "")


def test_priorities_that_would_not_change_are_not_written(project: Project) -> None:
    old = factories.make_version(project)
    pool_of(project, 12)
    scoring.score(now=NOW)
    written = dict(ReviewItem.objects.extra(select={"t": "ctid::text"}).values_list("pk", "t"))
    crown(factories.make_version(project, status="blessed"), old)
    scoring.score(now=NOW)
    assert ranking(project).version == "v2"
    again = dict(ReviewItem.objects.extra(select={"t": "ctid::text"}).values_list("pk", "t"))
    assert again == written


def test_scores_that_nothing_can_go_back_to_are_deleted(project: Project) -> None:
    old = factories.make_version(project)
    pool_of(project, 3)
    for _ in range(4):
        scoring.score(now=NOW)
        new = factories.make_version(project, status="blessed")
        crown(new, old)
        old = new
    scoring.score(now=NOW)
    assert set(scorers()) == {"v3", "v4", "v5"}
    assert ranking(project).stored == ["v3", "v4", "v5"]


def test_a_text_whose_label_was_withdrawn_is_scored_by_the_sweep(project: Project) -> None:
    factories.make_version(project)
    pool_of(project, 3)
    (label,) = label_texts(project, [("great but cold", "positive")])
    pool_of(project, 3)
    assert scoring.score(now=NOW + timedelta(minutes=5)).scored == 6
    Label.objects.filter(pk=label.pk).update(is_current=False)
    assert scoring.score(now=NOW + timedelta(minutes=6)).scored == 0
    assert scoring.score(now=NOW + timedelta(minutes=16)).scored == 1


def test_one_tick_scores_a_bounded_number(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "BATCH", 4)
    factories.make_version(project)
    pool_of(project, 10)
    assert [scoring.score(now=NOW, seconds=0).scored for _ in range(4)] == [4, 4, 2, 0]


def test_a_tick_without_work_is_cheap(project: Project) -> None:
    factories.make_version(project)
    pool_of(project, 10)
    scoring.score(now=NOW)
    with CaptureQueriesContext(connection) as asked:
        assert scoring.score(now=NOW) == scoring.ScoreReport(scored=0, opened=0)
    assert len(asked) <= 7  # Two of them mark the savepoint.


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_score_and_refill_once(project: Project) -> None:
    factories.make_version(project)
    pool_of(project, 40)
    reports = at_once(*[lambda: scoring.score(now=NOW) for _ in range(3)])
    reports.append(scoring.score(now=NOW))
    assert not [report for report in reports if isinstance(report, Exception)]
    assert (SampleScore.objects.count(), len(items())) == (40, 10)


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
