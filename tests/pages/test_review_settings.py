"""Choosing keys and a goal, and following guidelines, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from curation.models import Guideline, Project, ReviewPreference
from tests.factories import NOW, make_project
from tests.pages.browsing import assert_accessible, assert_fits
from tests.pages.reviewing import Open, all_saved, fill_queue, standing

pytestmark = pytest.mark.browser


@pytest.fixture
def project(transactional_db: None) -> Project:
    return make_project(slug="reviews")


def open_settings(page: Page) -> None:
    page.keyboard.press("?")
    page.get_by_role("button", name="Change keys and goal").click()


def test_chosen_keys_and_a_goal_hold_at_once_and_after_a_reload(
    page: Page, project: Project, opened: Open
) -> None:
    fill_queue(project, 3)
    opened()
    open_settings(page)
    page.get_by_label("Answers you aim at a day").fill("2")
    for action, key in (("label_2", "j"), ("skip", "s"), ("submit", "k")):
        page.locator(f"[data-choose={action}]").click()
        page.keyboard.press(key)
    assert_accessible(page)
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#settings")).to_be_hidden()
    page.keyboard.press("j")
    expect(page.get_by_role("radio", name="positive")).to_be_checked()
    page.keyboard.press("k")
    all_saved(page)
    expect(page.locator(".review__progress")).to_contain_text("1 of 2 answered today")
    opened()
    expect(page.locator(".choice kbd").nth(1)).to_have_text("J")
    page.keyboard.press("2")
    expect(page.get_by_role("radio", name="positive")).not_to_be_checked()
    page.keyboard.press("j")
    page.keyboard.press("k")
    all_saved(page)
    expect(page.locator(".review__progress")).to_contain_text("2 of 2 answered today ✓")
    assert [answer.value for answer in standing()] == ["positive", "positive"]


def test_a_clash_is_said_at_once_and_refused_on_saving(
    page: Page, project: Project, opened: Open
) -> None:
    fill_queue(project, 1)
    opened()
    open_settings(page)
    page.locator("[data-choose=skip]").click()
    page.keyboard.press("Backspace")
    expect(page.locator("[data-said]")).to_contain_text("Backspace cannot be a key")
    page.keyboard.press("f")
    expect(page.locator("[data-said]")).to_contain_text("F would do two things")
    assert_fits(page)
    assert_accessible(page)
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[data-said]")).to_contain_text("Not saved. F would do two things")
    assert not ReviewPreference.objects.exists()
    page.get_by_role("button", name="Use the usual keys").click()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#settings")).to_be_hidden()
    page.keyboard.press("s")
    expect(page.get_by_role("heading", name="Why skip it?")).to_be_visible()


def test_keys_do_nothing_but_be_chosen_while_the_settings_are_open(
    page: Page, project: Project, opened: Open
) -> None:
    fill_queue(project, 1)
    opened()
    open_settings(page)
    for key in ("1", "0", "f", "u", "ArrowRight"):
        page.keyboard.press(key)
    page.keyboard.press("Escape")
    expect(page.locator("#work")).to_be_visible()
    assert standing() == []


def test_new_guidelines_are_told_once_and_read_without_a_reload(
    page: Page, project: Project, opened: Open
) -> None:
    fill_queue(project, 7)
    opened()
    expect(page.locator("#new-guideline")).to_be_hidden()
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    all_saved(page)
    Guideline.objects.create(project=project, number=2, text="The *last* word.", created_at=NOW)
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    expect(page.locator("#new-guideline")).to_contain_text("Answers now follow version 2")
    page.keyboard.press("g")
    expect(page.get_by_role("heading", name="Guidelines v2")).to_be_visible()
    expect(page.locator("#guideline-prose em")).to_have_text("last")
    page.keyboard.press("g")
    expect(page.locator("#new-guideline")).to_be_hidden()
    opened()
    expect(page.locator("#new-guideline")).to_be_hidden()
