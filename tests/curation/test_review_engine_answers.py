"""Claim, submit, skip, undo: what one annotator meets, allowed and forbidden."""

import uuid
from collections import Counter
from dataclasses import asdict
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from curation.models import Annotation, Label, Lease, ReviewItem
from curation.models.review import Queue
from curation.review import services
from curation.review.mixing import draw
from curation.review.services import (
    KeyReused,
    NoSuchItem,
    NotALabel,
)
from tests.curation.events import digest_all, sample_of, subject, thumb
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
from tests.factories import NOW, make_member, make_prediction, make_project, make_user

pytestmark = pytest.mark.django_db


def test_a_claim_reserves_the_most_urgent_and_shows_nothing_but_the_text() -> None:
    project = make_project()
    user = make_member(project)
    items = [open_item(project, priority=number / 10, predicted="positive") for number in range(7)]

    found = services.claim(project=project, user=user, now=NOW)

    assert [each.id for each in found.items] == [item.pk for item in reversed(items[2:])]
    assert found.empty is None
    assert found.depth == 2
    first = found.items[0]
    assert asdict(first) == {
        "id": items[6].pk,
        "text": items[6].sample.text,
        "expires_at": NOW + timedelta(seconds=300),
        "guideline": 1,
    }
    assert fresh(items[6]).taken == 1
    assert crooked_items() == []


def test_what_an_annotator_holds_is_returned_first_and_no_more_is_taken() -> None:
    project = make_project()
    user = make_member(project)
    for _ in range(7):
        open_item(project)

    first = claimed(project, user)
    open_item(project, priority=0.9)

    assert claimed(project, user, now=NOW + MINUTE) == first
    assert Lease.objects.count() == 5


def test_two_annotators_never_hold_the_same_slot() -> None:
    project = make_project()
    ann, ben = make_member(project), make_member(project)
    for _ in range(8):
        open_item(project)
    assert not set(claimed(project, ann)) & set(claimed(project, ben))


def test_an_item_that_needs_two_answers_goes_to_two() -> None:
    project = make_project(overlap=2)
    item = open_item(project)
    users = [make_member(project) for _ in range(3)]
    assert [claimed(project, user) for user in users] == [[item.pk], [item.pk], []]


def test_strangers_may_not_claim_or_answer() -> None:
    project = make_project()
    item, stranger = open_item(project), make_user()
    with pytest.raises(PermissionDenied):
        claimed(project, stranger)
    with pytest.raises(PermissionDenied):
        answer(project, stranger, item)
    with pytest.raises(PermissionDenied):
        pass_on(project, stranger, item)
    with pytest.raises(PermissionDenied):
        services.undo(project=project, user=stranger, now=NOW)
    assert not Annotation.objects.exists()


def test_an_answer_becomes_a_label_resting_on_it_and_reveals_what_was_hidden() -> None:
    project = make_project()
    user = make_member(project)
    prediction = make_prediction(project, text="meh")
    for name in ("ann", "ben"):
        thumb(prediction, "down", subject=subject(name))
    thumb(prediction, "up", subject=subject("cat"))
    digest_all()
    item = ReviewItem.objects.get()
    claimed(project, user)

    done = answer(project, user, item, "negative", note="clearly")

    assert (done.is_blind, done.is_extra) == (True, False)
    assert (done.reveal.queue, done.reveal.predicted) == ("disputed", "positive")
    assert done.reveal.confidence == 0.9
    assert done.reveal.votes == [("down", "negative", 2), ("up", "positive", 1)]
    assert done.reveal.why["contradicting"] == 2
    assert label_of(sample_of(prediction)) == ("negative", "annotation", 0.95)
    label = Label.objects.get(is_current=True)
    assert [row.annotation_id for row in label.evidence.all()] == [done.annotation_id]
    annotation = Annotation.objects.get()
    assert (annotation.note, annotation.guideline.number) == ("clearly", 1)  # type: ignore[union-attr]
    assert fresh(item).status == "done"
    assert not Lease.objects.exists()


