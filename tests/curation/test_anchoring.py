"""The anchoring meter: the one exception to blindness, its bounds, and what it reads."""

import uuid
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from curation.models import Annotation, CurationPolicy, Lease, Project, ReviewItem, ShownPrediction
from curation.models.review import Draw, Queue
from curation.proportions import Share, difference, wilson
from curation.review import services, shapes, wire
from curation.review.anchoring import anchoring
from feedbackhub.core.models import User
from feedbackhub.core.roles import Role
from tests.curation.reviewing import answer, crooked_items, fresh, label_of, open_item
from tests.factories import NOW, make_member, make_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    """One whose every item is shown first, to each of two annotators."""
    project = make_project(slug="reviews", shown_first_share=1.0)
    make_member(project)
    return project


@pytest.fixture
def annotator(project: Project) -> User:
    return make_member(project)


def claim(project: Project, user: User) -> dict[int, shapes.RevealedPrediction | None]:
    body = shapes.ClaimBody(count=10)
    items = wire.claim(project=project, user=user, body=body, now=NOW).items
    return {item.id: item.shown for item in items}


def submit(project: Project, user: User, item: ReviewItem, value: str) -> shapes.SubmitAnswer:
    body = shapes.SubmitBody(value=value, submission_key=uuid.uuid4())
    return wire.submit(project=project, user=user, item=item.pk, body=body, now=NOW)


def test_the_prediction_is_shown_and_the_answer_is_marked(
    project: Project, annotator: User
) -> None:
    item = open_item(project, predicted="positive")
    shown = claim(project, annotator)[item.pk]
    assert shown is not None
    assert (shown.label, shown.confidence, shown.model_version) == ("positive", 0.9, "v1")
    assert submit(project, annotator, item, "positive").status == "unblinded"
    given = Annotation.objects.get()
    assert (given.was_shown, given.is_blind) == (True, False)
    assert crooked_items() == []


def test_someone_else_answers_it_blind_and_their_answer_counts(
    project: Project, annotator: User
) -> None:
    item = open_item(project, predicted="positive")
    claim(project, annotator)
    submit(project, annotator, item, "positive")
    assert label_of(item.sample) == ("positive", "annotation", 0.75)
    assert fresh(item).status == ReviewItem.Status.OPEN
    CurationPolicy.objects.update(shown_first_share=0)
    other = make_member(project)
    assert claim(project, other) == {item.pk: None}
    assert submit(project, other, item, "positive").status == "accepted"
    label = label_of(item.sample)
    assert label is not None
    assert label[2] > 0.75
    assert (fresh(item).status, fresh(item).done) == (ReviewItem.Status.DONE, 1)


def test_what_was_shown_is_shown_again_on_a_reload_and_never_to_another(
    project: Project, annotator: User
) -> None:
    item = open_item(project, predicted="positive")
    first = claim(project, annotator)
    CurationPolicy.objects.update(shown_first_share=0)
    assert claim(project, annotator) == first
    assert ShownPrediction.objects.get().user == annotator
    assert item.pk in first


@pytest.mark.parametrize("queue", [Queue.AUDIT, Queue.GOLD])
def test_audit_and_gold_are_never_shown(project: Project, annotator: User, queue: str) -> None:
    item = open_item(project, queue=queue, predicted="positive")
    assert claim(project, annotator).get(item.pk) is None
    assert not ShownPrediction.objects.exists()


def test_what_a_senior_decides_is_never_shown(project: Project) -> None:
    senior = make_member(project, Role.SENIOR)
    item = open_item(project, predicted="positive")
    ReviewItem.objects.update(for_senior=True)
    assert claim(project, senior) == {item.pk: None}


def test_what_is_drawn_by_lot_is_never_shown(project: Project, annotator: User) -> None:
    CurationPolicy.objects.update(random_share=0.5)
    for _ in range(20):
        open_item(project, predicted="positive")
    claimed = claim(project, annotator)
    by_lot = {lease.item_id for lease in Lease.objects.filter(draw=Draw.RANDOM)}
    assert by_lot
    assert {item for item, shown in claimed.items() if shown is None} == by_lot


def test_a_text_that_is_audited_too_is_not_shown_in_another_queue(
    project: Project, annotator: User
) -> None:
    item = open_item(project, predicted="positive")
    pick = services.Pick(sample_id=item.sample_id, queue=Queue.AUDIT, priority=0, why={})
    services.open_items(project=project, picks=[pick], now=NOW)
    assert set(claim(project, annotator).values()) == {None}


