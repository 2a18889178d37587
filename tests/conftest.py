"""Fixtures every test shares; the servers are started by :mod:`tests.servers`."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import running_chromium, watched_page
from tests.stack import Hub, running_hub


@pytest.hookimpl(tryfirst=True)  # Before xdist reads the groups.
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the whole hub come first, and on one worker: they take longest and share a start."""
    for item in items:
        if item.get_closest_marker("stack"):
            item.add_marker(pytest.mark.xdist_group("stack"))
    items.sort(key=lambda item: item.get_closest_marker("stack") is None)


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


@pytest.fixture(scope="session")
def hub() -> Iterator[Hub]:
    """The whole hub as ``make run`` starts it on an empty home, for tests marked ``stack``."""
    with running_hub() as hub:
        yield hub
