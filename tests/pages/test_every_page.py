"""What holds for every page: readable for all, on a phone and a desk, and asking no other host."""

import pytest
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from curation.models import Project
from feedbackhub.core.models import User
from feedbackhub.core.roles import Role
from rollout.serving import plan
from tests.factories import make_member, make_project, make_source, make_user, make_version
from tests.pages.browsing import assert_accessible, assert_fits, sign_in

UNSAFE = ("'unsafe-inline'", "'unsafe-eval'", "http:", "https:", "*")


@pytest.fixture
def project(transactional_db: None) -> Project:
    plan.forget()
    project = make_project(slug="reviews")
    Project.objects.filter(pk=project.pk).update(is_demo=True)
    make_version(project)
    return project


@pytest.fixture
def lead(project: Project) -> User:
    return make_member(project, Role.LEAD)


@pytest.mark.browser
@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/review/reviews/",
        "/review/reviews/guidelines/",
        "/quality/reviews/filter/",
        "/samples/reviews/",
        "/samples/reviews/files/",
        "/groups/reviews/",
        "/try/reviews/",
        "/no/such/page/",
    ],
)
def test_a_page_is_accessible_and_fits_every_window(
    live_server: LiveServer, page: Page, lead: User, address: str
) -> None:
    sign_in(page, live_server, lead)
    page.goto(live_server.url + address)
    page.wait_for_load_state("networkidle")
    assert_accessible(page)
    assert_fits(page)


@pytest.mark.browser
def test_making_a_key_is_accessible_and_fits(
    live_server: LiveServer, page: Page, lead: User, project: Project
) -> None:
    sign_in(page, live_server, lead)
    source = make_source(project)
    page.goto(f"{live_server.url}/admin/curation/source/{source.pk}/key/")
    assert_accessible(page)
    assert_fits(page)


@pytest.mark.browser
def test_the_admin_runs_under_its_own_policy(
    live_server: LiveServer, page: Page, project: Project
) -> None:
    sign_in(page, live_server, make_user(is_superuser=True))
    page.goto(f"{live_server.url}/admin/curation/project/{project.pk}/change/")
    page.get_by_role("link", name="Review").first.click()
    expect(page).to_have_url(f"{live_server.url}/review/reviews/")


@pytest.mark.browser
def test_the_chosen_theme_holds_on_our_pages_and_in_the_admin(
    live_server: LiveServer, page: Page, lead: User
) -> None:
    sign_in(page, live_server, lead)
    page.goto(live_server.url + "/")
    page.get_by_text(lead.username).click()
    page.get_by_role("button", name="Dark").click()
    page.reload()
    expect(page.locator("html.dark")).to_be_attached()
    page.goto(live_server.url + "/admin/")
    expect(page.locator("html.dark")).to_be_attached()


@pytest.mark.browser
def test_one_signs_in_and_out(live_server: LiveServer, page: Page, lead: User) -> None:
    page.goto(live_server.url + "/review/reviews/")
    page.fill("input[name=username]", lead.username)
    page.fill("input[name=password]", "correct horse battery staple")
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(f"{live_server.url}/review/reviews/")
    page.get_by_text(lead.username).click()
    page.get_by_role("button", name="Sign out").click()
    page.goto(live_server.url + "/")
    expect(page).to_have_url(f"{live_server.url}/admin/login/?next=/")


@pytest.mark.browser
def test_a_visitor_asks_is_answered_and_corrects(
    live_server: LiveServer, page: Page, project: Project
) -> None:
    page.goto(live_server.url + "/try/")
    page.get_by_label("Your text").fill("great food")
    page.get_by_role("button", name="Ask the model").click()
    result = page.locator("#result")
    expect(result.locator("strong")).to_have_text("positive")
    assert_accessible(page)
    result.get_by_role("button", name="No").click()
    expect(result).to_contain_text("What should it be?")
    result.get_by_role("button", name="negative").click()
    expect(result).to_contain_text("You said it is negative.")
    expect(page).to_have_url(f"{live_server.url}/try/reviews/")


@pytest.mark.parametrize("address", ["/review/reviews/", "/samples/reviews/", "/try/reviews/", "/"])
def test_pages_that_show_user_text_have_the_strict_policy(
    client: Client, lead: User, address: str
) -> None:
    client.force_login(lead)
    policy = client.get(address)["Content-Security-Policy"]
    assert not [word for word in policy.split() if word in UNSAFE], policy
    assert "object-src 'none'" in policy


def test_only_the_admin_may_evaluate(client: Client, lead: User) -> None:
    client.force_login(lead)
    assert "'unsafe-eval'" in client.get("/admin/")["Content-Security-Policy"]
    assert "'unsafe-eval'" not in client.get("/")["Content-Security-Policy"]
