"""``make screenshots``: the README's pictures, taken of a fresh hub filled by the demo."""

from pathlib import Path

from playwright.sync_api import Page

from tests.browser import running_chromium, watched_page
from tests.stack import Hub, running_hub

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
ANSWERS = 3


def main() -> None:
    """Start a hub, sign in as annotator and as lead, and save a picture of their main pages."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    print("Starting a hub with the demo project")
    with running_hub() as hub, running_chromium() as browser:
        with watched_page(browser) as page:
            _sign_in(page, hub, "annotator")
            _review(page, hub)
        with watched_page(browser) as page:
            _sign_in(page, hub, "lead")
            _rollout(page, hub)


def _sign_in(page: Page, hub: Hub, role: str) -> None:
    person = hub.demo["users"][role]
    page.goto(f"{hub.base_url}/admin/login/?next=/")
    page.fill("[name=username]", person["username"])
    page.fill("[name=password]", person["password"])
    page.click("[type=submit]")
    page.wait_for_url(f"{hub.base_url}/")


def _review(page: Page, hub: Hub) -> None:
    """A few answers first, so that the strip below shows what the model and the users said."""
    page.goto(f"{hub.base_url}/review/{hub.demo['project']}/")
    page.locator("#work").wait_for()
    for answered in range(1, ANSWERS + 1):
        page.locator("#text").focus()
        page.keyboard.press("Digit2")
        page.locator("#answered", has_text=str(answered)).wait_for()
    _save(page, "review", height=720)


def _rollout(page: Page, hub: Hub) -> None:
    page.goto(f"{hub.base_url}/rollouts/{hub.demo['project']}/")
    page.get_by_role("link", name="→").first.click()
    page.locator(".js-plotly-plot").first.wait_for()
    _save(page, "rollout", height=1000)


def _save(page: Page, name: str, *, height: int) -> None:
    page.set_viewport_size({"width": 1280, "height": height})
    page.wait_for_load_state("networkidle")
    page.screenshot(path=IMAGES / f"{name}.png")
    print(f"docs/images/{name}.png")


if __name__ == "__main__":
    main()
