"""Freezing labels: the same labels give the same hash, and no test text is ever trained on."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from curation import queries
from curation.models import Label, Project, Sample
from curation.models.sample import Split
from tests import factories
from tests.factories import NOW
from tests.training.scenes import label_reviews, label_texts
from training import snapshots
from training.models import Snapshot

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    project = factories.make_project()
    label_reviews(project, 30)
    label_reviews(project, 10, split=Split.TEST, seed=2)
    return project


def freeze(project: Project, **moment: Any) -> Snapshot:
    return snapshots.freeze(project=project, min_quality=0.6, **({"now": NOW} | moment))


def test_snapshot_holds_every_label_with_its_quality_as_weight(project: Project) -> None:
    snapshot = freeze(project)
    assert snapshot.counts["train"] == {
        "n": 30,
        "labels": {"negative": 15, "positive": 15},
        "origins": {"import": 30},
    }
    assert snapshot.counts["test"]["n"] == 10
    items = snapshot.items.order_by("sample_id")
    believed = Label.objects.filter(is_current=True).order_by("sample_id")
    assert [(i.sample_id, i.label_id, i.value, i.weight) for i in items] == [
        (b.sample_id, b.pk, b.value, b.quality) for b in believed
    ]


def test_unchanged_labels_give_the_row_that_exists(project: Project) -> None:
    first = freeze(project)
    again = freeze(project, now=NOW + timedelta(days=1))
    assert again.pk == first.pk
    assert first.items.count() == 40


@pytest.mark.parametrize("changes", [{"value": "positive"}, {"quality": 0.8}])
def test_a_changed_label_changes_the_digest(project: Project, changes: dict[str, Any]) -> None:
    before = freeze(project)
    label = Label.objects.filter(sample__cluster__split="train", value="negative")[:1].get()
    Label.objects.filter(pk=label.pk).update(is_current=False)
    said = {"value": label.value, "quality": label.quality, **changes}
    Label.objects.create(sample_id=label.sample_id, origin=label.origin, created_at=NOW, **said)
    after = freeze(project)
    assert after.digest != before.digest
    assert after.train_digest != before.train_digest


def test_a_further_test_label_leaves_what_is_learned_from_alone(project: Project) -> None:
    before = freeze(project)
    label_texts(project, [("fine wine", "positive")], split=Split.TEST)
    after = freeze(project)
    assert after.digest != before.digest
    assert after.train_digest == before.train_digest


def test_digest_does_not_depend_on_the_order_of_the_items() -> None:
    items = [
        snapshots.Item(n, n, f"text {n}", "positive", 0.9, "import", "train") for n in range(1, 6)
    ]
    assert snapshots.items_digest(items) == snapshots.items_digest(reversed(items))


def test_digest_tells_a_changed_text_from_the_same_sample(project: Project) -> None:
    item = snapshots.Item(1, 1, "one", "positive", 0.9, "import", "train")
    other = snapshots.Item(1, 1, "two", "positive", 0.9, "import", "train")
    assert snapshots.items_digest([item]) != snapshots.items_digest([other])


def test_labels_below_the_asked_quality_are_left_out(project: Project) -> None:
    label_texts(project, [("so so", "positive")], quality=0.3)
    assert freeze(project).counts["train"]["n"] == 30


def test_a_test_sample_among_the_training_labels_stops_the_freeze(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = [
        *queries.training_labels(project=project, min_quality=0.6),
        *queries.test_labels(project=project),
    ]
    monkeypatch.setattr(queries, "training_labels", lambda **_: both)
    with pytest.raises(snapshots.TestLeak, match="10 samples"):
        freeze(project)
    assert not Snapshot.objects.exists()


def test_training_data_is_the_train_split_and_leaves_out_erased_texts(project: Project) -> None:
    snapshot = freeze(project)
    erased = Sample.objects.filter(cluster__split="train")[:1].get()
    Sample.objects.filter(pk=erased.pk).update(text=None)
    data = snapshots.training_data(snapshot)
    assert len(data.texts) == len(data.values) == len(data.weights) == 29
    assert data.n_erased == 1
    assert not set(data.texts) & {row.text for row in queries.test_labels(project=project)}


def test_a_snapshot_cannot_be_changed(project: Project) -> None:
    snapshot = freeze(project)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        snapshot.items.update(value="positive")
