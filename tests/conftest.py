"""Fixtures every test shares; the servers are started by :mod:`tests.servers`."""

import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from django.core.management import CommandError
from django.core.management.commands import flush
from playwright.sync_api import Browser, Page
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from feedbackhub.supervision import CHECKOUT
from tests.browser import running_chromium, watched_page
from tests.stack import Hub, running_hub


class ByFile(LoadScopeScheduling):
    """A file stays on one worker, and all files with tests of the whole hub on the same one."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "stack" if _is_of_the_stack(file) else file


@cache
def _is_of_the_stack(file: str) -> bool:
    return "pytest.mark.stack" in (CHECKOUT / file).read_text()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    """Instead of xdist's groups, whose marks are lost on the way with pytest 9.2."""
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the whole hub come first, because they take longest."""
    items.sort(key=lambda item: not _is_of_the_stack(item.nodeid.partition("::")[0]))


@pytest.fixture(scope="session", autouse=True)
def _patient_flush() -> Iterator[None]:
    """A request left behind by a closed page may be in the way of emptying tables; it soon ends."""
    handle = flush.Command.handle

    def patient(self: flush.Command, **options: Any) -> None:
        for _ in range(4):
            try:
                return handle(self, **options)
            except CommandError:
                time.sleep(0.3)
        return handle(self, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush.Command, "handle", patient)
        yield


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
