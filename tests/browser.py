"""A real Chromium for tests, watched for what a page must never do."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, sync_playwright

from tests.chromium import system_chromium

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
]
OURS = {"127.0.0.1", "localhost", "testserver", ""}


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Chromium for a whole session.

    Playwright's synchronous API keeps an event loop in this thread, which Django's guard against
    blocking calls in coroutines takes for one; it is told otherwise meanwhile.
    """
    with sync_playwright() as playwright:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        try:
            browser = playwright.chromium.launch(executable_path=system_chromium(), args=FLAGS)
            yield browser
            browser.close()
        finally:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@contextmanager
def watched_page(browser: Browser, *, javascript: bool = True) -> Iterator[Page]:
    """A page in a fresh context; on leaving, what went wrong behind the test's back is raised.

    That is: a request to another host, an uncaught script error, a breach of the content policy.
    """
    wrongs: dict[str, None] = {}

    def on_request(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws") and address.hostname not in OURS:
            wrongs[f"asked another host: {request.url}"] = None

    def on_console(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            wrongs[message.text] = None

    def on_page_error(error: Error) -> None:
        wrongs[f"script error: {error}"] = None

    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, locale="en-US", java_script_enabled=javascript
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.on("request", on_request)
    page.on("console", on_console)
    page.on("pageerror", on_page_error)
    yield page
    context.close()
    assert not wrongs, "\n".join(wrongs)
