"""The quality pages: for leads alone, honest about what is not known yet."""

from datetime import date, timedelta
from typing import Any, Literal

import plotly.graph_objects as go
import pytest
from django.test import Client
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from curation.explorer import charts
from curation.explorer.board import SPANS, board
from curation.explorer.quality_voices import anchoring_sentence
from curation.models import AnnotatorQuality, Project, SourceTrust
from curation.models.review import Queue
from curation.proportions import Share, difference
from curation.review import services
from curation.review.anchoring import Anchoring
from feedbackhub.core.clock import utcnow
from feedbackhub.core.models import User
from feedbackhub.core.roles import Role
from tests.curation.reviewing import answer, open_item, pass_on
from tests.factories import make_member, make_project, make_source, make_user, make_version
from tests.pages.browsing import assert_accessible, assert_fits, sign_in
from training.models import QueueValue, VersionValue

TABS = ("", "agreement/", "trust/", "anchoring/", "value/")


def worked(project: Project) -> tuple[User, User]:
    """Two annotators who answered three texts both, and disagreed on one; one skipped."""
    ann, bob = make_member(project, username="ann"), make_member(project, username="bob")
    now = utcnow()
    project.curation_policy.overlap = 2
    project.curation_policy.save()
    for number in range(3):
        item = open_item(project, queue=Queue.UNCERTAIN)
        answer(project, ann, item, "positive", now=now, seconds_spent=4.0)
        said = "negative" if number == 2 else "positive"
        answer(project, bob, item, said, now=now, seconds_spent=8.0)
    pass_on(project, bob, open_item(project), now=now)
    return ann, bob


@pytest.mark.django_db
@pytest.mark.parametrize("tab", [*TABS, "live/annotators/week/", "trust/live/", "value/live/"])
def test_only_leads_see_how_annotators_work(client: Client, tab: str) -> None:
    project = make_project()
    address = f"/quality/{project.slug}/{tab}"
    assert client.get(address).status_code == 302
    client.force_login(make_user())
    assert client.get(address).status_code == 404
    for role in (Role.ANNOTATOR, Role.SENIOR):
        client.force_login(make_member(project, role))
        assert client.get(address).status_code == 403
    client.force_login(make_member(project, Role.LEAD))
    assert client.get(address).status_code == 200
    assert client.post(address).status_code == 405


@pytest.mark.django_db
def test_the_board_counts_what_each_did() -> None:
    project, other = make_project(), make_project()
    ann, bob = worked(project)
    worked_elsewhere = open_item(other)
    answer(other, make_member(other), worked_elsewhere, now=utcnow())
    services.undo(project=project, user=ann, now=utcnow())
    shown = board(project=project, span=SPANS["week"], now=utcnow())
    lines = {line.work.user_id: line.work for line in shown.lines}
    assert [line.work.name for line in shown.lines] == ["ann", "bob"]
    first, second = lines[ann.pk], lines[bob.pk]
    assert (first.answers, first.skips, first.undone, first.median_seconds) == (2, 0, 1, 4.0)
    assert (second.answers, second.skips, second.undone, second.median_seconds) == (3, 1, 0, 8.0)
    assert (second.days, second.per_day) == (1, 3.0)
    assert [each.n for each in shown.days] == [5]
    later = board(project=project, span=SPANS["week"], now=utcnow() + timedelta(days=8))
    assert (later.lines, later.days) == ([], [])


@pytest.mark.django_db
def test_little_evidence_is_not_an_accuracy(client: Client) -> None:
    project = make_project()
    ann, bob = worked(project)
    for user, compared in ((ann, 19), (bob, 200)):
        AnnotatorQuality.objects.update_or_create(
            project=project,
            user=user,
            defaults={
                "n_answers": compared,
                "n_compared": compared,
                "n_gold": 5,
                "n_effective": compared,
                "accuracy": 0.912,
                "low": 0.87,
                "high": 0.94,
                "computed_at": utcnow(),
            },
        )
    client.force_login(make_member(project, Role.LEAD))
    page = client.get(f"/quality/{project.slug}/").content.decode()
    assert "2 annotators gave 6 answers in the last 30 days" in page
    assert "19 of 20 comparisons" in page
    assert page.count("0.91") == 1
    assert "200 compared, 5 gold" in page
    drawn = client.get(f"/quality/{project.slug}/live/annotators/week/").json()
    assert set(drawn["figures"]) == {"days", "accuracy"}


