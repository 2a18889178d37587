"""Adaptive overlap, the senior step and skips that route, as the engine plays them."""

import pytest

from curation.models import AnnotatorQuality, Label, ReviewItem
from curation.models.review import Queue
from curation.review import services
from curation.review.reconcile import settle_stranded
from feedbackhub.core.roles import Role
from tests.curation.reviewing import (
    answer,
    claimed,
    crooked_items,
    fresh,
    label_of,
    open_item,
    pass_on,
)
from tests.factories import NOW, make_member, make_project

pytestmark = pytest.mark.django_db


def test_a_disputed_text_asks_a_second_annotator_only_after_the_first() -> None:
    project = make_project()
    ann, ben = make_member(project), make_member(project)
    item = open_item(project, queue=Queue.DISPUTED)
    assert (claimed(project, ann), claimed(project, ben)) == ([item.pk], [])

    answer(project, ann, item, "negative")

    assert (fresh(item).status, item.needed, label_of(item.sample)) == ("open", 2, None)
    assert claimed(project, ben) == [item.pk]
    answer(project, ben, item, "negative")
    assert fresh(item).status == "done"
    assert label_of(item.sample) == ("negative", "annotation", 0.99)
    assert crooked_items() == []


def test_an_annotator_with_a_record_saves_the_second_answer() -> None:
    project = make_project()
    ann, _ = make_member(project), make_member(project)
    rows = {
        "negative": {"negative": 98, "positive": 2},
        "positive": {"positive": 99, "negative": 1},
    }
    AnnotatorQuality.objects.create(
        project=project,
        user=ann,
        n_answers=200,
        n_compared=200,
        n_gold=0,
        n_effective=200,
        confusion=rows,
        computed_at=NOW,
    )
    item = open_item(project, queue=Queue.DISPUTED)
    answer(project, ann, item, "negative")
    assert (fresh(item).status, item.saved) == ("done", 1)
    assert services.labels_saved(project=project) == 1


def test_an_answer_against_a_confident_model_is_checked_by_another() -> None:
    project = make_project()
    ann, ben = make_member(project), make_member(project)
    item = open_item(project, predicted="positive")
    answer(project, ann, item, "negative")
    assert (fresh(item).status, item.needed) == ("open", 2)
    answer(project, ben, item, "positive")
    assert (fresh(item).status, item.needed, item.for_senior) == ("open", 3, True)


def test_a_project_with_one_annotator_believes_them_and_says_so() -> None:
    project = make_project()
    ann, item = make_member(project), open_item(project, queue=Queue.DISPUTED)
    answer(project, ann, item, "negative")
    assert fresh(item).status == "done"
    assert Label.objects.get(is_current=True).reasons[-1] == "Nobody else could be asked."


def test_what_only_policy_asks_a_second_for_says_that_there_is_none() -> None:
    project = make_project(overlap=2)
    ann, item = make_member(project), open_item(project)
    answer(project, ann, item)
    empty = services.claim(project=project, user=ann, now=NOW).empty
    assert empty is not None
    assert empty.message.endswith("needs a second annotator for them: it has no other.")


def test_a_split_waits_for_a_senior_who_decides() -> None:
    project = make_project(overlap=2)
    ann, ben = make_member(project), make_member(project)
    item, other = open_item(project, priority=0.1), open_item(project, priority=0.9)
    answer(project, ann, item, "negative")
    answer(project, ben, item, "positive")
    for user in (ann, ben):
        pass_on(project, user, other, "other")
    assert (fresh(item).for_senior, item.routed) == (True, "split")

    empty = services.claim(project=project, user=ann, now=NOW).empty
    assert empty is not None
    assert (empty.waiting_for_senior, empty.done_by_you) == (1, 1)
    assert "1 waiting for a senior annotator" in empty.message
    assert "needs a senior annotator: it has none" in empty.message
    (depth,) = services.queue_depths(project=project)
    assert (depth.open, depth.for_senior) == (2, 1)
    cat = make_member(project)
    assert claimed(project, cat) == [other.pk]

    senior = make_member(project, Role.SENIOR)
    assert claimed(project, senior, limit=1) == [item.pk]
    answer(project, senior, item, "positive")

    assert (fresh(item).status, label_of(item.sample)) == ("done", ("positive", "annotation", 0.88))
    assert crooked_items() == []


def test_undo_of_the_seniors_answer_asks_a_senior_again() -> None:
    project = make_project(overlap=2)
    ann, ben = make_member(project), make_member(project)
    item = open_item(project)
    for user, value in ((ann, "negative"), (ben, "positive")):
        answer(project, user, item, value)
    first, second = make_member(project, Role.SENIOR), make_member(project, Role.LEAD)
    answer(project, first, item, "positive")
    assert label_of(item.sample) == ("positive", "annotation", 0.88)

    services.undo(project=project, user=first, now=NOW)

    assert (fresh(item).status, label_of(item.sample)) == ("open", None)
    assert claimed(project, first) == []
    assert claimed(project, second) == [item.pk]
    assert crooked_items() == []


def test_undo_of_one_answer_of_many_weighs_the_rest_anew() -> None:
    project = make_project(overlap=2)
    users = [make_member(project) for _ in range(4)]
    item = open_item(project)
    for user, value in zip(users, ("negative", "positive", "positive"), strict=False):
        answer(project, user, item, value)
    assert label_of(item.sample) == ("positive", "annotation", 0.85)

    services.undo(project=project, user=users[0], now=NOW)
    assert (fresh(item).status, label_of(item.sample)) == ("done", ("positive", "annotation", 0.99))
    services.undo(project=project, user=users[1], now=NOW)
    assert (fresh(item).status, item.needed, label_of(item.sample)) == ("open", 2, None)
    assert claimed(project, users[3]) == [item.pk]
    assert crooked_items() == []


