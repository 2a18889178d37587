"""Near-duplicates share a cluster and so a split, or are used in none; as new texts come in."""

import random
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from curation import queries
from curation.digest.near import forget
from curation.digest.normalise import normalise
from curation.digest.samples import NewSample, upsert_samples
from curation.digest.sketch import ALIKE, grams, jaccard
from curation.labels import Belief, believe
from curation.models import Band, Cluster, Label, Project, Sample
from curation.models.sample import Split
from curation.rankings import Score, record_scores
from feedbackhub.demo.corpus import generate_reviews
from tests.factories import NOW, make_project

pytestmark = pytest.mark.django_db

SOUP = "The soup was served with a smile, but the dessert came late and cold."
SOUPS = "The soup was served with a smile but the dessert came late and cold!!"
TORN = "The soup was served with a smile, and the bill came late and cold as usual."
BREAD = "They brought us the bill late and cold as usual, with a smile and the soup."


def add(project: Project, *texts: str, origin: str = Sample.Origin.FEEDBACK) -> list[Sample]:
    ids = upsert_samples(
        project=project, samples=[NewSample(text, origin) for text in texts], now=NOW
    )
    found = Sample.objects.select_related("cluster").in_bulk(ids)
    return [found[pk] for pk in ids]


def split(sample: Sample) -> str | None:
    return sample.cluster.split if sample.cluster else None


def held_out(project: Project, *texts: str) -> list[Sample]:
    """Imported into the test split."""
    project.curation_policy.test_share = 1.0
    project.curation_policy.save()
    return add(project, *texts, origin=Sample.Origin.IMPORT)


def label(sample: Sample, value: str, *, origin: str = Label.Origin.ANNOTATION) -> None:
    believe(
        beliefs=[Belief(sample.pk, value, origin, 0.95, ["Said so."])],
        now=NOW,
    )


def alike(one: str, other: str) -> bool:
    return jaccard(grams(normalise(one)), grams(normalise(other))) >= ALIKE


def test_a_near_duplicate_of_a_held_out_text_is_never_trained_on() -> None:
    project = make_project()
    (tested,) = held_out(project, SOUP)
    (said_again,) = add(project, SOUPS)
    label(tested, "good")
    label(said_again, "good")

    assert split(said_again) == Split.TEST
    assert queries.training_labels(project=project, min_quality=0.0) == []
    assert queries.new_label_count(project=project, since=None) == 0
    assert [row.sample_id for row in queries.test_labels(project=project)] == [
        tested.pk,
        said_again.pk,
    ]


def test_a_text_alike_to_texts_of_two_splits_is_used_nowhere() -> None:
    project = make_project()
    (trained,) = add(project, "we all had the soup and the lovely bread at the window table")
    (tested,) = held_out(project, "and the lovely bread at the window table was what we came for")
    torn_text = "we all had the soup and the lovely bread at the window table was what we came for"
    assert alike(torn_text, str(trained.text))
    assert alike(torn_text, str(tested.text))
    assert not alike(str(trained.text), str(tested.text))

    (torn,) = add(project, torn_text)
    for sample in (trained, tested, torn):
        label(sample, "good")
    scores = [Score(torn.pk, "good", 0.5, 0.1, 0.6)]
    record_scores(scores=scores, model_version="v1", now=NOW)

    assert torn.cluster is None
    used = [
        *queries.training_labels(project=project, min_quality=0.0),
        *queries.test_labels(project=project),
        *queries.calibration_labels(project=project),
    ]
    assert {row.sample_id for row in used} == {trained.pk, tested.pk}
    assert queries.new_label_count(project=project, since=None) == 1
    for name in Split.values:
        assert torn.pk in queries.outside_split(sample_ids=[torn.pk], split=name)
    Label.objects.filter(sample=torn).update(is_current=False)
    pool = queries.scored_pool(project=project, model_version="v1", head=9, others=9, seed=1)
    assert pool.size == 0

    # What is alike to the unused text alone is alike to nothing that is used.
    (later,) = add(project, "all had the soup, and lovely bread at the table was what we came for")
    assert alike(str(later.text), torn_text)
    expected = [s for s in (trained, tested) if alike(str(later.text), str(s.text))]
    assert not expected
    assert split(later) is not None
    assert later.cluster_id not in {trained.cluster_id, tested.cluster_id}


def test_a_text_joins_the_cluster_of_the_earliest_it_is_like_and_clusters_never_merge() -> None:
    project = make_project()
    left = "we all had the soup and the lovely bread at the window table"
    right = "and the lovely bread at the window table was what we came for"
    both = "we all had the soup and the lovely bread at the window table was what we came for"

    first, second, joining, last = add(project, left, right, both, both + "!")

    assert first.cluster_id != second.cluster_id
    assert joining.cluster_id == last.cluster_id == first.cluster_id
    assert first.cluster is not None
    assert first.cluster.representative_id == first.pk
    # The same by another road: one text a call.
    (again,) = add(project, both.upper() + " ?")
    assert again.cluster_id == first.cluster_id