def test_the_same_key_again_gives_the_same_answer() -> None:
    project = make_project()
    user, item, key = make_member(project), open_item(project), uuid.uuid4()
    claimed(project, user)
    first = answer(project, user, item, submission_key=key)

    assert answer(project, user, item, submission_key=key) == first
    assert Annotation.objects.count() == 1
    assert fresh(item).done == 1


def test_a_key_cannot_be_used_for_something_else() -> None:
    project = make_project()
    user, key = make_member(project), uuid.uuid4()
    item, other = open_item(project), open_item(project)
    answer(project, user, item, submission_key=key)
    with pytest.raises(KeyReused):
        answer(project, user, item, "negative", submission_key=key)
    with pytest.raises(KeyReused):
        answer(project, user, other, submission_key=key)
    with pytest.raises(KeyReused):
        pass_on(project, user, item, submission_key=key)
    assert Annotation.objects.count() == 1


def test_what_is_no_label_no_reason_or_no_item_is_refused() -> None:
    project = make_project()
    user, item = make_member(project), open_item(project)
    foreign = open_item(make_project())
    with pytest.raises(NotALabel, match="negative, positive"):
        answer(project, user, item, "splendid")
    with pytest.raises(NotALabel):
        pass_on(project, user, item, "bored")
    with pytest.raises(NoSuchItem):
        answer(project, user, foreign)
    assert not Annotation.objects.exists()


def test_a_lease_that_ran_out_still_holds_the_slot_until_it_is_swept() -> None:
    project = make_project()
    ann, item = make_member(project), open_item(project)
    claimed(project, ann)
    done = answer(project, ann, item, now=NOW + 10 * MINUTE)
    assert not done.is_extra
    assert fresh(item).status == "done"


def test_an_expired_lease_is_swept_by_the_next_who_finds_nothing() -> None:
    project = make_project()
    ann, ben, item = make_member(project), make_member(project), open_item(project)
    claimed(project, ann)

    assert claimed(project, ben, now=NOW + 4 * MINUTE) == []
    assert claimed(project, ben, now=NOW + 6 * MINUTE) == [item.pk]


def test_a_late_answer_takes_a_free_slot_or_is_kept_as_an_extra_opinion() -> None:
    project = make_project()
    ann, ben = make_member(project), make_member(project)
    first, second = open_item(project, priority=0.9), open_item(project)
    assert claimed(project, ann) == [first.pk, second.pk]
    services.sweep(now=NOW + 6 * MINUTE)
    claimed(project, ben, limit=1, now=NOW + 6 * MINUTE)

    late = answer(project, ann, first, now=NOW + 7 * MINUTE)
    in_time = answer(project, ann, second, now=NOW + 7 * MINUTE)

    assert (late.is_extra, in_time.is_extra) == (True, False)
    assert fresh(first).status == "open"
    assert label_of(first.sample) is None
    assert fresh(second).status == "done"
    assert answer(project, ben, first, "negative", now=NOW + 8 * MINUTE).is_extra is False
    assert label_of(first.sample) == ("negative", "annotation", 0.95)
    assert crooked_items() == []


def test_a_skip_frees_the_slot_for_others_and_stays_skipped() -> None:
    project = make_project()
    ann, ben, item = make_member(project), make_member(project), open_item(project)
    claimed(project, ann)
    skipped = pass_on(project, ann, item, "other")

    assert not skipped.is_closed
    assert claimed(project, ann) == []
    assert claimed(project, ben) == [item.pk]
    assert crooked_items() == []


