"""One event that cannot be digested, or one project's, holds up no other; and is not lost."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from curation.digest import quarantine, services
from curation.digest.services import digest, drain
from curation.models import (
    Feedback,
    FeedbackOutcome,
    IntakeTally,
    Landed,
    Project,
    ScreeningDue,
)
from feedbackhub.core.roles import Role
from tests.curation.events import later, thumb
from tests.factories import NOW, make_member, make_prediction, make_project

pytestmark = pytest.mark.django_db


def thumbs(project: Project, *texts: str) -> list[Feedback]:
    return [thumb(make_prediction(project, text=text)) for text in texts]


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Texts on which the digest fails, in the database, half-way through its work."""
    bad: set[str] = set()
    asking = services._ask_for_screening

    def failing(settled: Any) -> None:
        asking(settled)
        if any(each.row.text in bad for each in settled):
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")

    monkeypatch.setattr(services, "_ask_for_screening", failing)
    return bad


def test_an_event_that_cannot_be_digested_is_set_aside_and_costs_no_other(
    poison: set[str], caplog: pytest.LogCaptureFixture
) -> None:
    here, there = make_project(), make_project()
    poison.add("bad 5")
    events = thumbs(here, *(f"bad {n}" for n in range(9)))
    others = thumbs(there, "fine", "good")

    report = digest(now=later())

    assert report.events == 11
    assert report.set_aside == 1
    counted = set(FeedbackOutcome.objects.values_list("feedback_id", flat=True))
    assert counted == {each.pk for each in [*events, *others]} - {events[5].pk}
    left = Landed.objects.get()
    assert (left.pk, left.failures) == (events[5].pk, 1)
    assert left.error == "DataError: division by zero"
    assert "1 events set aside" in caplog.text


def test_what_was_set_aside_is_tried_again_later_and_then_less_often(poison: set[str]) -> None:
    project = make_project()
    poison.add("bad")
    (event,) = thumbs(project, "bad")
    now = later()

    assert digest(now=now).set_aside == 1
    assert digest(now=now + timedelta(seconds=59)).events == 0
    assert digest(now=now + timedelta(seconds=61)).set_aside == 1
    assert digest(now=now + timedelta(seconds=61 + 239)).events == 0
    poison.clear()
    mended = digest(now=now + timedelta(seconds=61 + 241))

    assert (mended.events, mended.set_aside) == (1, 0)
    assert not Landed.objects.exists()
    assert FeedbackOutcome.objects.get().feedback_id == event.pk


def test_a_project_of_which_everything_fails_does_not_hold_the_worker_up(
    poison: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, well = make_project(), make_project()
    texts = [f"bad {n}" for n in range(120)]
    poison.update(texts)
    thumbs(broken, *texts)
    thumbs(well, "fine")
    tries = 0
    digesting = services._digest

    def counted(*args: Any) -> Any:
        nonlocal tries
        tries += 1
        return digesting(*args)

    monkeypatch.setattr(services, "_digest", counted)

    report = drain(now=later(), seconds=10)

    assert (report.events, report.set_aside) == (121, 120)
    assert FeedbackOutcome.objects.get().project_id == well.pk
    assert tries < 80


def test_a_lost_connection_is_nobodys_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    thumbs(make_project(), "fine")
    monkeypatch.setattr(services, "_digest", gone)

    with pytest.raises(OperationalError):
        digest(now=later())
    assert Landed.objects.get().failures == 0


def test_trouble_after_a_batch_does_not_stop_the_next(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def screen(**_: Any) -> int:
        raise ValueError("unfit")

    monkeypatch.setattr(services, "screen", screen)
    thumbs(make_project(), "one", "two", "three")

    assert drain(now=later(), seconds=10, limit=2).events == 3
    assert "could not screen" in caplog.text


def test_rules_that_fail_in_one_project_are_asked_again_and_hold_up_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken, well = make_project(), make_project()
    thumbs(broken, "one")
    thumbs(well, "two")
    digest(now=later())
    screening, seen = quarantine._screen, []

    def failing(project: Project, *rest: Any) -> int:
        seen.append(project.pk)
        if project == broken:
            raise ValueError("unfit")
        return screening(project, *rest)

    monkeypatch.setattr(quarantine, "_screen", failing)

    quarantine.screen(now=later())

    assert seen == [broken.pk, well.pk]
    assert [due.project_id for due in ScreeningDue.objects.all()] == [broken.pk]


def test_the_intake_page_says_what_is_set_aside(poison: set[str], client: Client) -> None:
    project = make_project()
    poison.add("bad")
    thumbs(project, "bad")
    digest(now=later())
    IntakeTally.objects.create(
        project_id=project.pk,
        source_id=1,
        received_at=NOW,
        accepted=1,
        quarantined=0,
        caught=0,
        rejected=0,
        duplicates=0,
    )
    client.force_login(make_member(project, Role.LEAD))

    page = client.get(reverse("intake", kwargs={"project": project.slug})).content.decode()

    assert "1 event could not be digested." in page
    assert "division by zero" in page
