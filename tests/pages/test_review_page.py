"""Reviewing by keyboard in a real browser, against the real queue engine."""

import re

import pytest
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from curation.models import Annotation, Project, ReviewItem
from feedbackhub.core.roles import Role
from tests.factories import NOW, make_member, make_project, make_sample, make_user
from tests.pages.browsing import assert_accessible, assert_fits, sign_in
from tests.pages.reviewing import (
    ADDRESS,
    Open,
    all_saved,
    answer_all,
    fill_queue,
    slow_down,
    standing,
)

pytestmark = pytest.mark.browser


@pytest.fixture
def project(transactional_db: None) -> Project:
    return make_project(slug="reviews")


def test_ten_texts_are_labelled_without_a_mouse(page: Page, project: Project, opened: Open) -> None:
    fill_queue(project, 10)
    opened()

    def press(key: str) -> None:
        page.keyboard.press(key)
        page.keyboard.press("Enter")

    seen = answer_all(page, 10, press=press)
    expect(page.locator("#empty")).to_be_visible()
    all_saved(page)
    answers = standing()
    assert len({answer.sample_id for answer in answers}) == len(answers) == 10
    assert {answer.sample.text for answer in answers} == set(seen)
    assert all(answer.value in (answer.sample.text or "") for answer in answers)
    expect(page.locator("#answered")).to_have_text("10")


def test_one_key_a_text_is_enough_on_the_first_visit(
    live_server: LiveServer, page: Page, project: Project
) -> None:
    fill_queue(project, 3)
    sign_in(page, live_server, make_member(project, Role.ANNOTATOR))
    page.goto(live_server.url + ADDRESS)
    expect(page.locator("#work")).to_be_visible()
    answer_all(page, 3, press=page.keyboard.press)
    all_saved(page)
    assert len(standing()) == 3


def test_no_key_is_lost_when_every_answer_takes_half_a_second(
    page: Page, project: Project, opened: Open
) -> None:
    fill_queue(project, 12)
    opened()
    page.get_by_label("Fast").check()
    page.locator("#text").click()
    slow_down(page)
    sent: list[str] = []
    is_answer = lambda request: request.url.endswith("/submit")  # noqa: E731
    page.on("request", lambda request: sent.append(request.url) if is_answer(request) else None)
    seen = answer_all(page, 12, press=page.keyboard.press)
    all_saved(page)
    answers = {answer.item_id: answer for answer in standing()}
    assert len(answers) == len(sent) == 12
    assert all(answer.value in (answer.sample.text or "") for answer in answers.values())
    in_order = [answers[int(url.split("/")[-2])].sample.text for url in sent]
    assert in_order == seen


def test_answers_given_without_a_network_are_sent_once_it_is_back(
    page: Page, project: Project, opened: Open
) -> None:
    fill_queue(project, 4)
    opened()
    page.get_by_label("Fast").check()
    page.context.set_offline(True)
    answer_all(page, 3, press=page.keyboard.press)
    expect(page.locator("#state")).to_contain_text("3 answers are kept on this device")
    assert standing() == []
    page.context.set_offline(False)
    expect(page.locator("#state")).to_have_text("✓ All saved", timeout=20_000)
    assert len(standing()) == 3


def test_answers_outlive_the_page_they_were_given_on(
    page: Page, project: Project, opened: Open
) -> None:
    fill_queue(project, 2)
    opened()
    page.get_by_label("Fast").check()
    page.route("**/submit", lambda route: route.abort())
    answer_all(page, 1, press=page.keyboard.press)
    expect(page.locator("#state")).to_contain_text("One answer is kept on this device")
    page.unroute("**/submit")
    opened()
    all_saved(page)
    [answer] = standing()
    assert answer.value in (answer.sample.text or "")


def test_undo_brings_the_last_answer_back(page: Page, project: Project, opened: Open) -> None:
    fill_queue(project, 3)
    opened()
    text = page.locator("#text")
    first = text.inner_text()
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    expect(text).not_to_have_text(first)
    all_saved(page)
    page.keyboard.press("u")
    expect(text).to_have_text(first)
    expect(page.get_by_role("radio", name="positive")).to_be_checked()
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(text).not_to_have_text(first)
    all_saved(page)
    [answer] = standing()
    assert (answer.sample.text, answer.value, answer.is_blind) == (first, "negative", False)
    assert Annotation.objects.exclude(undone_at=None).get().value == "positive"


