"""What other rooms ask of curation: counts and labels that mean what they say."""

from collections import Counter
from datetime import timedelta

import pytest

from curation import queries, services
from curation.arms import ArmCounts
from curation.labels import Belief, believe
from curation.models import Cluster, Label, Project, Sample
from curation.models.review import Queue
from curation.models.sample import Split
from curation.rankings import Score, record_scores
from curation.review import services as review
from curation.review.services import undo
from curation.services import LabelSpec
from tests.curation.events import digest_all, land, sample_of, subject, thumb
from tests.curation.reviewing import answer, open_item
from tests.factories import NOW, make_member, make_prediction, make_project, make_sample, make_user

pytestmark = pytest.mark.django_db
ROLLOUT = 7


def labelled(project: Project, origin: str, split: str | None, quality: float = 0.9) -> Sample:
    sample = make_sample(project, split=split)
    belief = Belief(sample.pk, "positive", origin, quality, ["because"])
    believe(beliefs=[belief], now=NOW)
    return sample


def test_training_takes_good_labels_of_train_clusters_alone() -> None:
    project = make_project()
    wanted = [
        labelled(project, origin, Split.TRAIN) for origin in ("import", "feedback", "annotation")
    ]
    labelled(project, "import", Split.TEST)
    labelled(project, "import", Split.CALIBRATE)
    labelled(project, "import", None)
    labelled(project, "feedback", Split.TRAIN, quality=0.59)
    labelled(make_project(), "import", Split.TRAIN)
    erased = labelled(project, "import", Split.TRAIN)
    Sample.objects.filter(pk=erased.pk).update(text=None)

    rows = queries.training_labels(project=project, min_quality=0.6)

    assert [row.sample_id for row in rows] == [sample.pk for sample in wanted]
    first = rows[0]
    assert (first.value, first.quality, first.origin) == ("positive", 0.9, "import")
    assert first.text == wanted[0].text
    assert first.label_id == Label.objects.get(sample=wanted[0]).pk
    assert queries.new_label_count(project=project, since=None) == 3
    assert queries.new_label_count(project=project, since=NOW) == 0
    assert queries.new_label_count(project=project, since=NOW - timedelta(seconds=1)) == 3


def test_tests_take_imports_and_blind_annotations_never_thumbs() -> None:
    project = make_project()
    wanted = [labelled(project, origin, Split.TEST) for origin in ("import", "annotation")]
    labelled(project, "feedback", Split.TEST)
    labelled(project, "import", Split.TEST, quality=0.5)
    kept = labelled(project, "import", Split.CALIBRATE)

    assert [row.sample_id for row in queries.test_labels(project=project)] == [
        sample.pk for sample in wanted
    ]
    assert queries.test_label_count(project=project) == 2
    assert [row.sample_id for row in queries.calibration_labels(project=project)] == [kept.pk]


def test_an_answer_given_after_the_reveal_judges_nobody() -> None:
    project = make_project()
    user, item = make_member(project), open_item(project)
    item.sample.cluster = Cluster.objects.create(project=project, split=Split.TEST, created_at=NOW)
    item.sample.save()
    answer(project, user, item)
    assert queries.test_label_count(project=project) == 1
    undo(project=project, user=user, now=NOW)
    answer(project, user, item)
    assert Label.objects.get(is_current=True).origin == "annotation"
    assert queries.test_labels(project=project) == []


def scored(sample: Sample, margin: float) -> Score:
    return Score(sample.pk, "positive", 0.5 + margin / 2, margin, 0.5)


def test_the_pool_is_what_nobody_vouches_for_the_least_sure_first() -> None:
    project = make_project()
    old, new, sure = (make_sample(project) for _ in range(3))
    doubtful = labelled(project, "feedback", Split.TRAIN, quality=0.5)
    known = labelled(project, "feedback", Split.TRAIN, quality=0.7)
    margins = {old: 0.1, new: 0.3, doubtful: 0.2, sure: 0.9, known: 0.1}
    record_scores(
        scores=[scored(sample, margin) for sample, margin in margins.items()],
        model_version="v1",
        now=NOW,
    )
    pool = queries.scored_pool(project=project, model_version="v1", head=2, others=1, seed=1)
    assert [row.sample_id for row in pool.head] == [old.pk, doubtful.pk]
    assert pool.others[0].sample_id in (new.pk, sure.pk)
    assert pool.size == 4
    assert (
        queries.scored_pool(project=project, model_version="v2", head=2, others=1, seed=1).size == 0
    )


def test_the_others_are_drawn_at_random_and_not_by_margin() -> None:
    project = make_project()
    samples = [make_sample(project) for _ in range(12)]
    record_scores(
        scores=[scored(sample, n / 20) for n, sample in enumerate(samples)],
        model_version="v1",
        now=NOW,
    )
    first = Counter(
        queries.scored_pool(project=project, model_version="v1", head=2, others=5, seed=seed)
        .others[0]
        .sample_id
        for seed in range(100)
    )
    assert set(first) == {sample.pk for sample in samples[2:]}
    assert max(first.values()) < 27


def test_scores_of_two_versions_stand_side_by_side_and_unknown_samples_are_passed_over() -> None:
    sample = make_sample(make_project())
    for version, margin in (("v1", 0.1), ("v2", 0.4), ("v2", 0.5)):
        scores = [scored(sample, margin), Score(10**9, "positive", 0.5, 0.1, 0.5)]
        assert record_scores(scores=scores, model_version=version, now=NOW) == 1
    stored = sample.scores.order_by("model_version").values_list("model_version", "margin")
    assert list(stored) == [("v1", 0.1), ("v2", 0.5)]