def test_two_annotators_who_skip_as_spam_close_the_item() -> None:
    project = make_project(overlap=2)
    item = open_item(project)
    ann, ben, cat = (make_member(project) for _ in range(3))
    claimed(project, cat)
    pass_on(project, ann, item, "spam")
    assert fresh(item).status == "open"
    assert pass_on(project, ben, item, "spam").is_closed

    assert fresh(item).status == "closed"
    late = answer(project, cat, item)
    assert late.is_extra
    assert label_of(item.sample) is None
    assert crooked_items() == []


def test_skips_for_different_reasons_leave_it_open() -> None:
    project = make_project()
    item = open_item(project)
    for reason in ("spam", "unclear", "language", "language", "other", "other"):
        pass_on(project, make_member(project), item, reason)
    assert fresh(item).status == "open"
    assert item.skips == 6


def test_an_answered_text_is_asked_about_in_no_other_queue() -> None:
    project = make_project()
    ann, ben = make_member(project), make_member(project)
    item = open_item(project, queue=Queue.LABEL_ERROR)
    held = open_item(project, queue=Queue.LABEL_ERROR)
    for sample in (item.sample, held.sample):
        services.open_items(
            project=project,
            picks=[services.Pick(sample.pk, Queue.UNCERTAIN, 0.1, {})],
            now=NOW,
        )
    claimed(project, ben, queue=Queue.UNCERTAIN, limit=10)
    services.release(
        project=project,
        user=ben,
        items=[ReviewItem.objects.get(sample=item.sample, queue="uncertain").pk],
    )

    answer(project, ann, item)
    answer(project, ann, held)

    assert ReviewItem.objects.get(sample=item.sample, queue="uncertain").status == "closed"
    assert ReviewItem.objects.get(sample=held.sample, queue="uncertain").status == "open"
    assert claimed(project, ann) == []


def test_a_heartbeat_keeps_a_lease_alive_but_not_beyond_half_an_hour() -> None:
    project = make_project()
    ann, ben, item = make_member(project), make_member(project), open_item(project)
    claimed(project, ann)

    def beat(minutes: int) -> list[int]:
        kept = services.heartbeat(
            project=project, user=ann, items=[item.pk, 10**9], now=NOW + minutes * MINUTE
        )
        return [round((lease.expires_at - NOW) / MINUTE) for lease in kept]

    assert [beat(minutes) for minutes in (4, 8, 20, 27, 29)] == [[9], [13], [25], [30], [30]]
    assert beat(31) == []
    assert claimed(project, ben, now=NOW + 29 * MINUTE) == []
    assert claimed(project, ben, now=NOW + 30 * MINUTE) == [item.pk]
    assert beat(31) == []


def test_a_release_frees_only_ones_own() -> None:
    project = make_project()
    ann, ben, item = make_member(project), make_member(project), open_item(project)
    claimed(project, ann)
    assert services.release(project=project, user=ben, items=[item.pk]) == 0
    assert services.release(project=project, user=ann, items=[item.pk]) == 1
    assert claimed(project, ben) == [item.pk]


def test_nothing_to_do_says_why() -> None:
    project = make_project()
    ann, ben = make_member(project), make_member(project)

    empty = services.claim(project=project, user=ann, now=NOW).empty
    assert empty is not None
    assert "queue is empty" in empty.message

    open_item(project)
    skipped = open_item(project)
    pass_on(project, ann, skipped)
    claimed(project, ben, limit=1)
    empty = services.claim(project=project, user=ann, now=NOW + MINUTE).empty

    assert empty is not None
    assert (empty.leased_by_others, empty.done_by_you, empty.open_items) == (1, 1, 2)
    assert empty.next_free_at == NOW + timedelta(seconds=300)
    assert empty.message == (
        "Nothing is free for you: 1 with other annotators, the next free at 12:05 UTC and "
        "1 answered or skipped by you and waiting for someone else."
    )


def test_a_chosen_queue_is_served_alone_and_an_unknown_one_refused() -> None:
    project = make_project()
    user = make_member(project)
    open_item(project, queue=Queue.DISPUTED)
    audit = open_item(project, queue=Queue.AUDIT)
    assert claimed(project, user, queue="audit") == [audit.pk]
    with pytest.raises(ValueError, match="nonsense"):
        claimed(project, user, queue="nonsense")


