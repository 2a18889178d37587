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
from curation.models.review import Queue
from curation.review import gold, services
from curation.review.reconcile import reconcile
from curation.review.services import ReviewRefused, Submitted
from feedbackhub.core.models import User
from feedbackhub.core.roles import Role
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
        self.is_over = threading.Event()
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
            if chance < 0.2:
                reason = random.choice(["other", "spam", "unclear", "language"])
                pass_on(self.project, user, item, reason, now=now)
                return 0
            done = answer(
                self.project, user, item, random.choice(["positive", "negative"]), now=now
            )
            if random.random() < 0.05:
                services.undo(project=self.project, user=user, now=now)
        except ReviewRefused:
            return 0
        with self.lock:
            self.served[item_id, user.pk] += not done.is_extra and done.is_blind
        return 1


def run_shift(*, workers: int, items: int, target: int) -> Shift:
    project = make_project(lease_seconds=60, random_share=0.2, gold_share=0.1)
    queues = [Queue.DISPUTED, Queue.UNCERTAIN, Queue.AUDIT, Queue.SLICE]
    for number in range(items):
        open_item(project, queue=queues[number % 4], priority=number % 7 / 10)
    roles = [Role.SENIOR if number % 5 == 0 else Role.ANNOTATOR for number in range(workers)]
    users = [make_member(project, role) for role in roles]
    shift = Shift(project, target=target)
    with ThreadPoolExecutor(workers + 1) as pool:
        tending = pool.submit(tend, shift)
        submitted = sum(pool.map(shift.work, users))
        shift.is_over.set()
        tending.result()
    assert submitted > 0
    return shift


def tend(shift: Shift) -> None:
    """What the ticks do meanwhile."""
    try:
        while not shift.is_over.wait(0.2):
            gold.tend(now=shift.clock)
            services.sweep(now=shift.clock)
            assert reconcile(now=shift.clock) == 0
    finally:
        connection.close()


# What holds of each item, whatever way it took: each of these finds those of which it does not.
BROKEN = {
    "open, but no slot is free and nobody holds one": """
        SELECT id FROM curation_reviewitem WHERE status = 'open' AND taken >= needed""",
    "waits for a senior without a reason, or not although it has one": """
        SELECT id FROM curation_reviewitem
        WHERE status = 'open' AND for_senior <> (routed <> '')""",
    "settled, but its text has no label": """
        SELECT i.id FROM curation_reviewitem i
        WHERE i.status = 'done' AND i.queue <> 'gold' AND NOT EXISTS (
            SELECT 1 FROM curation_label l WHERE l.sample_id = i.sample_id AND l.is_current
        )""",
    "a label rests on an answer to gold": """
        SELECT l.id FROM curation_label l
        JOIN curation_labelevidence e ON e.label_id = l.id
        JOIN curation_annotation a ON a.id = e.annotation_id
        JOIN curation_reviewitem i ON i.id = a.item_id AND i.queue = 'gold'""",
    "a current label rests on an answer that was taken back": """
        SELECT l.id FROM curation_label l
        JOIN curation_labelevidence e ON e.label_id = l.id
        JOIN curation_annotation a ON a.id = e.annotation_id
        WHERE l.is_current AND a.undone_at IS NOT NULL""",
    "two blind answers of one person to one text": """
        SELECT sample_id FROM curation_annotation WHERE kind = 'label' AND is_blind
        GROUP BY sample_id, user_id HAVING count(*) > 1""",
    "called spam twice, and no senior was asked": """
        SELECT i.id FROM curation_reviewitem i
        WHERE i.routed = 'spam' AND i.status = 'closed' AND i.queue <> 'spam' AND NOT EXISTS (
            SELECT 1 FROM curation_reviewitem q WHERE q.sample_id = i.sample_id AND q.queue = 'spam'
        ) AND NOT EXISTS (
            SELECT 1 FROM curation_annotation a JOIN curation_membership m USING (user_id)
            WHERE a.item_id = i.id AND a.skip_reason = 'spam' AND m.role = 'senior'
        )""",
}


def assert_sound() -> None:
    """No item over-assigned, none stuck: what is open can still be claimed, once leases ran out."""
    assert crooked_items() == []
    services.sweep(now=NOW + timedelta(days=1))
    assert not Lease.objects.exists()
    assert crooked_items() == []
    with connection.cursor() as cursor:
        for what, sql in BROKEN.items():
            cursor.execute(sql)
            assert (what, cursor.fetchall()) == (what, [])


def test_twenty_annotators_at_once_take_no_slot_twice_and_leave_none_stuck() -> None:
    shift = run_shift(workers=20, items=120, target=12)
    assert max(shift.served.values()) == 1
    assert_sound()


def test_crooked_counters_are_found_and_set_right() -> None:
    project = make_project(overlap=2)
    item, other = open_item(project), open_item(project)
    answer(project, make_member(project), item)
    claimed(project, make_member(project), limit=1)
    ReviewItem.objects.filter(pk=item.pk).update(taken=2, done=2)
    ReviewItem.objects.filter(pk=other.pk).update(taken=1)
    assert crooked_items() != []
    assert reconcile(now=NOW) == 2
    assert crooked_items() == []
    assert reconcile(now=NOW) == 0


@pytest.mark.soak
def test_twenty_annotators_with_three_hundred_submissions_each() -> None:
    shift = run_shift(workers=20, items=3000, target=300)
    assert max(shift.served.values()) == 1
    assert sum(shift.served.values()) > 4000
    assert_sound()
