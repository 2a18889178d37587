"""Labels: who outranks whom, what makes no difference, and what comes back."""

import uuid

import pytest

from curation import labels
from curation.labels import Belief
from curation.models import Annotation, Label, LabelEvidence, ReviewItem, Sample
from tests.factories import NOW, make_member, make_project, make_sample

pytestmark = pytest.mark.django_db


def belief(sample: Sample, value: str, origin: str = Label.Origin.FEEDBACK, **given: object):  # type: ignore[no-untyped-def]
    defaults: dict[str, object] = {"quality": 0.7, "reasons": ["because"]}
    return Belief(sample_id=sample.pk, value=value, origin=origin, **{**defaults, **given})  # type: ignore[arg-type]


def annotation(sample: Sample, value: str) -> Annotation:
    item = ReviewItem.objects.create(
        project=sample.project, sample=sample, queue="gold", status="done", created_at=NOW
    )
    return Annotation.objects.create(
        item=item,
        sample=sample,
        user=make_member(sample.project),
        kind="label",
        value=value,
        submission_key=uuid.uuid4(),
        submitted_at=NOW,
    )


def current(sample: Sample) -> tuple[str, str, float]:
    label = Label.objects.get(sample=sample, is_current=True)
    return label.value, label.origin, label.quality


def test_a_belief_becomes_the_current_label_with_its_evidence() -> None:
    sample, thumb = make_sample(make_project()), uuid.uuid4()

    labels.believe(beliefs=[belief(sample, "positive", feedback_ids=[thumb])], now=NOW)

    assert current(sample) == ("positive", "feedback", 0.7)
    assert LabelEvidence.objects.get().feedback_id == thumb


def test_a_changed_belief_keeps_the_old_one_as_history() -> None:
    sample = make_sample(make_project())
    labels.believe(beliefs=[belief(sample, "positive")], now=NOW)
    labels.believe(beliefs=[belief(sample, "negative")], now=NOW)

    assert current(sample)[0] == "negative"
    assert Label.objects.filter(sample=sample).count() == 2


def test_the_same_belief_again_writes_nothing() -> None:
    sample = make_sample(make_project())
    for _ in range(2):
        labels.believe(beliefs=[belief(sample, "positive", feedback_ids=[uuid.uuid4()])], now=NOW)
    assert Label.objects.count() == LabelEvidence.objects.count() == 1


@pytest.mark.parametrize(
    ("held", "newer", "wins"),
    [
        ("annotation", "feedback", False),
        ("annotation", "import", False),
        ("import", "feedback", False),
        ("import", "annotation", True),
        ("feedback", "import", True),
        ("feedback", "annotation", True),
        ("annotation", "annotation", True),
    ],
)
def test_a_lesser_word_never_replaces_a_greater_one(held: str, newer: str, wins: bool) -> None:
    sample = make_sample(make_project())
    labels.believe(beliefs=[belief(sample, "positive", held, quality=0.6)], now=NOW)
    labels.believe(beliefs=[belief(sample, "negative", newer, quality=1.0)], now=NOW)

    assert current(sample)[0] == ("negative" if wins else "positive")


def test_imports_that_disagree_lower_the_quality_once_and_for_all() -> None:
    sample = make_sample(make_project())
    both = [belief(sample, value, "import", quality=0.9) for value in ("positive", "negative")]

    for _ in range(3):
        labels.believe(beliefs=both, now=NOW)

    assert current(sample) == ("positive", "import", labels.CONFLICT_QUALITY)
    assert labels.CONFLICT in Label.objects.get(is_current=True).reasons
    assert Label.objects.count() == 1


def test_withdrawing_an_annotation_brings_the_import_back() -> None:
    sample = make_sample(make_project())
    answer = annotation(sample, "negative")
    labels.believe(beliefs=[belief(sample, "positive", "import", quality=0.9)], now=NOW)
    labels.believe(
        beliefs=[belief(sample, "negative", "annotation", annotation_ids=[answer.pk])], now=NOW
    )

    Annotation.objects.update(undone_at=NOW)
    labels.withdraw(sample_ids=[sample.pk], origin=Label.Origin.ANNOTATION, now=NOW)

    assert current(sample) == ("positive", "import", 0.9)


def test_withdrawing_brings_back_an_annotation_that_still_stands() -> None:
    sample = make_sample(make_project())
    first, second = annotation(sample, "positive"), annotation(sample, "negative")
    for answer in (first, second):
        labels.believe(
            beliefs=[belief(sample, answer.value, "annotation", annotation_ids=[answer.pk])],
            now=NOW,
        )

    Annotation.objects.filter(pk=second.pk).update(undone_at=NOW)
    labels.withdraw(sample_ids=[sample.pk], origin=Label.Origin.ANNOTATION, now=NOW)

    label = Label.objects.get(sample=sample, is_current=True)
    assert label.value == "positive"
    assert [row.annotation_id for row in label.evidence.all()] == [first.pk]


def test_withdrawing_an_origin_that_is_not_current_changes_nothing() -> None:
    sample = make_sample(make_project())
    labels.believe(beliefs=[belief(sample, "positive", "import")], now=NOW)
    labels.withdraw(sample_ids=[sample.pk], origin=Label.Origin.FEEDBACK, now=NOW)

    assert current(sample)[0] == "positive"


def test_many_beliefs_take_two_queries(django_assert_num_queries: object) -> None:
    project = make_project()
    beliefs = [belief(make_sample(project), "positive") for _ in range(50)]
    # And the savepoint around them: the rows are locked and read in one round trip.
    with django_assert_num_queries(4):  # type: ignore[operator]
        labels.believe(beliefs=beliefs, now=NOW)