def test_nothing_is_shown_where_nobody_else_could_answer_blind() -> None:
    project = make_project(shown_first_share=1.0)
    alone = make_member(project)
    item = open_item(project, predicted="positive")
    assert claim(project, alone) == {item.pk: None}


def test_nothing_is_shown_at_a_share_of_nothing(project: Project, annotator: User) -> None:
    CurationPolicy.objects.update(shown_first_share=0)
    item = open_item(project, predicted="positive")
    assert claim(project, annotator) == {item.pk: None}


def test_about_the_share_of_items_is_shown_and_the_same_ones_always() -> None:
    from curation.review.anchoring import _point  # noqa: PLC0415

    points = [_point(item, user) for item in range(1, 101) for user in range(1, 101)]
    assert 0.045 < sum(point < 0.05 for point in points) / len(points) < 0.055
    assert _point(7, 3) == _point(7, 3) != _point(7, 4)


def test_an_answer_after_the_lease_ran_out_is_still_not_blind(
    project: Project, annotator: User
) -> None:
    item = open_item(project, predicted="positive")
    claim(project, annotator)
    Lease.objects.all().delete()
    ReviewItem.objects.update(taken=0)
    assert submit(project, annotator, item, "negative").status == "unblinded"
    assert Annotation.objects.get().was_shown


def test_a_second_thought_after_the_reveal_is_not_the_meters(
    project: Project, annotator: User
) -> None:
    item = open_item(project, predicted="positive")
    claim(project, annotator)
    submit(project, annotator, item, "negative")
    services.undo(project=project, user=annotator, now=NOW)
    submit(project, annotator, item, "positive")
    marks = Annotation.objects.order_by("id").values_list("value", "was_shown")
    assert list(marks) == [("negative", True), ("positive", False)]
    read = anchoring(project=project)
    assert (read.shown, read.blind) == (Share(0, 1), Share(0, 0))


def test_the_mark_cannot_be_rewritten(project: Project, annotator: User) -> None:
    item = open_item(project, predicted="positive")
    claim(project, annotator)
    submit(project, annotator, item, "positive")
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        Annotation.objects.update(was_shown=False)


def test_the_meter_compares_shown_with_blind_of_the_same_time(
    project: Project, annotator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("curation.review.anchoring.MINIMUM", 2)
    seen = [open_item(project, predicted="positive") for _ in range(4)]
    claim(project, annotator)
    for item, value in zip(seen, ["positive", "positive", "positive", "negative"], strict=True):
        submit(project, annotator, item, value)
    CurationPolicy.objects.update(shown_first_share=0)
    hidden = [open_item(project, predicted="positive") for _ in range(2)]
    audit = open_item(project, predicted="positive", queue=Queue.AUDIT)
    for item, value in zip([*hidden, audit], ["positive", "negative", "negative"], strict=True):
        answer(project, annotator, item, value)
    read = anchoring(project=project)
    assert (read.shown, read.blind, read.missing) == (Share(3, 4), Share(1, 2), 0)
    assert read.difference == difference(Share(3, 4), Share(1, 2))
    assert read.share == 0


def test_too_few_answers_say_how_many_are_missing(project: Project, annotator: User) -> None:
    read = anchoring(project=project)
    assert (read.difference, read.missing, read.share) == (None, 30, 1.0)


def test_programs_are_told_what_to_show(project: Project, annotator: User, client: Client) -> None:
    item = open_item(project, predicted="positive")
    client.force_login(annotator)
    claimed: Any = client.post(
        "/review/reviews/api/claim", {}, content_type="application/json"
    ).json()
    assert claimed["items"][0]["id"] == item.pk
    assert claimed["items"][0]["shown"]["label"] == "positive"


@pytest.mark.parametrize(
    ("one", "other", "value", "low", "high"),
    [
        # Newcombe (1998), Table II, method 10, the last two with empty cells.
        (Share(56, 70), Share(48, 80), 0.2, 0.0524, 0.3339),
        (Share(9, 10), Share(3, 10), 0.6, 0.1705, 0.8090),
        (Share(6, 7), Share(2, 7), 0.5714, 0.0582, 0.8062),
        (Share(0, 10), Share(0, 20), 0.0, -0.1611, 0.2775),
        (Share(10, 10), Share(0, 20), 1.0, 0.6791, 1.0),
    ],
)
def test_newcombes_published_intervals(
    one: Share, other: Share, value: float, low: float, high: float
) -> None:
    found = difference(one, other)
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((value, low, high), abs=6e-5)


def test_a_share_of_nothing_has_no_interval() -> None:
    assert wilson(Share(0, 0)) is None
    assert difference(Share(0, 0), Share(1, 2)) is None
