"""Fixtures of the tests of the review page; each file brings its own ``project``."""

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from curation.models import Project
from feedbackhub.core.roles import Role
from tests.factories import make_member
from tests.pages.browsing import sign_in
from tests.pages.reviewing import ADDRESS, Open


@pytest.fixture
def opened(live_server: LiveServer, page: Page, project: Project) -> Open:
    """Opens the review page as an annotator who has switched the fast mode off."""
    slow = "localStorage.getItem('hub.review.fast') ?? localStorage.setItem('hub.review.fast', '0')"
    page.add_init_script(slow)
    sign_in(page, live_server, make_member(project, Role.ANNOTATOR))
    page.on("dialog", lambda dialog: dialog.accept())

    def open_page() -> None:
        page.goto(live_server.url + ADDRESS)
        expect(page.locator("#loading")).to_be_hidden()

    return open_page