@pytest.mark.django_db
def test_agreement_is_shown_by_group_with_what_it_rests_on(client: Client) -> None:
    project = make_project()
    client.force_login(make_member(project, Role.LEAD))
    address = f"/quality/{project.slug}/agreement/"
    assert "No text has two answers yet" in client.get(address).content.decode()
    worked(project)
    for by, name in (("queue", "Uncertain"), ("guideline", "Guidelines v1"), ("x", "Uncertain")):
        page = client.get(address, {"by": by}).content.decode()
        assert name in page
        assert "on 3 texts" in page
    assert client.get(f"/quality/{project.slug}/live/agreement/queue/").json()["figures"]["alpha"]


@pytest.mark.django_db
def test_trust_is_shown_with_what_it_rests_on(client: Client) -> None:
    project = make_project()
    client.force_login(make_member(project, Role.LEAD))
    address = f"/quality/{project.slug}/trust/"
    assert "Nothing is known of anybody yet" in client.get(address).content.decode()
    trusted(project)
    page = " ".join(client.get(address).content.decode().split())
    assert "8 of 10" in page
    assert "shop" in page
    assert client.get(f"{address}live/").json()["figures"]["sources"]["data"]


def trusted(project: Project) -> None:
    """A source whose thumbs annotators bore out eight times of ten."""
    SourceTrust.objects.create(
        project_id=project.pk,
        source_id=make_source(project, name="shop").pk,
        agreed=8,
        disagreed=2,
        agreed_count=8,
        disagreed_count=2,
        as_of=utcnow(),
        half_life_days=90,
    )


@pytest.mark.parametrize(
    ("shown", "blind", "said"),
    [
        (Share(0, 0), Share(0, 0), "about 30 more needed"),
        (Share(48, 50), Share(600, 1000), "sways annotators: +36.0 points"),
        (Share(31, 50), Share(600, 1000), "No sway can be seen: +2.0 points"),
        (Share(5, 50), Share(600, 1000), "less when they see its answer: −50.0 points"),
    ],
)
def test_the_anchoring_meter_claims_no_more_than_it_knows(
    shown: Share, blind: Share, said: str
) -> None:
    is_enough = min(shown.n, blind.n) >= 30
    meter = Anchoring(
        share=0.05,
        shown=shown,
        blind=blind,
        difference=difference(shown, blind) if is_enough else None,
        missing=max(0, 30 - shown.n),
    )
    assert said in anchoring_sentence(meter)


@pytest.mark.django_db
def test_the_value_board_names_the_queue_that_helped(client: Client) -> None:
    project = make_project()
    client.force_login(make_member(project, Role.LEAD))
    address = f"/quality/{project.slug}/value/"
    assert "have been valued yet" in client.get(address).content.decode()
    valued(project)
    page = " ".join(client.get(address).content.decode().split())
    assert "v2 owes most to the labels from “Disputed”: +3.0 points (+1.0 to +5.0)." in page
    assert "v2, compared with v1" in page
    assert "not measured" in page
    drawn = client.get(f"{address}live/").json()["figures"]["value"]
    assert drawn["data"][0]["x"] == [3.0]
    go.Figure(drawn)


def valued(project: Project) -> None:
    """A second version that disputed texts made better, and uncertain ones were too few for."""
    first, second = make_version(project), make_version(project, status="candidate")
    value = VersionValue.objects.create(
        version=second, predecessor=first, n_test=300, method="Trained anew.", created_at=utcnow()
    )
    QueueValue.objects.create(
        value=value, queue="disputed", n_labels=120, delta=0.03, low=0.01, high=0.05
    )
    QueueValue.objects.create(value=value, queue="uncertain", n_labels=2)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_charts_are_valid_full_and_empty(theme: Literal["light", "dark"]) -> None:
    dots = [charts.Dot("ann", 0.8, 0.7, 0.9, "n 40"), charts.Dot("bob", -0.1, -0.4, 0.2, "n 9")]
    drawn: list[Any] = [
        charts.dots(dots, axis="Alpha", theme=theme, marks=[(0.8, "reliable")]),
        charts.dots([], axis="Alpha", theme=theme),
        charts.bars([(date(2026, 1, 1), 3)], axis="Answers", theme=theme),
        charts.bars([], axis="Answers", theme=theme),
        charts.gains(dots, axis="Points", theme=theme),
        charts.gains([], axis="Points", theme=theme),
    ]
    for figure in drawn:
        go.Figure(figure)
    assert drawn[0]["layout"]["xaxis"]["range"][0] == -0.4
    assert "Nothing has been measured" in str(drawn[1])


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_quality_pages_are_accessible_and_fit(live_server: LiveServer, page: Page) -> None:
    project = make_project()
    worked(project)
    trusted(project)
    valued(project)
    sign_in(page, live_server, make_member(project, Role.LEAD))
    for tab in TABS:
        page.goto(f"{live_server.url}/quality/{project.slug}/{tab}")
        if tab != "anchoring/":
            page.locator("[data-figure] .main-svg").first.wait_for()
        assert_accessible(page)
        assert_fits(page)