def test_answers_in_two_queues_count_together_and_none_is_left_waiting() -> None:
    project = make_project()
    ann, ben = make_member(project), make_member(project)
    disputed = open_item(project, queue=Queue.DISPUTED)
    pick = services.Pick(disputed.sample_id, Queue.UNCERTAIN, 0.5, {})
    services.open_items(project=project, picks=[pick], now=NOW)
    uncertain = ReviewItem.objects.get(queue="uncertain")
    answer(project, ann, disputed, "negative")

    answer(project, ben, uncertain, "negative")

    assert (fresh(uncertain).status, fresh(disputed).status) == ("done", "closed")
    assert label_of(disputed.sample) == ("negative", "annotation", 0.99)
    services.undo(project=project, user=ann, now=NOW)
    assert label_of(disputed.sample) == ("negative", "annotation", 0.95)
    assert crooked_items() == []


def test_two_who_find_it_unclear_pass_it_to_a_senior_and_one_may_take_it_back() -> None:
    project = make_project()
    ann, ben, cat = (make_member(project) for _ in range(3))
    senior, item = make_member(project, Role.SENIOR), open_item(project)
    claimed(project, ann)
    pass_on(project, ann, item, "unclear")
    skipped = pass_on(project, ben, item, "unclear")
    assert (skipped.is_closed, skipped.routed) == (False, "unclear")
    assert (fresh(item).status, item.for_senior, claimed(project, cat)) == ("open", True, [])

    services.undo(project=project, user=ben, now=NOW)
    assert (fresh(item).for_senior, item.routed) == (False, "")
    services.release(project=project, user=ben, items=[item.pk])
    assert claimed(project, cat) == [item.pk]
    pass_on(project, cat, item, "unclear")

    assert claimed(project, senior) == [item.pk]
    assert pass_on(project, senior, item, "unclear").is_closed
    assert (fresh(item).status, label_of(item.sample)) == ("closed", None)
    services.undo(project=project, user=senior, now=NOW)
    assert (fresh(item).status, item.for_senior) == ("open", True)
    assert crooked_items() == []


def test_spam_goes_to_a_senior_whose_word_withdraws_the_label_until_taken_back() -> None:
    project = make_project()
    ann, ben = make_member(project), make_member(project)
    senior, item = make_member(project, Role.SENIOR), open_item(project, predicted="positive")
    Label.objects.create(
        sample=item.sample, value="positive", origin="import", quality=0.9, created_at=NOW
    )
    pass_on(project, ann, item, "spam")
    pass_on(project, ben, item, "spam")
    question = ReviewItem.objects.get(queue="spam")
    assert (question.for_senior, question.routed) == (True, "opened")
    assert claimed(project, make_member(project)) == []
    assert claimed(project, senior) == [question.pk]

    assert pass_on(project, senior, question, "spam").is_closed

    assert label_of(item.sample) == ("positive", "annotation", 0.0)
    services.undo(project=project, user=senior, now=NOW)
    assert label_of(item.sample) == ("positive", "import", 0.9)
    assert fresh(question).status == "open"
    answer(project, senior, question, "negative")
    assert label_of(item.sample) == ("negative", "annotation", 0.98)
    assert crooked_items() == []


def test_a_spam_skip_taken_back_withdraws_the_question_too() -> None:
    project = make_project()
    ann, ben, item = make_member(project), make_member(project), open_item(project)
    pass_on(project, ann, item, "spam")
    pass_on(project, ben, item, "spam")
    services.undo(project=project, user=ben, now=NOW)
    assert (fresh(item).status, item.routed) == ("open", "")
    assert ReviewItem.objects.get(queue="spam").status == "closed"


def test_an_audit_item_only_its_own_annotator_has_answered_elsewhere_takes_that_answer() -> None:
    project = make_project()
    ann, item = make_member(project), open_item(project, queue=Queue.DISPUTED)
    answer(project, ann, item, "negative")
    waiting = open_item(project, queue=Queue.AUDIT)
    pick = services.Pick(item.sample_id, Queue.AUDIT, 0.0, {})
    services.open_items(project=project, picks=[pick], now=NOW)
    audit = ReviewItem.objects.get(sample=item.sample, queue="audit")

    assert claimed(project, ann) == [waiting.pk]
    answer(project, ann, waiting)
    assert claimed(project, ann) == []
    assert (fresh(audit).status, audit.is_adopted) == ("done", True)

    services.undo(project=project, user=ann, now=NOW)
    services.undo(project=project, user=ann, now=NOW)
    assert (fresh(audit).status, audit.is_adopted) == ("open", False)
    assert crooked_items() == []


def test_an_audit_item_someone_else_can_answer_adopts_nothing() -> None:
    project = make_project()
    ann, ben = make_member(project), make_member(project)
    item = open_item(project)
    answer(project, ann, item)
    pick = services.Pick(item.sample_id, Queue.AUDIT, 0.0, {})
    services.open_items(project=project, picks=[pick], now=NOW)
    audit = ReviewItem.objects.get(queue="audit")
    assert claimed(project, ann) == []
    assert fresh(audit).status == "open"
    assert claimed(project, ben) == [audit.pk]


def test_an_item_whose_second_reviewer_left_is_concluded_by_the_nightly_look() -> None:
    project = make_project()
    ann, ben = make_member(project), make_member(project)
    disputed = open_item(project, queue=Queue.DISPUTED)
    answer(project, ann, disputed, "negative")
    assert settle_stranded(now=NOW) == 0
    ben.is_active = False
    ben.save()
    assert settle_stranded(now=NOW) == 1
    assert (fresh(disputed).status, crooked_items()) == ("done", [])
    assert label_of(disputed.sample) == ("negative", "annotation", 0.95)
