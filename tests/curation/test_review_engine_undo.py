"""Taking back, answering after the reveal, and annotators who are split."""

import uuid
from datetime import timedelta

import pytest

from curation.models import Annotation, Label, ReviewItem
from curation.review import services
from curation.review.services import (
    AlreadyAnswered,
    NothingToUndo,
)
from tests.curation.events import digest_all, subject, thumb
from tests.curation.reviewing import (
    MINUTE,
    answer,
    claimed,
    crooked_items,
    fresh,
    label_of,
    open_item,
    pass_on,
)
from tests.factories import NOW, make_member, make_prediction, make_project

pytestmark = pytest.mark.django_db


def test_an_answer_that_stands_must_be_undone_before_another() -> None:
    project = make_project()
    user, item = make_member(project), open_item(project)
    answer(project, user, item)
    with pytest.raises(AlreadyAnswered, match="positive"):
        answer(project, user, item, "negative")
    with pytest.raises(AlreadyAnswered):
        pass_on(project, user, item)


def test_undo_withdraws_the_label_and_gives_the_slot_to_someone_else() -> None:
    project = make_project()
    ann, ben, item = make_member(project), make_member(project), open_item(project)
    claimed(project, ann)
    answer(project, ann, item, "negative", note="hm")

    undone = services.undo(project=project, user=ann, now=NOW + MINUTE)

    assert (undone.item.id, undone.item.expires_at) == (item.pk, None)
    assert (undone.kind, undone.value, undone.note, undone.is_blind) == (
        "label",
        "negative",
        "hm",
        False,
    )
    assert label_of(item.sample) is None
    assert (fresh(item).status, item.taken, item.done) == ("open", 0, 0)
    assert claimed(project, ann, now=NOW + MINUTE) == []
    assert claimed(project, ben, now=NOW + MINUTE) == [item.pk]


def test_an_answer_redone_after_the_reveal_is_unblinded_and_takes_no_slot() -> None:
    project = make_project()
    ann, ben, item = make_member(project), make_member(project), open_item(project)
    answer(project, ann, item, "negative")
    services.undo(project=project, user=ann, now=NOW)

    again = answer(project, ann, item, "positive")

    assert (again.is_blind, again.is_extra) == (False, False)
    assert fresh(item).status == "open"
    assert label_of(item.sample) == ("positive", "annotation", 0.75)
    assert claimed(project, ben) == [item.pk]
    answer(project, ben, item, "negative")
    assert label_of(item.sample) == ("negative", "annotation", 0.95)
    assert crooked_items() == []


def test_an_unblinded_answer_never_replaces_a_blind_one() -> None:
    project = make_project()
    ann, ben, item = make_member(project), make_member(project), open_item(project)
    answer(project, ann, item, "negative")
    services.undo(project=project, user=ann, now=NOW)
    answer(project, ben, item, "negative")
    answer(project, ann, item, "positive")
    assert label_of(item.sample) == ("negative", "annotation", 0.95)


def test_undo_brings_back_what_the_thumbs_said() -> None:
    project = make_project()
    user, prediction = make_member(project), make_prediction(project)
    for name in ("ann", "ben"):
        thumb(prediction, "down", subject=subject(name))
    digest_all()
    item = ReviewItem.objects.get()
    answer(project, user, item, "positive")
    services.undo(project=project, user=user, now=NOW)
    assert label_of(item.sample) == ("negative", "feedback", 0.7)


def test_an_undone_skip_comes_back_blind_with_a_lease() -> None:
    project = make_project()
    user, item = make_member(project), open_item(project)
    claimed(project, user)
    pass_on(project, user, item)

    undone = services.undo(project=project, user=user, now=NOW)

    assert undone.is_blind
    assert (undone.kind, undone.reason) == ("skip", "unclear")
    assert undone.item.expires_at == NOW + timedelta(seconds=300)
    assert answer(project, user, item).is_blind
    assert (fresh(item).status, item.skips) == ("done", 0)


def test_undoing_the_skip_that_closed_an_item_opens_it_again() -> None:
    project = make_project()
    item = open_item(project)
    ann, ben = make_member(project), make_member(project)
    pass_on(project, ann, item, "spam")
    pass_on(project, ben, item, "spam")
    services.undo(project=project, user=ben, now=NOW)
    assert fresh(item).status == "open"
    assert crooked_items() == []


def test_undo_goes_back_one_by_one_and_no_further_than_twenty() -> None:
    project = make_project()
    user = make_member(project)
    items = [open_item(project) for _ in range(22)]
    for number, item in enumerate(items):
        answer(project, user, item, now=NOW + number * MINUTE)

    back = [
        services.undo(project=project, user=user, now=NOW + 30 * MINUTE).item.id for _ in range(20)
    ]

    assert back == [item.pk for item in reversed(items[2:])]
    with pytest.raises(NothingToUndo):
        services.undo(project=project, user=user, now=NOW + 30 * MINUTE)


def test_undo_with_a_key_counts_once_however_often_it_is_sent() -> None:
    project = make_project()
    user, key = make_member(project), uuid.uuid4()
    other, item = open_item(project), open_item(project)
    answer(project, user, other)
    answer(project, user, item, submission_key=key)

    twice = [
        services.undo(project=project, user=user, now=NOW, submission_key=key) for _ in range(2)
    ]

    assert twice[0] == twice[1]
    assert Annotation.objects.filter(undone_at=None).get().item == other


def test_undo_reaches_one_day_back_and_into_no_other_project() -> None:
    project, elsewhere = make_project(), make_project()
    user = make_member(project)
    answer(project, user, open_item(project))
    elsewhere.memberships.create(user=user, role="annotator")
    with pytest.raises(NothingToUndo):
        services.undo(project=elsewhere, user=user, now=NOW)
    with pytest.raises(NothingToUndo):
        services.undo(project=project, user=user, now=NOW + timedelta(hours=25))


def test_annotators_who_are_split_ask_a_third_and_the_majority_is_believed() -> None:
    project = make_project(overlap=2)
    item = open_item(project)
    ann, ben, cat = (make_member(project) for _ in range(3))
    answer(project, ann, item, "negative")
    assert label_of(item.sample) is None
    answer(project, ben, item, "positive")
    assert (fresh(item).status, item.needed) == ("open", 3)
    assert label_of(item.sample) is None

    answer(project, cat, item, "positive")

    assert fresh(item).status == "done"
    assert label_of(item.sample) == ("positive", "annotation", 0.85)
    grounds = Label.objects.get(is_current=True).evidence.all()
    assert {row.annotation.user_id for row in grounds} == {ben.pk, cat.pk}  # type: ignore[union-attr]


def test_three_who_all_disagree_leave_it_to_a_senior() -> None:
    project = make_project(labels=["a", "b", "c"], overlap=3)
    item = open_item(project)
    for value in ("a", "b", "c"):
        answer(project, make_member(project), item, value)
    assert (fresh(item).status, item.for_senior, item.routed) == ("open", True, "split")
    assert label_of(item.sample) is None
