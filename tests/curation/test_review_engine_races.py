"""The queue engine under many hands: no slot twice, none lost, counters that add up."""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from random import Random

import pytest
from django.db import connection

from curation.models import Annotation, Label, Lease, Project, ReviewItem
from curation.review import services
from curation.review.services import ReviewRefused, Submitted
from feedbackhub.core.models import User
from tests.curation.events import digest_all, disagree, land, subject, thumb
from tests.curation.reviewing import (
    MINUTE,
    answer,
    at_once,
    claimed,
    crooked_items,
    open_item,
    pass_on,
)
from tests.factories import NOW, make_member, make_prediction, make_project

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_item_claimed_by_many_at_once_goes_to_one() -> None:
    project = make_project()
    item = open_item(project)
    users = [make_member(project) for _ in range(8)]
    results = at_once(*(partial(claimed, project, user) for user in users))
    assert sorted(map(str, results)) == sorted([str([item.pk])] + ["[]"] * 7)
    assert crooked_items() == []


def test_two_tabs_of_one_annotator_hold_an_item_once() -> None:
    project = make_project(overlap=3)
    user = make_member(project)
    for _ in range(4):
        open_item(project)
    at_once(*(lambda: claimed(project, user) for _ in range(6)))
    assert Lease.objects.count() == 4
    assert crooked_items() == []


def test_a_submission_sent_twice_at_once_counts_once() -> None:
    project = make_project(overlap=2)
    user, item, key = make_member(project), open_item(project), uuid.uuid4()
    claimed(project, user)
    results = at_once(*(lambda: answer(project, user, item, submission_key=key) for _ in range(6)))
    assert all(isinstance(result, Submitted) for result in results)
    assert Annotation.objects.count() == 1
    assert ReviewItem.objects.get().done == 1
    assert crooked_items() == []


def test_the_last_two_answers_at_once_finish_the_item() -> None:
    project = make_project(overlap=2)
    ann, ben = make_member(project), make_member(project)
    for _ in range(10):
        item = open_item(project)
        claimed(project, ann)
        claimed(project, ben)
        at_once(partial(answer, project, ann, item), partial(answer, project, ben, item))
        assert ReviewItem.objects.get(pk=item.pk).status == "done"
        assert Label.objects.get(sample=item.sample, is_current=True).evidence.count() == 2


def test_late_answers_at_once_share_the_one_free_slot() -> None:
    project = make_project()
    item = open_item(project)
    users = [make_member(project) for _ in range(6)]
    results = at_once(*(partial(answer, project, user, item) for user in users))
    extras = [result.is_extra for result in results if isinstance(result, Submitted)]
    assert sorted(extras) == [False] + [True] * 5
    assert crooked_items() == []


def test_undo_sent_twice_at_once_takes_back_once() -> None:
    project = make_project()
    user, key = make_member(project), uuid.uuid4()
    other, item = open_item(project), open_item(project)
    answer(project, user, other)
    answer(project, user, item, submission_key=key)
    at_once(
        *(
            lambda: services.undo(project=project, user=user, now=NOW, submission_key=key)
            for _ in range(4)
        )
    )
    assert Annotation.objects.filter(undone_at=None).get().item == other
    assert crooked_items() == []


def test_a_sweep_and_the_answer_it_races_leave_one_outcome() -> None:
    project = make_project()
    for _ in range(15):
        user, item = make_member(project), open_item(project)
        claimed(project, user)
        at_once(
            partial(answer, project, user, item, now=NOW + 6 * MINUTE),
            lambda: services.sweep(now=NOW + 6 * MINUTE),
        )
        assert ReviewItem.objects.get(pk=item.pk).status == "done"
    assert crooked_items() == []


