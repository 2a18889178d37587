"""What browser tests of pages share: signing in, and judging a page as it is seen."""

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # has none
from django.test import Client
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from feedbackhub.core.models import User

RULES = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}


def sign_in(page: Page, live_server: LiveServer, user: User) -> None:
    """Give the browser a session of ``user``."""
    client = Client()
    client.force_login(user)
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])


def assert_accessible(page: Page) -> None:
    """No rule of axe-core is broken, in light and in dark."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        results = Axe().run(page, options=RULES)
        assert results.violations_count == 0, f"{scheme}: {results.generate_report()}"
    page.emulate_media(color_scheme="light")


def assert_fits(page: Page) -> None:
    """Nothing makes the page wider than the window, from a phone to a desk."""
    for width in (360, 768, 1280, 1440):
        page.set_viewport_size({"width": width, "height": 800})
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, f"{overflow} px too wide at {width} px"
    page.set_viewport_size({"width": 1280, "height": 900})
