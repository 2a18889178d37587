"""Working a queue in a browser, for the tests of the review page."""

import time
from collections.abc import Callable

from playwright.sync_api import Page, expect

from curation.models import Annotation, Project, ReviewItem
from curation.models.review import Queue
from tests.factories import NOW, make_sample

KEYS = {"negative": "1", "positive": "2"}
ADDRESS = "/review/reviews/"
Open = Callable[[], None]


def fill_queue(project: Project, n: int) -> None:
    """Texts that say which label is right."""
    for number in range(n):
        label = "positive" if number % 3 else "negative"
        sample = make_sample(project, text=f"A {label} text, number {number}")
        ReviewItem.objects.create(
            project=project, sample=sample, queue=Queue.UNCERTAIN, priority=-number, created_at=NOW
        )


def right_key(text: str) -> str:
    return KEYS["positive" if "positive" in text else "negative"]


def answer_all(page: Page, n: int, *, press: Callable[[str], None]) -> list[str]:
    """Answer each text as soon as it is seen; the texts in order."""
    seen: list[str] = []
    text = page.locator("#text")
    for _ in range(n):
        if seen:
            expect(text).not_to_have_text(seen[-1])
        seen.append(text.inner_text())
        press(right_key(seen[-1]))
    return seen


def standing() -> list[Annotation]:
    return list(Annotation.objects.filter(undone_at=None).order_by("id").select_related("sample"))


def all_saved(page: Page) -> None:
    """Wait until nothing is left to send."""
    deadline = time.monotonic() + 15
    # Not wait_for_function, which the page's policy forbids.
    while page.evaluate("Object.keys(localStorage).some((key) => key.includes('.op.'))"):
        assert time.monotonic() < deadline, "answers are still on this device"
        page.wait_for_timeout(50)


def slow_down(page: Page) -> None:
    """Half a second more for every request."""
    network = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 500, "downloadThroughput": -1, "uploadThroughput": -1}
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", slow)
