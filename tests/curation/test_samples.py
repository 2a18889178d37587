"""Samples: one a text, its split fixed once, safe under two writers."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from curation.digest.samples import NewSample, split_of, upsert_samples
from curation.models import Cluster, Sample
from curation.models.sample import Split
from tests.factories import NOW, make_project

pytestmark = pytest.mark.django_db


def test_equal_texts_become_one_sample_and_ids_come_back_in_order() -> None:
    project = make_project()
    texts = ["Great food!", "awful soup", "  GREAT   food! "]

    ids = upsert_samples(
        project=project, samples=[NewSample(text, Sample.Origin.POOL) for text in texts], now=NOW
    )

    assert ids[0] == ids[2] != ids[1]
    assert Sample.objects.get(pk=ids[0]).text == "Great food!"
    assert Cluster.objects.count() == 2


def test_a_text_we_had_keeps_its_cluster_whatever_it_comes_with() -> None:
    project = make_project(test_share=1.0)
    (imported,) = upsert_samples(
        project=project, samples=[NewSample("fine", Sample.Origin.IMPORT)], now=NOW
    )
    (served,) = upsert_samples(
        project=project, samples=[NewSample("fine", Sample.Origin.FEEDBACK)], now=NOW
    )

    assert served == imported
    sample = Sample.objects.select_related("cluster").get()
    assert sample.origin == Sample.Origin.IMPORT
    assert sample.cluster is not None
    assert sample.cluster.split == Split.TEST


def test_the_same_text_in_two_projects_is_two_samples() -> None:
    ids = {
        upsert_samples(
            project=make_project(), samples=[NewSample("fine", Sample.Origin.POOL)], now=NOW
        )[0]
        for _ in range(2)
    }
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (Sample.Origin.IMPORT, {Split.TEST, Split.TRAIN}),
        (Sample.Origin.AUDIT, {Split.TEST, Split.CALIBRATE}),
        (Sample.Origin.FEEDBACK, {Split.TRAIN}),
        (Sample.Origin.POOL, {Split.TRAIN}),
    ],
)
def test_the_origin_of_a_text_decides_which_splits_it_may_enter(
    origin: str, allowed: set[Split]
) -> None:
    drawn = [
        split_of(origin=origin, digest=number.to_bytes(32), test_share=0.25)
        for number in range(400)
    ]
    assert set(drawn) == allowed
    if origin == Sample.Origin.IMPORT:
        assert 70 < drawn.count(Split.TEST) < 130
    if origin == Sample.Origin.AUDIT:
        assert 270 < drawn.count(Split.TEST) < 330


def test_a_thousand_texts_take_a_few_queries(django_assert_num_queries: object) -> None:
    project = make_project()
    samples = [NewSample(f"text {n}", Sample.Origin.POOL) for n in range(1000)]
    # Look up, lock, look up again, policy, ids, insert, and the savepoint around them; texts long
    # enough to have near-duplicates take two more.
    with django_assert_num_queries(8):  # type: ignore[operator]
        upsert_samples(project=project, samples=samples, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_two_writers_of_the_same_texts_make_each_sample_once() -> None:
    project = make_project()
    texts = [f"text {n}" for n in range(300)]

    def write(order: list[str]) -> list[int]:
        try:
            return upsert_samples(
                project=project,
                samples=[NewSample(text, Sample.Origin.POOL) for text in order],
                now=NOW,
            )
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(write, [texts, texts[::-1], texts, texts[::-1]]))

    assert answers[0] == answers[1][::-1] == answers[2] == answers[3][::-1]
    assert Sample.objects.count() == Cluster.objects.count() == 300


def test_a_new_sample_knows_its_length_and_language() -> None:
    project = make_project()
    texts = ["Das Essen war kalt und die Bedienung langsam.", "ok", "Отличный суп"]

    ids = upsert_samples(
        project=project, samples=[NewSample(text, Sample.Origin.POOL) for text in texts], now=NOW
    )

    known = Sample.objects.in_bulk(ids)
    assert [known[pk].language for pk in ids] == ["de", "und", "ru"]
    assert [known[pk].length for pk in ids] == [len(text) for text in texts]


def test_an_erased_text_that_someone_sends_again_goes_back_to_its_row_and_split() -> None:
    project = make_project()
    (first,) = upsert_samples(
        project=project, samples=[NewSample("fine", Sample.Origin.FEEDBACK)], now=NOW
    )
    Sample.objects.update(text=None, metadata=None, prediction_id=None)

    (again,) = upsert_samples(
        project=project, samples=[NewSample("Fine", Sample.Origin.AUDIT)], now=NOW
    )

    sample = Sample.objects.select_related("cluster").get()
    assert again == first == sample.pk
    assert sample.text == "Fine"
    assert sample.cluster is not None
    assert sample.cluster.split == Split.TRAIN
