"""Two annotators in two browsers on one queue, by keyboard, while their reservations run out."""

from collections import Counter
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from curation.models import Annotation, Project, ReviewItem
from curation.review import services
from feedbackhub.core.clock import utcnow
from tests.browser import watched_page
from tests.curation.reviewing import crooked_items
from tests.factories import make_member, make_project
from tests.pages.browsing import sign_in
from tests.pages.reviewing import ADDRESS, all_saved, fill_queue, right_key

pytestmark = pytest.mark.browser
ITEMS, TWICE = 12, 3
LEASE_S = 2


@pytest.fixture
def project(transactional_db: None) -> Project:
    return make_project(slug="reviews", lease_seconds=LEASE_S)


@pytest.fixture
def pages(browser: Browser, live_server: LiveServer, project: Project) -> Iterator[list[Page]]:
    """The review page in two browsers of two people, whose heartbeats do not get through."""
    with watched_page(browser) as one, watched_page(browser) as other:
        for page in (one, other):
            sign_in(page, live_server, make_member(project))
            page.route("**/heartbeat", lambda route: route.abort())
        yield [one, other]


def answer_one(page: Page) -> bool:
    """Answer the text on the page, if there is one."""
    if not page.locator("#work").is_visible():
        return False
    text = page.locator("#text").inner_text()
    page.keyboard.press(right_key(text))
    return True


def test_nothing_is_lost_or_asked_too_often_when_reservations_run_out(
    live_server: LiveServer, project: Project, pages: list[Page]
) -> None:
    fill_queue(project, ITEMS)
    twice = ReviewItem.objects.order_by("id").values_list("pk", flat=True)[:TWICE]
    ReviewItem.objects.filter(pk__in=list(twice)).update(needed=2)
    for page in pages:
        page.goto(live_server.url + ADDRESS)
        expect(page.locator("#work")).to_be_visible()
    given = 0
    for turn in range(20):
        if turn in (1, 4):
            # Both hold five texts, and time passes them by; as the beat would, someone sweeps.
            pages[0].wait_for_timeout(LEASE_S * 1000 + 200)
            assert services.sweep(now=utcnow())
        given += sum(answer_one(page) for page in pages)
        pages[0].wait_for_timeout(100)
    for page in pages:
        all_saved(page)
    while answered := sum(answer_one(page) for page in pages):
        given += answered
        for page in pages:
            all_saved(page)
            expect(page.locator("#loading")).to_be_hidden()

    answers = Annotation.objects.select_related("sample", "item")
    assert answers.count() == given
    assert all(each.value in (each.sample.text or "") for each in answers)
    counted = Counter(each.item_id for each in answers if each.is_blind and not each.is_extra)
    needed = dict(ReviewItem.objects.values_list("id", "needed"))
    # An item may be sure before it has all the answers it was opened for, never have more.
    assert all(1 <= counted[item] <= most for item, most in needed.items())
    assert {*ReviewItem.objects.values_list("status", flat=True)} == {"done"}
    assert crooked_items() == []
    for page in pages:
        expect(page.locator("#empty")).to_be_visible()
        page.get_by_role("button", name="Look again").click()
        expect(page.locator("#empty-why")).to_contain_text("everything is answered")
        expect(page.locator("#refused")).to_be_empty()


def test_what_is_with_someone_else_is_said_to_be(
    live_server: LiveServer, project: Project, pages: list[Page]
) -> None:
    fill_queue(project, 3)
    one, other = pages
    one.goto(live_server.url + ADDRESS)
    expect(one.locator("#work")).to_be_visible()
    other.goto(live_server.url + ADDRESS)
    expect(other.locator("#empty-why")).to_contain_text("3 with other annotators")
    expect(one.locator("#lease")).to_contain_text("Reserved for you 0:0")
    expect(one.locator("#lease")).to_contain_text("has run out", timeout=5_000)
    other.get_by_role("button", name="Look again").click()
    expect(other.locator("#work")).to_be_visible()