def test_slots_are_drawn_by_the_shares_of_the_queues_that_have_something() -> None:
    free = {"disputed": 10, "uncertain": 10, "audit": 10, "gold": 0}
    drawn: Counter[str] = Counter()
    for n in range(400):
        drawn.update(draw(free=free, slots=5, user_id=1, now=NOW + timedelta(seconds=n)).queues)
    assert sum(drawn.values()) == 2000
    assert 900 < drawn["disputed"] < 1100
    assert 520 < drawn["uncertain"] < 680
    assert 320 < drawn["audit"] < 480
    assert draw(free={"audit": 2}, slots=5, user_id=1, now=NOW).queues == {"audit": 2}


def test_default_claims_mix_the_queues_in_no_telling_order() -> None:
    project = make_project()
    queues = (Queue.DISPUTED, Queue.UNCERTAIN, Queue.AUDIT)
    for queue in queues:
        for _ in range(40):
            open_item(project, queue=queue)
    of = dict(ReviewItem.objects.values_list("pk", "queue"))
    first, last = Counter[str](), Counter[str]()
    for n in range(12):
        user = make_member(project)
        claim = [of[item] for item in claimed(project, user, now=NOW + timedelta(seconds=n))]
        again = [of[item] for item in claimed(project, user, now=NOW + timedelta(seconds=n + 1))]
        assert (len(claim), again) == (5, claim)
        first.update(claim[:2])
        last.update(claim[3:])
    assert set(first) == set(last) == set(queues)


def test_a_short_queue_is_topped_up_from_the_others() -> None:
    project = make_project()
    user = make_member(project)
    items = [open_item(project, queue=queue) for queue in (Queue.DISPUTED, Queue.AUDIT)]
    items += [open_item(project, queue=Queue.UNCERTAIN, priority=9.0) for _ in range(3)]
    assert set(claimed(project, user)) == {item.pk for item in items}


def test_queue_depths_tell_open_from_free() -> None:
    project = make_project()
    for _ in range(3):
        open_item(project, queue=Queue.DISPUTED)
    claimed(project, make_member(project), limit=1)
    (depth,) = services.queue_depths(project=project)
    assert (depth.queue, depth.open, depth.free, depth.oldest_at) == ("disputed", 3, 2, NOW)


def test_opening_an_item_again_updates_it_and_the_same_again_does_nothing() -> None:
    project = make_project()
    item = open_item(project, priority=0.2)
    pick = services.Pick(item.sample_id, Queue.UNCERTAIN, 0.7, {"sentence": "Now."})
    assert [services.open_items(project=project, picks=[pick], now=NOW) for _ in range(2)] == [1, 0]
    assert (fresh(item).priority, item.why) == (0.7, {"sentence": "Now."})


def queries_of(captured: CaptureQueriesContext) -> int:
    return sum("SAVEPOINT" not in query["sql"] for query in captured.captured_queries)


def test_claim_and_submit_take_at_most_six_queries() -> None:
    project = make_project()
    user, second, third = (make_member(project) for _ in range(3))
    for _ in range(8):
        open_item(project, predicted="positive")

    with CaptureQueriesContext(connection) as claiming:
        items = claimed(project, user)
    with CaptureQueriesContext(connection) as submitting:
        answer(project, user, items[0])
    claimed(project, second)
    with CaptureQueriesContext(connection) as finding_nothing:
        claimed(project, third, now=NOW + MINUTE)
    with CaptureQueriesContext(connection) as sweeping:
        claimed(project, third, now=NOW + 10 * MINUTE)

    counts = [queries_of(each) for each in (claiming, submitting, finding_nothing, sweeping)]
    assert counts == [4, 6, 5, 6]