def test_undo_overtakes_an_answer_on_its_way(page: Page, project: Project, opened: Open) -> None:
    fill_queue(project, 2)
    opened()
    page.get_by_label("Fast").check()
    page.locator("#text").click()
    slow_down(page)
    text = page.locator("#text")
    first = text.inner_text()
    page.keyboard.press("2")
    expect(text).not_to_have_text(first)
    page.keyboard.press("u")
    expect(text).to_have_text(first)
    page.keyboard.press("1")
    expect(text).not_to_have_text(first)
    all_saved(page)
    [answer] = standing()
    assert (answer.sample.text, answer.value) == (first, "negative")


def test_a_session_that_ends_costs_no_answer(
    live_server: LiveServer, page: Page, project: Project, opened: Open
) -> None:
    fill_queue(project, 2)
    opened()
    page.get_by_label("Fast").check()
    cookies = page.context.cookies()
    page.context.clear_cookies(name="sessionid")
    answer_all(page, 1, press=page.keyboard.press)
    expect(page.locator("#state")).to_contain_text("Signed out. One answer is kept")
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    page.context.add_cookies(cookies)  # type: ignore[arg-type] # what came out goes in
    page.get_by_role("button", name="Send again").click()
    expect(page.locator("#state")).to_have_text("✓ All saved")
    assert len(standing()) == 1


def test_control_z_takes_back_what_an_earlier_visit_answered(
    page: Page, project: Project, opened: Open
) -> None:
    fill_queue(project, 1)
    opened()
    first = page.locator("#text").inner_text()
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    all_saved(page)
    opened()
    expect(page.locator("#empty")).to_be_visible()
    page.keyboard.press("Control+z")
    expect(page.locator("#text")).to_have_text(first)
    assert standing() == []


def test_skips_say_why(page: Page, project: Project, opened: Open) -> None:
    fill_queue(project, 4)
    opened()
    text = page.locator("#text")
    for keys in (["s", "3"], ["0"], ["f"]):
        before = text.inner_text()
        for key in keys:
            page.keyboard.press(key)
        expect(text).not_to_have_text(before)
    all_saved(page)
    assert [skip.skip_reason for skip in standing()] == ["language", "unclear", "spam"]


def test_keys_are_silent_while_a_note_is_typed(page: Page, project: Project, opened: Open) -> None:
    fill_queue(project, 2)
    opened()
    page.get_by_label("Fast").check()
    first = page.locator("#text").inner_text()
    page.keyboard.press("n")
    page.keyboard.type("1 s 0 f u g? not sure")
    expect(page.locator("#text")).to_have_text(first)
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    expect(page.locator("#text")).not_to_have_text(first)
    all_saved(page)
    [answer] = standing()
    assert (answer.value, answer.note) == ("positive", "1 s 0 f u g? not sure")


def test_a_note_survives_a_reload(page: Page, project: Project, opened: Open) -> None:
    fill_queue(project, 1)
    opened()
    page.keyboard.press("n")
    page.keyboard.type("half a thought")
    page.goto(page.url.partition("/review/")[0] + "/")
    page.wait_for_timeout(500)  # What the leaving page sends must not meet the next one's claim.
    opened()
    expect(page.get_by_label("Note")).to_have_value("half a thought")


def test_a_key_held_down_answers_one_text(page: Page, project: Project, opened: Open) -> None:
    fill_queue(project, 5)
    opened()
    page.get_by_label("Fast").check()
    page.locator("#text").click()
    for _ in range(5):
        page.keyboard.down("1")
    page.keyboard.up("1")
    all_saved(page)
    assert len(standing()) == 1


def test_no_single_key_leaves_the_page_or_answers_unasked(
    page: Page, project: Project, opened: Open
) -> None:
    fill_queue(project, 1)
    opened()
    text = page.locator("#text").inner_text()
    for key in ["Backspace", "Delete", "Space", "Home", "F2", *"abcdehijklmopqrtvwxyz345678."]:
        page.keyboard.press(key)
    expect(page).to_have_url(re.compile("/review/reviews/$"))
    expect(page.locator("#text")).to_have_text(text)
    assert page.get_by_role("radio", checked=True).count() == 0
    assert standing() == []


