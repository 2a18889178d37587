"""Which queue's labels moved a version: measured by leaving them out, with an honest interval."""

import random
import uuid
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest

from curation.models import Annotation, LabelEvidence, Project, ReviewItem
from curation.models.review import Queue
from curation.models.sample import Split
from feedbackhub.core.ids import uuid7
from tests import factories
from tests.curation.reviewing import at_once
from tests.factories import NOW
from tests.training.scenes import BLAME, PRAISE, label_reviews, label_texts, trainable_project
from training import snapshots, tasks, value
from training.models import Evaluation, ModelVersion, VersionValue
from training.worth import gain

LATER = NOW + timedelta(hours=1)


def test_a_gain_counts_the_labels_on_which_only_one_model_is_right() -> None:
    better = [True] * 6 + [False] * 2 + [True] * 92
    worse = [False] * 6 + [True] * 2 + [True] * 92
    found = gain(better, worse, seed=1)
    assert found is not None
    assert found.delta == pytest.approx(0.04)
    assert (found.low, found.high) == (
        pytest.approx(-0.02, abs=0.015),
        pytest.approx(0.1, abs=0.02),
    )
    assert not found.is_sure


def test_models_that_never_differed_are_not_called_alike_for_certain() -> None:
    few, many = gain([True] * 40, [True] * 40, seed=1), gain([True] * 4000, [True] * 4000, seed=1)
    assert few is not None
    assert many is not None
    assert few.low < 0 < few.high
    assert few.high - few.low > 10 * (many.high - many.low) > 0
    assert gain([], [], seed=1) is None


def test_the_interval_holds_the_true_gain_as_often_as_it_says() -> None:
    rng, hits = np.random.default_rng(2), 0
    for seed in range(300):
        steps = rng.choice([1, -1, 0], p=[0.12, 0.05, 0.83], size=150)
        found = gain((steps == 1).tolist(), (steps == -1).tolist(), seed=seed)
        assert found is not None
        hits += found.low <= 0.07 <= found.high
    assert hits / 300 == pytest.approx(0.95, abs=0.03)


def annotated(project: Project, texts: Sequence[tuple[str, str]], *, queue: str) -> None:
    """Labels that annotators gave in a queue."""
    user = factories.make_member(project)
    for label in label_texts(project, texts, origin="annotation", now=LATER):
        item = ReviewItem.objects.create(
            project=project,
            sample=label.sample,
            queue=queue,
            status="done",
            needed=1,
            taken=1,
            done=1,
            created_at=LATER,
        )
        annotation = Annotation.objects.create(
            item=item,
            sample=label.sample,
            user=user,
            kind="label",
            value=label.value,
            submission_key=uuid.uuid4(),
            submitted_at=LATER,
        )
        LabelEvidence.objects.create(label=label, annotation=annotation)


def train(project: Project) -> ModelVersion:
    """A judged version of the labels there are; nobody asks for its file here."""
    version = factories.make_version(project, status="insufficient")
    version.run.snapshot = snapshots.freeze(project=project, min_quality=0.6, now=LATER)
    version.run.save()
    Evaluation.objects.create(
        version=version,
        verdict="insufficient",
        n_test=0,
        metrics={},
        policy={},
        created_at=LATER,
    )
    return version


def sentences(words: dict[str, str], n: int, seed: int) -> list[tuple[str, str]]:
    """``n`` texts of words that mean what the dict says."""
    rng = random.Random(seed)
    said = rng.choices(sorted(words), k=n)
    return [(f"{word} {seed} table {index}", words[word]) for index, word in enumerate(said)]


SLANG = {"banging": "positive", "peng": "positive", "minging": "negative", "grim": "negative"}


@pytest.fixture
def project(db: None) -> Project:
    """A first version that knows no slang, which half of the test labels speak."""
    project = trainable_project(n_train=120, n_test=40, min_test_labels=60)
    label_texts(project, sentences(SLANG, 60, 5), split=Split.TEST)
    train(project)
    return project