def test_texts_and_splits_of_samples() -> None:
    project = make_project()
    train, test, none = (make_sample(project, split=split) for split in ("train", "test", None))
    ids = [train.pk, test.pk, none.pk, 10**9]
    assert set(queries.texts_of(sample_ids=ids)) == {train.pk, test.pk, none.pk}
    assert queries.outside_split(sample_ids=ids, split="train") == [test.pk, none.pk]


def test_a_project_is_made_with_labels_guideline_and_policy() -> None:
    user = make_user()
    project = services.create_project(
        slug="reviews",
        name="Reviews",
        labels=[LabelSpec("bad", "#dc2626", "1"), LabelSpec("good", "#16a34a", "2")],
        guideline="Judge the whole.",
        created_by=user,
        is_demo=True,
        now=NOW,
    )
    assert project.label_names() == ["bad", "good"]
    assert project.guidelines.get().number == 1
    assert project.curation_policy.overlap == 1


def counts(arm: str, has_subject: bool) -> ArmCounts:
    (row,) = [
        row
        for row in queries.arm_counts(rollout_id=ROLLOUT)
        if (row.arm, row.has_subject) == (arm, has_subject)
    ]
    return row


def test_arm_counts_keep_traffic_without_subjects_apart() -> None:
    project = make_project()
    served = {"rollout_id": ROLLOUT, "arm": "control"}
    for number in range(6):
        prediction = make_prediction(
            project,
            text=f"text {number}",
            subject_hash=subject(f"s{number % 3}"),
            latency_ms=float(number),
            **served,
        )
        if number < 3:
            thumb(prediction, "up", subject=prediction.subject_hash)
        if number == 0:
            thumb(prediction, "down", subject=prediction.subject_hash, corrected="negative")
        if number == 1:
            thumb(prediction, "down", subject=subject("x"), quarantine_reasons=["burst"])
    anonymous = make_prediction(project, text="anonymous", latency_ms=50.0, **served)
    thumb(anonymous, "down")
    make_prediction(project, text="elsewhere", rollout_id=ROLLOUT + 1, arm="control")
    digest_all()

    known, unknown = counts("control", True), counts("control", False)

    assert (known.predictions, known.units) == (6, 3)
    assert (known.feedback, known.up, known.down, known.corrections) == (3, 2, 1, 1)
    assert (known.latency_mean_ms, known.latency_p50_ms, known.latency_p95_ms) == (2.5, 2.5, 4.75)
    assert (unknown.predictions, unknown.units, unknown.feedback, unknown.down) == (1, 1, 1, 1)
    assert unknown.corrections == 0


def audited(project: Project, text: str, **fields: object) -> Sample:
    prediction = make_prediction(
        project, text=text, is_audit=True, rollout_id=ROLLOUT, arm="treatment", **fields
    )
    land(prediction)
    digest_all()
    return sample_of(prediction)


def test_audit_answers_are_blind_and_cover_every_serving_of_a_text() -> None:
    project = make_project()
    user, other = make_member(project), make_member(project)
    right, wrong = audited(project, "right"), audited(project, "wrong")
    audited(project, "right", label="negative")
    audited(project, "not labelled yet")
    make_prediction(project, text="right", rollout_id=ROLLOUT, arm="treatment")
    answer(project, user, right.review_items.get(), "positive")
    answer(project, user, wrong.review_items.get(), "negative")

    answers = queries.audit_answers(rollout_id=ROLLOUT)
    assert sorted((row.predicted, row.truth) for row in answers) == [
        ("negative", "positive"),
        ("positive", "negative"),
        ("positive", "positive"),
    ]
    row = counts("treatment", False)
    assert (row.audit_labelled, row.audit_correct) == (3, 1)

    undo(project=project, user=user, now=NOW)
    answer(project, user, wrong.review_items.get(), "positive")
    assert counts("treatment", False).audit_labelled == 2
    answer(project, other, wrong.review_items.get(), "positive")
    assert (counts("treatment", False).audit_labelled) == 3
    assert (counts("treatment", False).audit_correct) == 2


def test_an_audited_text_answered_in_another_queue_is_asked_again_by_the_audit() -> None:
    project = make_project()
    item = open_item(project, text="seen before", queue=Queue.DISPUTED)
    answer(project, make_member(project), item, "positive")
    audited(project, "seen before")
    assert counts("treatment", False).audit_labelled == 0
    answer(project, make_member(project), item.sample.review_items.get(queue="audit"), "positive")
    assert counts("treatment", False).audit_correct == 1


def test_working_on_disputes_alone_does_not_move_the_audit_estimate() -> None:
    project = make_project()
    user = make_member(project)
    right, wrong = audited(project, "right"), audited(project, "wrong")
    review.open_items(
        project=project,
        picks=[review.Pick(each.pk, Queue.DISPUTED, 1.0, {}) for each in (right, wrong)],
        now=NOW,
    )
    answer(project, user, wrong.review_items.get(queue="disputed"), "negative")

    row = counts("treatment", False)
    assert (row.audit_labelled, row.audit_correct) == (0, 0)
    assert wrong.review_items.get(queue="audit").status == "open"
    for sample, truth in ((right, "positive"), (wrong, "negative")):
        answer(project, make_member(project), sample.review_items.get(queue="audit"), truth)
    row = counts("treatment", False)
    assert (row.audit_labelled, row.audit_correct) == (2, 1)


def test_split_annotators_give_no_audit_answer() -> None:
    project = make_project(overlap=2)
    sample = audited(project, "hm")
    for value in ("positive", "negative"):
        answer(project, make_member(project), sample.review_items.get(), value)
    assert queries.audit_answers(rollout_id=ROLLOUT) == []
