"""The rollout pages as a person uses them: clicking, without a script, on a phone, over time."""

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from feedbackhub.core.clock import utcnow
from rollout import services
from rollout.models import Rollout
from tests.browser import watched_page
from tests.pages.browsing import assert_accessible, assert_fits, sign_in
from tests.rollout.scenes import (
    address,
    end_another,
    fresh,
    make_scene,
    measure,
    names_of_live,
)

Status = Rollout.Status
PATIENCE_MS = 15_000  # The page looks every 5 seconds.


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_lead_promotes_and_rolls_back_by_clicking(live_server: LiveServer, page: Page) -> None:
    scene = make_scene()
    measure(scene, now=utcnow())
    sign_in(page, live_server, scene.lead)
    page.goto(live_server.url + address(scene))
    click_through(page, "Promote v2", reason="Better on the audit labels.")
    expect(page.get_by_text("v2 is champion and answers every subject.")).to_be_visible()
    assert names_of_live(scene.project) == ["v2"]
    click_through(page, "Roll back to v1", reason="Complaints by phone.")
    expect(page.get_by_text("v1 answers every subject again")).to_be_visible()
    assert names_of_live(scene.project) == ["v1"]
    log = page.locator("[data-live=log]")
    expect(log).to_contain_text("Better on the audit labels.")
    expect(log).to_contain_text("Complaints by phone.")


def click_through(page: Page, label: str, *, reason: str) -> None:
    """Open the dialog, find that nothing happens without a reason, give one, confirm."""
    page.get_by_role("link", name=label).click()
    dialog = page.get_by_role("dialog", name=f"{label}?")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name=label).click()
    expect(dialog).to_be_visible()
    dialog.get_by_label("Reason").fill(reason)
    dialog.get_by_role("button", name=label).click()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_cancelling_a_dialog_changes_nothing(live_server: LiveServer, page: Page) -> None:
    scene = make_scene()
    sign_in(page, live_server, scene.lead)
    page.goto(live_server.url + address(scene))
    page.get_by_role("link", name="Roll back to v1").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert fresh(scene).status == Status.AB_TEST


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_promotion_works_without_a_script(live_server: LiveServer, browser: Browser) -> None:
    scene = make_scene()
    measure(scene, now=utcnow())
    with watched_page(browser, javascript=False) as page:
        sign_in(page, live_server, scene.lead)
        page.goto(live_server.url + address(scene))
        expect(page.get_by_text("The chart needs JavaScript").first).to_be_visible()
        page.get_by_role("link", name="Promote v2").click()
        expect(page.get_by_role("heading", name="Promote v2?")).to_be_visible()
        page.get_by_label("Reason").fill("Better on the audit labels.")
        page.get_by_role("button", name="Promote v2").click()
        expect(page.get_by_text("v2 is champion and answers every subject.")).to_be_visible()
    assert names_of_live(scene.project) == ["v2"]


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_page_keeps_itself_fresh(live_server: LiveServer, page: Page) -> None:
    scene = make_scene()
    measure(scene, now=utcnow(), labels=200)
    sign_in(page, live_server, scene.lead)
    page.goto(live_server.url + address(scene))
    expect(page.locator("[data-figure=effect] .main-svg").first).to_be_visible()
    expect(page.locator("[data-live=arms]")).to_contain_text("n 200 labels")
    measure(scene, now=utcnow(), labels=260)
    expect(page.locator("[data-live=arms]")).to_contain_text("n 260 labels", timeout=PATIENCE_MS)
    services.pause(
        rollout=fresh(scene), expected="ab_test", actor="bob", reason="Odd.", now=utcnow()
    )
    expect(page.get_by_role("link", name="Resume the test of v2")).to_be_visible(
        timeout=PATIENCE_MS
    )


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_an_open_dialog_outlives_a_move_and_is_refused_with_its_reason_kept(
    live_server: LiveServer, page: Page
) -> None:
    scene = make_scene()
    sign_in(page, live_server, scene.lead)
    page.goto(live_server.url + address(scene))
    page.get_by_role("link", name="Promote v2").click()
    page.get_by_role("dialog").get_by_label("Reason").fill("Typed with care.")
    services.pause(
        rollout=fresh(scene), expected="ab_test", actor="bob", reason="Odd.", now=utcnow()
    )
    page.wait_for_selector("#moved:not([hidden])", state="attached")
    page.get_by_role("dialog").get_by_role("button", name="Promote v2").click()
    expect(page.get_by_text("The rollout has moved on: it is paused by now")).to_be_visible()
    expect(page.get_by_text("Typed with care.")).to_be_visible()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_page_says_when_the_hub_does_not_answer(live_server: LiveServer, page: Page) -> None:
    scene = make_scene()
    measure(scene, now=utcnow())
    sign_in(page, live_server, scene.lead)
    page.route("**/live/**", lambda route: route.abort())
    page.goto(live_server.url + address(scene))
    expect(page.locator("#silent")).to_contain_text("has not answered")
    page.unroute("**/live/**")
    expect(page.locator("#silent")).to_be_hidden(timeout=PATIENCE_MS)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("where", ["test", "dialog", "list", "confirm", "first", "empty"])
def test_the_pages_are_accessible_and_fit_every_window(
    live_server: LiveServer, page: Page, where: str
) -> None:
    scene = make_scene(
        first=where == "first", status=Status.WAITING if where == "first" else Status.AB_TEST
    )
    if where != "first":
        end_another(scene)
        measure(scene, now=utcnow())
    if where == "empty":
        Rollout.objects.all().delete()
    listing = f"/rollouts/{scene.project.slug}/"
    path = {"list": listing, "empty": listing, "confirm": address(scene, "rollback")}
    sign_in(page, live_server, scene.lead)
    page.goto(live_server.url + path.get(where, address(scene)))
    if where == "test":
        expect(page.locator("[data-figure=rates] .main-svg").first).to_be_visible()
    if where == "dialog":
        page.get_by_role("link", name="Promote v2").click()
    assert_accessible(page)
    if where != "dialog":
        assert_fits(page)