def test_the_queue_that_taught_the_slang_is_told_from_the_one_that_repeated(
    project: Project,
) -> None:
    annotated(project, sentences(SLANG, 40, 6), queue=Queue.UNCERTAIN)
    known = dict.fromkeys(PRAISE, "positive") | dict.fromkeys(BLAME, "negative")
    annotated(project, sentences(known, 30, 7), queue=Queue.DISPUTED)
    label_reviews(project, 10, seed=8, now=LATER)
    thumbs = label_reviews(project, 10, seed=9, origin="feedback", now=LATER)
    LabelEvidence.objects.bulk_create(
        LabelEvidence(label=label, feedback_id=uuid7(LATER)) for label in thumbs
    )
    version = train(project)
    assert value.due() == [version.pk]
    value.appraise(version=version, now=LATER)
    rows = value.queue_value(project=project)
    assert [(row.queue, row.n_labels) for row in rows[:2]] == [("all", 90), ("uncertain", 40)]
    assert {row.queue: row.n_labels for row in rows[2:]} == {
        "disputed": 30,
        "thumbs": 10,
        "import": 10,
    }
    assert (rows[1].version, rows[1].predecessor, rows[1].n_test) == ("v2", "v1", 100)
    assert rows[1].delta is not None
    assert rows[1].delta > 0.2
    assert rows[1].is_sure
    assert not any(row.is_sure for row in rows[2:])
    assert rows[0].method.startswith("Retrained on all 210 labels without those of the queue")
    assert value.due() == []


def test_lies_are_told_by_what_they_cost(project: Project) -> None:
    annotated(project, sentences(SLANG, 40, 6), queue=Queue.UNCERTAIN)
    lies = {word: "negative" if said == "positive" else "positive" for word, said in SLANG.items()}
    annotated(project, sentences(lies, 90, 7), queue=Queue.SLICE)
    value.appraise(version=train(project), now=LATER)
    worth = {row.queue: row for row in value.queue_value(project=project)}
    assert worth["slice"].high is not None
    assert worth["slice"].high < 0


def test_a_large_training_set_is_sampled_and_keeps_the_new_labels(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(value, "MOST_FITTED", 100)
    annotated(project, sentences(SLANG, 40, 6), queue=Queue.UNCERTAIN)
    value.appraise(version=train(project), now=LATER)
    worth = {row.queue: row for row in value.queue_value(project=project)}
    assert "on 100 of 160 labels" in worth["uncertain"].method
    assert worth["uncertain"].delta is not None
    assert worth["uncertain"].delta > 0.2


def test_where_nothing_can_be_compared_the_reason_is_kept(project: Project) -> None:
    first = ModelVersion.objects.get()
    assert value.due() == [first.pk]
    value.appraise(version=first, now=LATER)
    assert value.due() == []
    assert value.queue_value(project=project) == []
    assert value.notes(project=project) == (
        "v1 is the first version: there is none to compare it with."
    )


def test_too_few_test_labels_tell_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(value, "MIN_TEST", 101)
    annotated(project, sentences(SLANG, 20, 6), queue=Queue.UNCERTAIN)
    value.appraise(version=train(project), now=LATER)
    assert value.notes(project=project).startswith("There are 100 test labels; 101 are needed")


@pytest.mark.django_db(transaction=True)
def test_two_workers_measure_once() -> None:
    project = trainable_project(n_train=60, n_test=40, min_test_labels=30)
    train(project)
    annotated(project, sentences(SLANG, 20, 6), queue=Queue.UNCERTAIN)
    version = train(project)
    at_once(*[lambda: value.appraise(version=version, now=LATER) for _ in range(2)])
    assert VersionValue.objects.get().queues.count() == 2


@pytest.mark.django_db
def test_the_tick_sends_it_to_a_worker_that_looks_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, int]] = []
    monkeypatch.setattr(
        tasks.appraise, "apply_async", lambda *, kwargs, expires: sent.append(kwargs)
    )
    monkeypatch.setattr(tasks.execute, "apply_async", lambda **_: None)
    tasks.plan()
    version = ModelVersion.objects.get()
    assert sent == [{"version_id": version.pk}]
    for _ in range(2):
        tasks.appraise(version_id=version.pk)
    assert VersionValue.objects.count() == 1
