"""Gold: grown from seniors, served unrecognised, scored against, retired by itself."""

import doctest
from collections import Counter
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from curation.models import AnnotatorQuality, Exposure, GoldItem, Label, Project, ReviewItem
from curation.models.review import Queue
from curation.review import gold, gold_doubt, services
from curation.review.agreement.refresh import refresh
from curation.review.mixing import draw
from feedbackhub.core.models import User
from feedbackhub.core.roles import Role
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
from tests.factories import NOW, make_member, make_project

pytestmark = pytest.mark.django_db
SURE = {"gold_share": 1.0}
"""Beyond what the admin allows: whatever can be gold is."""


def test_the_worked_numbers_of_doubt_hold() -> None:
    assert doctest.testmod(gold_doubt).failed == 0


def seniors_agree(project: Project, *, value: str = "positive", n: int = 2) -> GoldItem:
    """A text that became gold."""
    item = open_item(project)
    everyone_answers(project, item, [("senior", value)] * n)
    gold.tend(now=NOW)
    return GoldItem.objects.get(sample=item.sample)


def everyone_answers(project: Project, item: ReviewItem, said: list[tuple[str, str]]) -> None:
    """People who hold the item at the same time answer it one after another."""
    ReviewItem.objects.filter(pk=item.pk).update(needed=len(said))
    users = [make_member(project, Role(role)) for role, _ in said]
    for user in users:
        claimed(project, user, queue=item.queue)
    for user, (_, value) in zip(users, said, strict=True):
        assert not answer(project, user, item, value).is_extra


def hidden(of: GoldItem) -> ReviewItem:
    """The item it is served as."""
    return ReviewItem.objects.get(sample=of.sample, queue=Queue.GOLD, status="open")


@pytest.mark.parametrize(
    ("answers", "grows"),
    [
        ([("senior", "positive"), ("senior", "positive")], True),
        ([("senior", "positive"), ("annotator", "positive")], True),
        ([("senior", "positive"), ("senior", "negative")], False),
        ([("senior", "positive"), ("annotator", "negative")], False),
        ([("annotator", "positive"), ("annotator", "positive")], False),
        ([("senior", "positive")], False),
        ([("senior", "positive"), ("annotator", "negative"), ("senior", "positive")], True),
    ],
)
def test_gold_grows_from_seniors_who_agree(answers: list[tuple[str, str]], grows: bool) -> None:
    project = make_project()
    item = open_item(project)
    everyone_answers(project, item, answers)
    assert gold.tend(now=NOW).grown == int(grows)
    assert GoldItem.objects.filter(sample=item.sample, value="positive").exists() == grows


def test_an_answer_given_after_a_look_makes_no_gold() -> None:
    project = make_project(overlap=2)
    item, ann, ben = open_item(project), make_member(project, Role.SENIOR), make_member(project)
    services.expose(sample_ids=[item.sample_id], user=ann, now=NOW)
    answer(project, ann, item)
    answer(project, ben, item)
    assert gold.tend(now=NOW).grown == 0


def test_gold_is_served_among_the_rest_to_who_has_not_seen_it_and_never_alone() -> None:
    project = make_project(**SURE)
    ann = make_member(project)
    entry = seniors_agree(project)
    assert claimed(project, ann) == []
    work = open_item(project)

    found = services.claim(project=project, user=ann, now=NOW, limit=2)

    assert sorted(each.id for each in found.items) == sorted([hidden(entry).pk, work.pk])
    shapes = {(each.guideline, each.expires_at) for each in found.items}
    assert len(shapes) == 1
    senior = entry.sample.annotations.first()
    assert senior is not None
    services.release(project=project, user=ann, items=[item.id for item in found.items])
    assert claimed(project, senior.user) == [work.pk]


def test_an_answer_to_gold_is_scored_and_makes_no_label() -> None:
    project = make_project(gold_share=0.07)
    ann = make_member(project)
    entry = seniors_agree(project)
    labels = Label.objects.count()
    item = hidden(entry)

    answer(project, ann, item, "negative")

    assert fresh(item).status == "done"
    assert Label.objects.count() == labels
    assert label_of(entry.sample) == ("positive", "annotation", 0.99)
    (given,) = gold.gold_answers(project=project)
    assert (given.user_id, given.value, given.truth, given.is_right) == (
        ann.pk,
        "negative",
        "positive",
        False,
    )
    services.undo(project=project, user=ann, now=NOW)
    assert gold.gold_answers(project=project) == []
    assert not answer(project, ann, item, "positive").is_blind
    assert gold.gold_answers(project=project) == []
    assert Label.objects.count() == labels
    assert crooked_items() == []