def test_keys_are_silent_while_an_input_method_composes(
    page: Page, project: Project, opened: Open
) -> None:
    fill_queue(project, 1)
    opened()
    composing = "{code: 'Digit2', key: '2', bubbles: true, isComposing: true}"
    page.evaluate(f"document.body.dispatchEvent(new KeyboardEvent('keydown', {composing}))")
    assert page.get_by_role("radio", checked=True).count() == 0


def test_digits_go_by_their_place_on_the_keyboard(
    page: Page, project: Project, opened: Open
) -> None:
    fill_queue(project, 1)
    opened()
    azerty = "new KeyboardEvent('keydown', {code: 'Digit2', key: 'é', bubbles: true})"
    page.evaluate(f"document.body.dispatchEvent({azerty})")
    expect(page.get_by_role("radio", name="positive")).to_be_checked()


def test_what_the_model_and_the_users_said_comes_only_after_the_answer(
    page: Page, project: Project, opened: Open
) -> None:
    fill_queue(project, 2)
    ReviewItem.objects.update(why={"sentence": "The model hesitates between two labels."})
    opened()
    expect(page.locator("#work")).to_be_visible()
    assert "hesitates" not in page.content()
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.locator("#reveal")).to_contain_text("negative")
    expect(page.locator("#reveal")).to_contain_text("Why it was here:")


def test_a_text_is_shown_as_text(page: Page, project: Project, opened: Open) -> None:
    text = "<img src=x onerror=alert(1)> <b>bold</b>"
    sample = make_sample(project, text=text)
    ReviewItem.objects.create(project=project, sample=sample, queue="uncertain", created_at=NOW)
    opened()
    expect(page.locator("#text")).to_have_text(text)
    assert page.locator("#text *").count() == 0


def test_arrows_walk_through_what_is_reserved(page: Page, project: Project, opened: Open) -> None:
    fill_queue(project, 3)
    opened()
    text = page.locator("#text")
    first = text.inner_text()
    page.keyboard.press("ArrowRight")
    expect(text).not_to_have_text(first)
    page.keyboard.press("ArrowLeft")
    expect(text).to_have_text(first)


def test_an_empty_queue_says_why(page: Page, project: Project, opened: Open) -> None:
    opened()
    expect(page.locator("#empty")).to_be_visible()
    expect(page.locator("#empty-why")).to_contain_text("empty")
    assert_accessible(page)


def test_leaving_gives_the_reserved_texts_to_others(
    live_server: LiveServer, page: Page, project: Project, opened: Open
) -> None:
    fill_queue(project, 3)
    opened()
    expect(page.locator("#work")).to_be_visible()
    page.goto(live_server.url + "/")
    page.wait_for_load_state("networkidle")
    assert not ReviewItem.objects.filter(taken__gt=0).exists()


def test_guidelines_and_keys_open_by_key_and_everything_is_accessible(
    page: Page, project: Project, opened: Open
) -> None:
    fill_queue(project, 2)
    project.guidelines.update(text="# Rules\n\nJudge <script>alert(1)</script> *the whole*.")
    opened()
    assert_fits(page)
    assert_accessible(page)
    for key, heading in (("g", "Guidelines v1"), ("?", "Keys"), ("s", "Why skip it?")):
        page.keyboard.press(key)
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
        assert_accessible(page)
        page.keyboard.press("Escape")
    assert page.locator("#guidelines script").count() == 0


def test_a_lost_hub_is_said_and_loses_nothing(page: Page, project: Project, opened: Open) -> None:
    fill_queue(project, 1)
    page.route("**/api/**", lambda route: route.abort())
    opened()
    expect(page.get_by_role("heading", name="The hub does not answer")).to_be_visible()
    page.unroute("**/api/**")
    page.get_by_role("button", name="Try now").click()
    expect(page.locator("#work")).to_be_visible()


def test_strangers_learn_nothing_of_the_project(client: Client, project: Project) -> None:
    assert client.get(ADDRESS)["Location"] == f"/admin/login/?next={ADDRESS}"
    client.force_login(make_user())
    assert client.get(ADDRESS).status_code == 404


def test_an_annotator_reviews_but_does_not_see_promotion(client: Client, project: Project) -> None:
    client.force_login(make_member(project, Role.ANNOTATOR))
    page = client.get(ADDRESS)
    assert page.status_code == 200
    assert "Promote" not in page.content.decode()
