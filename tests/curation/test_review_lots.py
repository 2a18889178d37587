"""The share drawn by lot: uniform over what is open, with a probability that is known."""

import doctest
from random import Random

import pytest

from curation.models import Annotation, Lease, Project, ReviewItem
from curation.models.review import Queue
from curation.review import engine, open_error, services
from curation.review.engine import Asking
from curation.review.mixing import SHARES, Drawn, Lot
from curation.review.open_error import DrawnAnswer, weighted_share
from feedbackhub.core.models import User
from tests.curation.reviewing import answer, claimed, crooked_items, open_item
from tests.factories import NOW, make_member, make_project

pytestmark = pytest.mark.django_db
WINDOW = 32


def drawn_by_lot(project: Project, user: User, *lots: Lot) -> dict[int, float | None]:
    """Items drawn, with the probability each was drawn with; given back at once."""
    asking = Asking(project.pk, user.pk, is_senior=False, queues=[*SHARES], limit=10)
    engine.claim(asking=asking, drawn=Drawn(lots=lots), now=NOW)
    found = dict(Lease.objects.filter(user=user).values_list("item", "inclusion_probability"))
    assert set(Lease.objects.values_list("draw", flat=True)) == {"random"}
    services.release(project=project, user=user, items=list(found))
    return found


def chance(lots: list[float], at: int) -> float:
    """How likely a draw takes the item at a place, by counting the starts that reach it."""
    before = lots[at - WINDOW] if at >= WINDOW else lots[at - WINDOW] - 1
    return (lots[at] - before) / WINDOW


def test_a_draw_takes_one_of_the_next_items_with_the_probability_it_says() -> None:
    project = make_project()
    user = make_member(project)
    items = [open_item(project, queue=queue) for queue in ("disputed", "audit") for _ in range(25)]
    lots = [((n * 37) % 50) ** 1.5 / 360 for n in range(50)]
    for item, lot in zip(items, lots, strict=True):
        ReviewItem.objects.filter(pk=item.pk).update(lot=lot)
    place = {item.pk: sorted(lots).index(lot) for item, lot in zip(items, lots, strict=True)}

    for start in (0.0, 0.31, 0.6, 0.97, 0.999):
        for pick in (0.0, 0.5, 0.999):
            ((drawn, probability),) = drawn_by_lot(project, user, Lot(start, pick)).items()
            first = sum(lot < start for lot in lots)
            assert place[drawn] == (first + int(pick * WINDOW)) % 50
            assert probability == pytest.approx(chance(sorted(lots), place[drawn]))

    assert sum(chance(sorted(lots), at) for at in range(50)) == pytest.approx(1)
    assert crooked_items() == []


def test_of_few_items_each_is_as_likely() -> None:
    project = make_project()
    user = make_member(project)
    for _ in range(4):
        open_item(project)
    picks = [Lot(0.3, pick) for pick in (0.1, 0.3, 0.6, 0.9)]
    found = drawn_by_lot(project, user, *picks)
    assert sorted(found.values(), key=float) == [0.25] * 4  # type: ignore[arg-type]


def test_a_text_in_two_queues_is_drawn_once_and_gold_and_a_seniors_never() -> None:
    project = make_project()
    user, item = make_member(project), open_item(project, queue=Queue.DISPUTED)
    pick = services.Pick(item.sample_id, Queue.UNCERTAIN, 0.5, {})
    services.open_items(project=project, picks=[pick], now=NOW)
    open_item(project, queue=Queue.GOLD)
    open_item(project, queue=Queue.LABEL_ERROR, for_senior=True)
    for pick_at in (0.0, 0.4, 0.9):
        assert drawn_by_lot(project, user, Lot(0.1, pick_at)) == {item.pk: 1.0}


def test_how_an_answer_was_drawn_is_kept_with_it() -> None:
    project = make_project(random_share=1.0)
    user = make_member(project)
    items = [open_item(project, priority=number / 10) for number in range(3)]
    (drawn,) = claimed(project, user, limit=1)
    answer(project, user, drawn)
    services.release(project=project, user=user, items=[item.pk for item in items])
    kept = Annotation.objects.get(item=drawn)
    assert (kept.draw, kept.inclusion_probability) == ("random", pytest.approx(1 / 3))


def test_the_worked_numbers_of_the_weighted_share_hold() -> None:
    assert doctest.testmod(open_error).failed == 0


def test_the_weighted_share_is_right_where_the_plain_one_is_not() -> None:
    random, covered, plain = Random(5), 0, []
    lots = sorted(random.random() ** 2 for _ in range(400))
    # Where lots lie close, the model errs: what stands alone is drawn more often, and is right.
    wrong = [at < 200 for at in range(400)]
    for _ in range(200):
        drawn = []
        for _ in range(150):
            start = random.random()
            first = sum(lot < start for lot in lots)
            at = (first + random.randrange(WINDOW)) % 400
            drawn.append(DrawnAnswer(wrong[at], chance(lots, at)))
        found = weighted_share(drawn)
        assert found is not None
        covered += found.low <= 0.5 <= found.high
        plain.append(sum(each.is_wrong for each in drawn) / 150)
    assert covered >= 180
    assert sum(plain) / 200 < 0.35


def test_the_error_on_open_texts_rests_on_draws_by_lot_alone() -> None:
    project = make_project(random_share=0.0)
    user = make_member(project)
    for number in range(34):
        item = open_item(project, predicted="positive", priority=0.5)
        asking = Asking(project.pk, user.pk, is_senior=False, queues=[*SHARES], limit=10)
        if number < 32:
            engine.claim(asking=asking, drawn=Drawn(lots=(Lot(0.0, 0.0),)), now=NOW)
        answer(project, user, item, "negative" if number % 4 == 0 else "positive")
    found = open_error.open_error(project=project, since=NOW)
    assert found is not None
    assert (found.n, found.share) == (32, 0.25)
    assert open_error.open_error(project=make_project(), since=NOW) is None
