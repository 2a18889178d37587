"""The quality of labels as they age and are borne out, on real rows."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from curation import labels
from curation.label_weighing import age_labels, record_support
from curation.labels import Belief
from curation.models import Label
from tests.factories import NOW, make_project, make_sample

pytestmark = pytest.mark.django_db
QUARTER = timedelta(days=91)


def imported(value: str = "positive") -> Label:
    sample = make_sample(make_project())
    labels.believe(beliefs=[Belief(sample.pk, value, "import", 0.9, ["Imported."])], now=NOW)
    return Label.objects.get(sample=sample)


def fresh(label: Label) -> Label:
    return Label.objects.get(pk=label.pk)


def test_a_label_loses_a_little_each_quarter_and_says_so() -> None:
    label = imported()
    assert (label.quality, label.word, label.reasons) == (0.9, 0.9, ["Imported."])
    assert age_labels(now=NOW + QUARTER - timedelta(hours=1)) == 0
    assert age_labels(now=NOW + QUARTER) == 1
    assert age_labels(now=NOW + QUARTER) == 0

    aged = fresh(label)
    assert (aged.quality, aged.word) == (0.88, 0.9)
    assert aged.reasons == ["Imported.", "It is more than 3 months old."]
    assert age_labels(now=NOW + 20 * QUARTER) == 1
    assert fresh(label).quality == 0.72
    assert fresh(label).weigh_at is None


def test_models_trained_without_a_label_move_its_quality_but_not_what_was_said() -> None:
    label = imported()
    assert record_support(support={label.pk: 0.02}, model_version="v3", now=NOW) == 1
    doubted = fresh(label)
    assert doubted.quality == 0.81
    assert (doubted.word, doubted.support, doubted.support_version) == (0.9, 0.02, "v3")
    assert doubted.reasons[-1] == "Models trained without it give it 2 %."
    # Hardly anything else: nothing is written.
    assert record_support(support={label.pk: 0.04}, model_version="v4", now=NOW) == 0
    assert fresh(label).support_version == "v3"


def test_the_same_word_again_keeps_what_models_said_and_another_value_does_not() -> None:
    label = imported()
    record_support(support={label.pk: 0.02}, model_version="v3", now=NOW)
    again = Belief(label.sample_id, "positive", "annotation", 0.95, ["An annotator said so."])
    labels.believe(beliefs=[again], now=NOW)
    kept = Label.objects.get(sample=label.sample_id, is_current=True)
    assert (kept.support, kept.quality) == (0.02, 0.9)

    other = Belief(label.sample_id, "negative", "annotation", 0.95, ["An annotator said so."])
    labels.believe(beliefs=[other], now=NOW)
    changed = Label.objects.get(sample=label.sample_id, is_current=True)
    assert (changed.support, changed.quality) == (None, 0.95)


def test_weighing_anew_does_not_make_the_same_word_news() -> None:
    label = imported()
    record_support(support={label.pk: 0.02}, model_version="v3", now=NOW)
    same = Belief(label.sample_id, "positive", "import", 0.9, ["Imported."])
    labels.believe(beliefs=[same], now=NOW)
    assert Label.objects.count() == 1


def weigh_by_hand(change: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL feedbackhub.weighing = 'on'")
        cursor.execute(f"UPDATE curation_label SET {change}")


@pytest.mark.parametrize("change", ["word = 0.1", "grounds = '[]'", "value = 'negative'"])
def test_what_was_said_is_not_rewritten_even_by_a_weighing(change: str) -> None:
    imported()
    weigh_by_hand("quality = 0.4")
    with pytest.raises(DatabaseError, match="never changes"):
        weigh_by_hand(change)


def test_a_former_label_is_not_weighed() -> None:
    label = imported()
    other = Belief(label.sample_id, "negative", "annotation", 0.95, [])
    labels.believe(beliefs=[other], now=NOW)
    assert record_support(support={label.pk: 0.02}, model_version="v3", now=NOW) == 0
    assert age_labels(now=NOW + QUARTER) == 1