def test_labels_have_no_part_in_it_and_stay_where_they_are() -> None:
    project = make_project()
    good, not_good = add(
        project, "the soup they served us was good", "the soup they served us was not good"
    )
    label(good, "good")
    label(not_good, "bad")

    assert good.cluster_id == not_good.cluster_id
    assert {
        row.text: row.value for row in queries.training_labels(project=project, min_quality=0)
    } == {
        good.text: "good",
        not_good.text: "bad",
    }


def test_short_texts_are_the_same_or_they_are_not() -> None:
    project = make_project()
    one, other, same = add(project, "good food!!", "good food!", "GOOD  food!")

    assert one.cluster_id != other.cluster_id
    assert same.pk == other.pk
    assert not Band.objects.exists()


def test_projects_do_not_meet() -> None:
    (here,), (there,) = add(make_project(), SOUP), add(make_project(), SOUPS)
    assert here.cluster_id != there.cluster_id


@pytest.mark.django_db(transaction=True)
def test_two_writers_at_once_do_not_miss_each_others_texts() -> None:
    project = make_project()
    wrote = threading.Event()

    def second() -> int | None:
        try:
            assert wrote.wait(10)
            return add(project, SOUPS)[0].cluster_id
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            (first,) = add(project, SOUP)
            wrote.set()
            waiting = pool.submit(second)
            # It looks, and has to wait for this transaction rather than miss what it wrote.
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.5)
        assert waiting.result(timeout=10) == first.cluster_id
    assert Cluster.objects.count() == 1


def test_an_erased_text_leaves_no_trace_to_be_found_by() -> None:
    project = make_project()
    (gone,) = held_out(project, SOUP)
    assert Band.objects.filter(sample_id=gone.pk).exists()

    forget(project_id=project.pk, texts={gone.pk: str(gone.text)})
    Sample.objects.filter(pk=gone.pk).update(text=None, signature=None)

    assert not Band.objects.exists()
    (later,) = add(project, SOUPS)
    assert split(later) == Split.TRAIN
    # The erased text comes again, and its near-duplicate may have been trained on meanwhile.
    (back,) = add(project, SOUP)
    assert back.pk == gone.pk
    assert back.cluster is None


def test_an_erased_text_that_meets_no_other_split_comes_back_to_its_cluster() -> None:
    project = make_project()
    (gone,) = add(project, SOUP)
    forget(project_id=project.pk, texts={gone.pk: str(gone.text)})
    Sample.objects.filter(pk=gone.pk).update(text=None, signature=None)
    Cluster.objects.update(representative=None)

    back, later = add(project, SOUP, SOUPS)

    assert back.cluster_id == gone.cluster_id == later.cluster_id
    assert Cluster.objects.get().representative_id == gone.pk


def test_a_template_fills_one_cluster_without_filling_the_bands() -> None:
    project = make_project()
    texts = [
        f"Your table number {n} is ready, please come to the window on the left."
        for n in range(400)
    ]

    add(project, *texts[:200])
    samples = add(project, *texts[200:])

    assert Cluster.objects.count() == 1
    assert len({sample.cluster_id for sample in samples}) == 1
    # Without a cap there would be 20 a text.
    assert Band.objects.count() < 400 * 10


def _expected(texts: Sequence[str]) -> list[set[int]]:
    """By brute force: the earlier texts each is like."""
    sets = [grams(normalise(text)) for text in texts]
    return [
        {earlier for earlier in range(at) if jaccard(sets[at], sets[earlier]) >= ALIKE}
        for at in range(len(texts))
    ]


def _reworded(text: str, rng: random.Random) -> str:
    words = text.split()
    at = rng.randrange(len(words))
    return " ".join(
        [*words[:at], rng.choice(["really", "just", "so"]), *words[at + rng.randrange(2) :]]
    )


def test_batch_after_batch_gives_what_brute_force_gives() -> None:
    rng = random.Random(11)
    texts = list({normalise(review.text) for review in generate_reviews(n=500, seed=3)})
    texts += list({normalise(_reworded(rng.choice(texts), rng)) for _ in range(250)} - set(texts))
    texts = [text for text in texts if len(text) >= 12]
    rng.shuffle(texts)
    project = make_project(test_share=0.5)
    samples: list[Sample] = []
    for start in range(0, len(texts), 90):
        samples += add(project, *texts[start : start + 90], origin=Sample.Origin.IMPORT)

    wrong = leaks = matched = 0
    for sample, earlier in zip(samples, _expected(texts), strict=True):
        near = [samples[at] for at in sorted(earlier) if samples[at].cluster is not None]
        splits = {split(each) for each in near}
        matched += bool(near)
        leaks += len(splits | {split(sample)} - {None}) > 1 and sample.cluster is not None
        if len(splits) > 1:
            wrong += sample.cluster is not None
        elif near:
            wrong += sample.cluster_id != near[0].cluster_id
        else:
            wrong += sample.cluster is None or sample.cluster.representative_id != sample.pk
    assert matched > 150
    assert wrong <= 0.02 * matched
    assert leaks <= 0.01 * matched