def test_answers_undos_and_the_digest_on_the_same_texts_never_deadlock() -> None:
    project = make_project()
    texts = [f"text {number}" for number in range(6)]
    for text in texts:
        disagree(project, text)
    annotators = [make_member(project) for _ in range(3)]
    stop = threading.Event()

    def post() -> None:
        random = Random(1)
        while not stop.is_set():
            for text in random.sample(texts, 6):
                prediction = make_prediction(project, text=text, is_audit=random.random() < 0.2)
                rating = random.choice(["up", "down"])
                thumb(prediction, rating, subject=subject(str(random.random())))
                land(prediction)
            digest_all()

    def review(user: User) -> int:
        random, turns = Random(user.pk), 0
        while not stop.is_set():
            turns += 1
            for item_id in claimed(project, user, limit=2):
                answer(project, user, item_id, random.choice(["positive", "negative"]))
                if random.random() < 0.7:
                    services.undo(project=project, user=user, now=NOW)
        return turns

    calls = [post, post, *(partial(review, user) for user in annotators)]

    def halt() -> None:
        time.sleep(6)
        stop.set()

    results = at_once(*calls, halt)
    assert [result for result in results if isinstance(result, Exception)] == []
    assert crooked_items() == []


class Shift:
    """Annotators who work a queue until it is empty, each with their own habits and clock skew."""

    def __init__(self, project: Project, *, target: int) -> None:
        self.project = project
        self.target = target
        self.served: Counter[tuple[int, int]] = Counter()
        self.clock = NOW
        self.lock = threading.Lock()

    def work(self, user: User) -> int:
        try:
            return sum(self.turns(user))
        finally:
            connection.close()

    def turns(self, user: User) -> Iterator[int]:
        random, submitted = Random(user.pk), 0
        while submitted < self.target:
            with self.lock:
                self.clock += timedelta(seconds=2)
                now = self.clock
            items = claimed(self.project, user, now=now, limit=random.choice([1, 3, 5]))
            if not items:
                return
            for item_id in items:
                count = self.deal_with(item_id, user, random)
                submitted += count
                yield count

    def deal_with(self, item_id: int, user: User, random: Random) -> int:
        now, chance = self.clock, random.random()
        item = ReviewItem(pk=item_id)
        if chance < 0.05:
            return 0  # Walks away: the lease runs out.
        if chance < 0.1:
            services.release(project=self.project, user=user, items=[item_id])
            return 0
        try:
            if chance < 0.15:
                pass_on(self.project, user, item, "other", now=now)
                return 0
            done = answer(
                self.project, user, item, random.choice(["positive", "negative"]), now=now
            )
        except ReviewRefused:
            return 0
        with self.lock:
            self.served[item_id, user.pk] += not done.is_extra
        return 1


def run_shift(*, workers: int, items: int, target: int) -> Shift:
    project = make_project(overlap=2, lease_seconds=60)
    for number in range(items):
        open_item(project, priority=number % 7 / 10)
    users = [make_member(project) for _ in range(workers)]
    shift = Shift(project, target=target)
    with ThreadPoolExecutor(workers) as pool:
        submitted = sum(pool.map(shift.work, users))
    assert submitted > 0
    return shift


def assert_sound() -> None:
    """No item over-assigned, none stuck: what is open can still be claimed, once leases ran out."""
    assert crooked_items() == []
    services.sweep(now=NOW + timedelta(days=1))
    assert not Lease.objects.exists()
    assert crooked_items() == []
    stuck = ReviewItem.objects.filter(status="open").exclude(taken__lt=3)
    assert not stuck.exists()


def test_twenty_annotators_at_once_take_no_slot_twice_and_leave_none_stuck() -> None:
    shift = run_shift(workers=20, items=150, target=15)
    assert max(shift.served.values()) == 1
    assert_sound()


@pytest.mark.soak
def test_twenty_annotators_with_three_hundred_submissions_each() -> None:
    shift = run_shift(workers=20, items=3000, target=300)
    assert max(shift.served.values()) == 1
    assert sum(shift.served.values()) > 4000
    assert_sound()
