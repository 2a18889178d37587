"""Fixtures every test shares; the servers are started by :mod:`tests.servers`."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import running_chromium, watched_page


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One real Chromium for the session."""
    with running_chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page; the test fails when it asks another host or a script breaks."""
    with watched_page(browser) as page:
        yield page
