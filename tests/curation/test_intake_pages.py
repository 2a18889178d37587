"""The intake pages: the sentence first, quarantine and replay by people, and who may do what."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django import DjangoAssertNumQueries
from pytest_django.live_server_helper import LiveServer

from curation.digest.rehearsal import rehearse
from curation.digest.rule_book import DEFAULT_BOOK, RuleBook, make_rule, rule_books, save_rules
from curation.digest.services import digest
from curation.intake import charts, facts, pages, pulse
from curation.intake.pulse import Flow
from curation.models import (
    Feedback,
    FeedbackOutcome,
    IntakeMinute,
    IntakeTally,
    Landed,
    Project,
    QuarantineMove,
    RejectedEvent,
)
from feedbackhub.core.clock import utcnow
from feedbackhub.core.models import User
from feedbackhub.core.roles import Role
from tests.curation.events import thumb
from tests.curation.held import LATER, burst, campaign, digest_all, flip, honest, states
from tests.factories import (
    NOW,
    api_client,
    feedback_body,
    make_key,
    make_member,
    make_prediction,
    make_project,
    make_source,
    make_user,
)
from tests.pages.browsing import assert_accessible, assert_fits, sign_in

PAGES = ("", "quarantine/", "rejected/", "rules/")
BARRED = [Role.ANNOTATOR, Role.SENIOR]


@pytest.fixture
def project(db: None) -> Project:
    facts.forget()
    return make_project(slug="reviews")


@pytest.fixture
def lead(project: Project) -> User:
    return make_member(project, Role.LEAD, username="ada")


def words(response: Any) -> str:
    """The words of a page, without its tags."""
    html = re.sub(r"<[^>]+>", " ", response.content.decode().split("<main")[1])
    return re.sub(r"\s+", " ", html)


def see(client: Client, path: str = "") -> str:
    return words(client.get(f"/intake/reviews/{path}"))


def come_in(project: Project, **counts: int) -> None:
    IntakeTally.objects.create(
        project_id=project.pk,
        source_id=make_source(project).pk,
        received_at=utcnow() - timedelta(seconds=90),
        **counts,
    )


def refuse(project: Project, payload: str = '{"rating": "sideways"}') -> RejectedEvent:
    return RejectedEvent.objects.create(
        project_id=project.pk,
        source_id=make_source(project).pk,
        payload=payload,
        reasons=[{"field": "rating", "message": "must be `up` or `down`"}],
        received_at=utcnow(),
    )


def ids(events: list[Feedback]) -> list[str]:
    return [str(each.pk) for each in events]


def decide(client: Client, action: str, events: list[Feedback], reason: str = "Seen it.") -> Any:
    form = {"action": action, "ids": ids(events), "reason": reason, "state": "quarantined"}
    return client.post("/intake/reviews/quarantine/", form)


@pytest.mark.parametrize(
    ("hour", "lag", "said"),
    [
        ((1_168, 36, 0, 0), 2, "1,204 events in the last hour, 3 % quarantined; the digest is 2 s"),
        ((1, 0, 0, 0), 0, "1 event in the last hour, none quarantined; the digest keeps up."),
        ((995, 3, 2, 0), 0, "under 1 % quarantined, under 1 % rejected; the digest keeps up."),
        ((0, 0, 0, 0), 7_300, "the last came 3 h ago. The digest is 2 h behind."),
    ],
)
def test_the_answer_is_a_sentence(hour: tuple[int, int, int, int], lag: int, said: str) -> None:
    sentence = pages.headline(
        Flow(NOW, *hour), lag=timedelta(seconds=lag), latest=NOW - timedelta(hours=3), now=NOW
    )
    assert said in sentence


def test_an_empty_page_says_what_to_do_first(client: Client, lead: User) -> None:
    client.force_login(lead)
    assert "No event has come in yet." in see(client)
    assert "Add a source" in see(client)
    assert "Nothing is held back" in see(client, "quarantine/")
    assert "Nothing to mend" in see(client, "rejected/")


def test_the_page_counts_what_came_in(client: Client, lead: User, project: Project) -> None:
    come_in(project, accepted=1_180, quarantined=24, caught=12, rejected=6, duplicates=30)
    refuse(project)
    client.force_login(lead)
    said = see(client)
    assert "1,240 events in the last hour, 3 % quarantined, under 1 % rejected" in said
    assert "Accepted 1,168" in said
    assert "must be `up` or `down` 1" in said
    live = client.get("/intake/reviews/live/hour/?theme=dark").json()
    assert "1,240 events" in live["parts"]["headline"]
    assert [trace["customdata"] for trace in live["figures"]["flow"]["data"]] == [
        [1_168],
        [36],
        [6],
        [30],
    ]
    assert live["figures"]["flow"]["layout"]["font"]["color"] == charts.INK["dark"]


def test_a_digest_that_stands_still_is_said_aloud(
    client: Client, lead: User, project: Project
) -> None:
    come_in(project, accepted=1)
    thumb(make_prediction(project))
    Landed.objects.update(received_at=utcnow() - timedelta(minutes=12))
    client.force_login(lead)
    assert "The digest is 12 min behind." in see(client)
    client.get("/readyz")
    metrics = client.get("/metrics").content.decode()
    [lag] = re.findall(r"^hub_digest_lag_seconds(?:\{.*\})? (\S+)$", metrics, re.MULTILINE)
    assert 700 < float(lag) < 800


def test_events_over_http_show_on_the_page(client: Client, lead: User, project: Project) -> None:
    poster = api_client(make_key(project))
    url = "/api/v1/projects/reviews/feedback/batch"
    body = [feedback_body(make_prediction(project).pk), feedback_body(None)]
    for _ in range(2):
        assert (
            poster.post(url, json.dumps(body), content_type="application/json").status_code == 200
        )
    client.force_login(lead)
    assert "4 events in the last hour, none quarantined, 50 % rejected" in see(client)
    assert "give either prediction_id or prediction 2" in see(client)


def test_strangers_find_no_such_page(client: Client, project: Project) -> None:
    event = refuse(project)
    for path in (*PAGES, "live/hour/", f"rejected/{event.pk}/"):
        assert client.get(f"/intake/reviews/{path}").status_code == 302
    client.force_login(make_user())
    for path in (*PAGES, "live/hour/", f"rejected/{event.pk}/"):
        assert client.get(f"/intake/reviews/{path}").status_code == 404
    other = make_project(slug="other")
    client.force_login(make_member(other, Role.LEAD))
    assert client.get(f"/intake/other/rejected/{event.pk}/").status_code == 404


@pytest.mark.parametrize("role", BARRED)
def test_others_than_leads_look_and_change_nothing(
    client: Client, project: Project, role: Role
) -> None:
    events = flip(project)
    digest_all()
    event = refuse(project)
    client.force_login(make_member(project, role))
    for path in ("quarantine/", "rules/", f"rejected/{event.pk}/"):
        html = client.get(f"/intake/reviews/{path}").content.decode()
        assert 'aria-disabled="true"' in html
        assert "an ML lead or an admin of this project decides" in html
        assert client.post(f"/intake/reviews/{path}", {"action": "save"}).status_code == 403
    assert decide(client, "release", events).status_code == 403
    assert states(events) == {"quarantined"}


@pytest.mark.parametrize("role", [Role.LEAD, Role.ADMIN])
@pytest.mark.parametrize(("action", "state"), [("release", "counted"), ("reject", "rejected")])
def test_leads_and_admins_decide(
    client: Client, project: Project, role: Role, action: str, state: str
) -> None:
    events = flip(project)
    digest_all()
    client.force_login(make_member(project, role, username="eva"))
    assert "contradicted 50 of 50 answers" in see(client, "quarantine/")
    response = decide(client, action, events[:2])
    assert response.status_code == 302
    assert states(events[:2]) == {state}
    assert states(events[2:]) == {"quarantined"}
    move = QuarantineMove.objects.get(feedback_id=events[0].pk, to_state=state)
    assert (move.actor, move.reason, move.rule) == ("eva", "Seen it.", "contrarian")


def test_all_that_a_filter_shows_are_decided_at_once(
    client: Client, lead: User, project: Project
) -> None:
    flipped, copied = flip(project), campaign(project)
    digest_all()
    client.force_login(lead)
    form = {"action": "release-all", "rule": "contrarian", "reason": "Our own testers."}
    said = words(client.post("/intake/reviews/quarantine/", form, follow=True))
    assert "50 events released; they count again." in said
    assert states(flipped) == {"counted"}
    assert states(copied) == {"quarantined"}


def test_a_decision_needs_events_and_a_reason(client: Client, lead: User, project: Project) -> None:
    events = flip(project)
    digest_all()
    client.force_login(lead)
    assert "Choose the events first" in words(decide(client, "release", []))
    response = decide(client, "release", events, reason=" ")
    assert response.status_code == 422
    assert "Say why" in words(response)
    assert states(events) == {"quarantined"}


def test_a_decision_someone_else_has_made_is_said(
    client: Client, lead: User, project: Project
) -> None:
    events = flip(project)
    digest_all()
    client.force_login(lead)
    decide(client, "reject", events[:1])
    response = decide(client, "reject", events)
    assert response.status_code == 409
    assert "1 event was decided by someone else meanwhile; nothing was changed." in words(response)
    assert states(events[1:]) == {"quarantined"}


def test_older_events_are_a_page_further(client: Client, lead: User, project: Project) -> None:
    flip(project, n=60)
    digest_all()
    client.force_login(lead)
    html = client.get("/intake/reviews/quarantine/").content.decode()
    older = re.search(r'href="\?([^"]*before=[^"]*)"', html)
    assert html.count('name="ids"') == 25
    assert older is not None
    more = client.get("/intake/reviews/quarantine/?" + older[1].replace("&amp;", "&"))
    assert more.content.decode().count('name="ids"') == 25


def scene(project: Project) -> None:
    honest(project)
    flip(project)
    burst(project)
    campaign(project)
    thumb(make_prediction(project, text="..... !!"), at=NOW)


def keys_held(project: Project) -> set[str]:
    """The events held back, by the text they judge."""
    held = FeedbackOutcome.objects.filter(project_id=project.pk, state="quarantined")
    return {str(pk) for pk in held.values_list("pk", flat=True)}


def test_a_dry_run_shows_what_the_digest_then_does(project: Project) -> None:
    lenient = RuleBook(DEFAULT_BOOK.rules, frozenset())
    save_rules(project=project, book=lenient, actor="ada", now=NOW)
    scene(project)
    digest_all()
    assert keys_held(project) == set()
    strict = {**DEFAULT_BOOK.rules, "contrarian": make_rule(name="contrarian", thresholds={})}
    book = RuleBook(strict, DEFAULT_BOOK.enabled)
    found = rehearse(project_id=project.pk, book=book, now=LATER)
    assert keys_held(project) == set()
    assert QuarantineMove.objects.count() == 0

    # The same events, digested anew under these rules.
    FeedbackOutcome.objects.all().delete()
    for event in Feedback.objects.all():
        Landed.objects.create(
            id=event.pk, project_id=project.pk, kind="feedback", received_at=event.received_at
        )
    save_rules(project=project, book=book, actor="ada", now=NOW)
    digest_all()
    assert keys_held(project) == set(found.caught)
    counts = {each.rule: each.events for each in found.findings if each.events}
    assert counts == {
        "contrarian": 50,
        "subject_burst": 60,
        "copied_comment": 10,
        "garbage_text": 1,
    }
    assert found.events == 221
    # And once they are held, it shows the same.
    again = rehearse(project_id=project.pk, book=book, now=LATER)
    assert set(again.caught) == set(found.caught)


def rules_form(**changes: Any) -> dict[str, Any]:
    form = {"action": "try"}
    for name, rule in DEFAULT_BOOK.rules.items():
        form[name] = "on"
        for field in rule.__struct_fields__:
            form[f"{name}-{field}"] = str(getattr(rule, field))
    return {**form, **changes}


def test_rules_are_tried_before_they_are_saved(
    client: Client, lead: User, project: Project
) -> None:
    at = utcnow() - timedelta(days=2)
    for i in range(30):
        thumb(make_prediction(project, text=f"text {i}"), "up", subject=b"s" * 16, at=at)
    digest(now=utcnow())
    client.force_login(lead)
    tried = client.post("/intake/reviews/rules/", rules_form(**{"subject_burst-per_minute": "30"}))
    assert "30 of 30 events (100 %)" in words(tried)
    assert "One subject sent 30 thumbs in one minute; held from 30." in words(tried)
    assert rule_books(project_ids=[project.pk])[project.pk] == DEFAULT_BOOK
    saved = rules_form(**{"subject_burst-per_minute": "30", "action": "save"})
    del saved["copied_comment"]
    assert client.post("/intake/reviews/rules/", saved).status_code == 302
    book = rule_books(project_ids=[project.pk])[project.pk]
    assert book.rules["subject_burst"] == make_rule(
        name="subject_burst", thresholds={"per_minute": 30}
    )
    assert "copied_comment" not in book.enabled
    assert FeedbackOutcome.objects.filter(state="counted").count() == 30


@pytest.mark.parametrize("value", ["1", "many", "", "1e9", "nan"])
def test_thresholds_that_make_no_sense_are_named(
    client: Client, lead: User, project: Project, value: str
) -> None:
    client.force_login(lead)
    form = rules_form(**{"contrarian-per_day": value, "action": "save"})
    response = client.post("/intake/reviews/rules/", form)
    assert response.status_code == 422
    assert "do not fit" in words(response)
    assert not project.quarantine_rules.exists()


def test_a_refused_event_is_mended_and_replayed(
    client: Client, lead: User, project: Project
) -> None:
    body = feedback_body(make_prediction(project).pk, rating="sideways")
    event = refuse(project, json.dumps(body))
    client.force_login(lead)
    address = f"rejected/{event.pk}/"
    assert "must be `up` or `down`" in see(client, address)
    again = client.post(f"/intake/reviews/{address}", {"text": '{"rating": "still wrong"}'})
    assert again.status_code == 400
    assert "It was refused again" in words(again)
    assert "still wrong" in words(again)
    text = json.dumps({**body, "rating": "down"})
    done = client.post(f"/intake/reviews/{address}", {"text": text}, follow=True)
    assert "Replayed: 1 accepted." in words(done)
    assert "ada replayed it on" in words(done)
    assert Feedback.objects.get().rating == "down"
    assert client.post(f"/intake/reviews/{address}", {"text": text}).status_code == 409
    assert "No refused event waits." in see(client, "rejected/")
    assert "replayed" in see(client, "rejected/?all=1")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_takes_as_many_queries_for_much_as_for_little(
    client: Client,
    lead: User,
    project: Project,
    path: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    flip(project, n=120)
    digest_all()
    for _ in range(60):
        refuse(project)
    come_in(project, accepted=5)
    client.force_login(lead)
    with django_assert_max_num_queries(16):
        client.get(f"/intake/reviews/{path}")


def test_pages_that_show_user_text_have_the_strict_policy(
    client: Client, lead: User, project: Project
) -> None:
    event = refuse(project)
    client.force_login(lead)
    for path in ("quarantine/", "rejected/", f"rejected/{event.pk}/", "rules/"):
        policy = client.get(f"/intake/reviews/{path}")["Content-Security-Policy"]
        assert "unsafe" not in policy


def test_the_flow_adds_up_whatever_the_window(project: Project) -> None:
    for minute in range(0, 600, 7):
        IntakeMinute.objects.create(
            project_id=project.pk, source_id=1, minute=NOW - timedelta(minutes=minute), accepted=2
        )
    for window in ("day", "week"):
        shown = pulse.WINDOWS[window]
        flows = pulse.flow(project=project, since=NOW - shown.length, step=shown.step)
        assert sum(each.accepted for each in flows) == 2 * 86


@pytest.mark.browser
@pytest.mark.parametrize("path", [*PAGES, "one"])
def test_a_page_is_accessible_and_fits_every_window(
    live_server: LiveServer, page: Page, transactional_db: None, path: str
) -> None:
    project = make_project(slug="reviews")
    lead = make_member(project, Role.LEAD)
    scene(project)
    digest_all()
    come_in(project, accepted=50, quarantined=5, rejected=3, duplicates=2)
    event = refuse(project, '{"a-very-long-name-' + "x" * 300 + '": 1}')
    sign_in(page, live_server, lead)
    address = f"rejected/{event.pk}/" if path == "one" else path
    page.goto(f"{live_server.url}/intake/reviews/{address}")
    if path == "":
        page.locator(".js-plotly-plot").wait_for()
    assert_accessible(page)
    assert_fits(page)


@pytest.mark.browser
def test_a_lead_tries_rules_and_releases_by_clicking(
    live_server: LiveServer, page: Page, transactional_db: None
) -> None:
    project = make_project(slug="reviews")
    lead = make_member(project, Role.LEAD)
    events = flip(project)
    digest_all()
    sign_in(page, live_server, lead)
    page.goto(live_server.url)
    page.get_by_role("link", name="Intake").click()
    page.get_by_role("link", name="Quarantine").click()
    page.get_by_role("checkbox").first.check()
    page.get_by_label("Reason").fill("A tester of ours.")
    page.get_by_role("button", name="Release chosen events").click()
    expect(page.get_by_text("1 event released; it counts again.")).to_be_visible()
    page.get_by_role("link", name="Rules").click()
    page.get_by_role("button", name="Try on the last 7 days").click()
    expect(page.get_by_role("heading", name="Dry run")).to_be_visible()
    assert_accessible(page)
    assert FeedbackOutcome.objects.filter(pk__in=ids(events), state="counted").count() == 1
