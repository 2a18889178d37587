"""What the review page shows after an answer, and what it then says of another one."""

import time

import pytest
from playwright.sync_api import Page, Route, expect

from curation.models import Annotation, CurationPolicy, Project
from curation.review.precedents import index_precedents
from tests.curation.reviewing import answer, open_item
from tests.factories import make_member, make_project, make_version
from tests.pages.browsing import assert_accessible, assert_fits
from tests.pages.reviewing import Open, all_saved, standing

pytestmark = pytest.mark.browser


@pytest.fixture
def project(transactional_db: None) -> Project:
    project = make_project(slug="reviews")
    make_member(project)
    return project


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_precedents_and_words_come_after_the_answer(
    page: Page, project: Project, opened: Open
) -> None:
    make_version(project)
    before = open_item(project, text="the soup was bland and cold")
    answer(project, make_member(project), before, "negative")
    index_precedents()
    open_item(project, text="great food but bland soup", predicted="positive")
    opened()
    assert "bland and cold" not in page.content()
    press(page, "1", "Enter")
    expect(page.locator("#precedent-list")).to_contain_text("negative the soup was bland and cold")
    expect(page.locator("#word-list")).to_contain_text("+ great for it")
    expect(page.locator("#word-list")).to_contain_text("− bland against it")
    assert_fits(page)
    assert_accessible(page)


def test_words_that_never_come_keep_nobody_waiting(
    page: Page, project: Project, opened: Open
) -> None:
    hanging: list[Route] = []
    page.route("**/words/", lambda route: hanging.append(route))
    for n in range(3):
        open_item(project, text=f"great food, day {n}", predicted="positive", priority=-n)
    opened()
    deadline = time.monotonic() + 20
    for n in range(1, 4):
        press(page, "2", "Enter")
        while len(hanging) < n:
            assert time.monotonic() < deadline, "nobody asked for the words"
            page.wait_for_timeout(50)
    all_saved(page)
    assert len(standing()) == 3
    expect(page.locator("#reveal-facts")).to_contain_text("Model said: positive, 90 % sure (v1)")
    expect(page.locator("#reveal-words")).to_be_hidden()


def test_an_answer_taken_back_is_a_second_thought_and_said_to_be(
    page: Page, project: Project, opened: Open
) -> None:
    open_item(project, text="great food", predicted="positive")
    opened()
    press(page, "1", "Enter")
    all_saved(page)
    expect(page.locator("#reveal-facts")).to_contain_text("Model said")
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator("#second-thought")).to_be_visible()
    expect(page.locator("#reveal")).not_to_contain_text("Model said")
    assert_fits(page)
    assert_accessible(page)
    press(page, "2", "Enter")
    all_saved(page)
    expect(page.locator("#reveal-kept")).to_contain_text("second thought")
    [given] = standing()
    assert (given.value, given.is_blind, given.was_shown) == ("positive", False, False)


def test_a_skip_taken_back_is_as_blind_as_before(
    page: Page, project: Project, opened: Open
) -> None:
    open_item(project, text="great food", predicted="positive")
    opened()
    press(page, "0")
    all_saved(page)
    press(page, "u")
    expect(page.locator("#work")).to_be_visible()
    press(page, "2", "Enter")
    all_saved(page)
    expect(page.locator("#reveal-kept")).to_be_empty()
    assert [given.is_blind for given in standing()] == [True]


def test_a_prediction_shown_first_is_said_to_be(page: Page, project: Project, opened: Open) -> None:
    CurationPolicy.objects.update(shown_first_share=1)
    open_item(project, text="great food", predicted="positive")
    opened()
    expect(page.locator("#shown-first")).to_contain_text(
        "The model says: positive, 90 % sure (v1)."
    )
    assert_fits(page)
    assert_accessible(page)
    press(page, "2", "Enter")
    all_saved(page)
    expect(page.locator("#reveal-kept")).to_contain_text("shown to you first")
    assert Annotation.objects.get().was_shown