def test_what_gold_says_of_an_annotator_is_in_their_record() -> None:
    project = make_project(gold_share=0.07)
    ann = make_member(project)
    answer(project, ann, hidden(seniors_agree(project)), "negative")
    refresh(now=NOW + 5 * MINUTE)
    record = AnnotatorQuality.objects.get(user=ann)
    assert (record.n_gold, record.n_answers) == (1, 1)
    makers = AnnotatorQuality.objects.exclude(user=ann)
    assert {each.n_gold for each in makers} == {0}


def test_each_serving_is_a_new_item_and_old_ones_make_way() -> None:
    project = make_project(gold_share=0.07)
    ann, ben = make_member(project), make_member(project)
    entry = seniors_agree(project)
    first = hidden(entry)
    answer(project, ann, first)
    gold.tend(now=NOW + MINUTE)
    second = hidden(entry)
    assert second.pk > first.pk
    gold.tend(now=NOW + timedelta(hours=13))
    assert fresh(second).status == "closed"
    assert hidden(entry).pk > second.pk
    answer(project, ben, hidden(entry))
    gold.tend(now=NOW + timedelta(hours=14))
    assert not ReviewItem.objects.filter(queue="gold", status="open").exists()


def test_gold_the_crowd_keeps_failing_retires_and_a_senior_is_asked() -> None:
    project = make_project(gold_share=0.07)
    crowd = [make_member(project) for _ in range(6)]
    entry = seniors_agree(project)
    for user in crowd[:5]:
        gold.tend(now=NOW)
        answer(project, user, hidden(entry), "negative")
    gold.tend(now=NOW + MINUTE)

    entry.refresh_from_db()
    assert (entry.retired_at, entry.is_bad) == (NOW + MINUTE, True)
    assert entry.retired_reason.startswith("5 of 5 annotators answered otherwise")
    assert gold.gold_answers(project=project) == []
    assert not ReviewItem.objects.filter(queue="gold", status="open").exists()
    doubt = ReviewItem.objects.get(sample=entry.sample, queue="label_error")
    assert doubt.for_senior
    assert claimed(project, crowd[5]) == []
    assert claimed(project, make_member(project, Role.SENIOR)) == [doubt.pk]
    assert gold.tend(now=NOW + 2 * MINUTE) == gold.Tended(grown=0, served=0, retired=0)


def test_gold_people_pass_on_as_unclear_retires_too() -> None:
    project = make_project(gold_share=0.07)
    crowd = [make_member(project) for _ in range(2)]
    entry = seniors_agree(project)
    for user in crowd:
        pass_on(project, user, hidden(entry), "unclear")
    assert gold.tend(now=NOW).retired == 1
    entry.refresh_from_db()
    assert "passed it on" in entry.retired_reason


def test_gold_goes_when_its_senior_takes_the_answer_back() -> None:
    project = make_project()
    entry = seniors_agree(project)
    senior = entry.sample.annotations.latest("id").user
    services.undo(project=project, user=senior, now=NOW)
    entry.refresh_from_db()
    assert entry.retired_reason == gold.UNFOUNDED


def test_a_lead_retires_gold_by_hand_once_and_an_annotator_never(client: Client) -> None:
    project = make_project()
    entry = seniors_agree(project)
    with pytest.raises(PermissionDenied):
        retire(entry, make_member(project))
    lead = make_member(project, Role.LEAD)
    with pytest.raises(ValueError, match="Say why"):
        gold.retire(gold=entry, by=lead, reason=" ", now=NOW)
    client.force_login(lead)
    page = f"/admin/curation/golditem/{entry.pk}/change/"
    assert client.get("/admin/curation/golditem/").status_code == 200
    assert Exposure.objects.filter(user=lead, sample=entry.sample).exists()
    assert b"Retire it because" in client.get(page).content

    assert client.post(page, {"retired_reason": "Too old."}).status_code == 302

    entry.refresh_from_db()
    assert (entry.retired_reason, entry.retired_by, entry.is_bad) == ("Too old.", lead, True)
    with pytest.raises(gold.AlreadyRetired):
        retire(entry, lead)
    assert b"Retire it because" not in client.get(page).content


def retire(entry: GoldItem, by: User) -> None:
    gold.retire(gold=entry, by=by, reason="Doubtful.", now=NOW)


def test_shares_of_gold_and_of_lots_are_as_the_policy_says() -> None:
    free = {"disputed": 10, "audit": 10, "gold": 5}
    drawn: Counter[str] = Counter()
    for n in range(1000):
        each = draw(
            free=free,
            slots=5,
            user_id=1,
            now=NOW + timedelta(seconds=n),
            random_share=0.1,
            gold_share=0.07,
        )
        drawn.update(each.queues)
        drawn["random"] += len(each.lots)
    assert drawn.total() == 5000
    assert 290 < drawn["gold"] < 410
    assert 430 < drawn["random"] < 570
    alone = draw(free={"gold": 5}, slots=5, user_id=1, now=NOW, gold_share=0.2)
    assert (alone.queues, alone.lots) == ({}, ())
