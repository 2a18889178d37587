"""Bulk actions by clicking: the preview says all, and no button does what it does not say."""

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from curation.explorer import bulk
from curation.models import BulkAction, Exposure, Label, Project
from curation.models.review import Queue
from curation.models.sample import Split
from feedbackhub.core.clock import utcnow
from feedbackhub.core.roles import Role
from tests.curation.reviewing import answer, open_item
from tests.factories import make_member, make_project, make_sample, make_user
from tests.pages.browsing import assert_accessible, assert_fits, sign_in

NEW = {"kind": "label", "label": "negative", "reason": "Found in the audit."}


def new(project: Project, query: str = "") -> str:
    return f"{reverse('samples-bulk-new', kwargs={'project': project.slug})}?{query}"


def work() -> None:
    bulk.advance(now=utcnow(), seconds=10)


@pytest.mark.django_db
def test_only_those_who_curate_may_change_anything(client: Client) -> None:
    project = make_project()
    lead = make_member(project, Role.LEAD)
    client.force_login(lead)
    made = client.post(new(project), NEW)
    action = BulkAction.objects.get()
    assert made["Location"].endswith(f"/bulk/{action.pk}/")
    addresses = [new(project), f"/samples/{project.slug}/bulk/", made["Location"]]
    for role in (Role.ANNOTATOR, Role.SENIOR):
        client.force_login(make_member(project, role))
        for address in addresses:
            assert client.get(address).status_code == 403
            assert client.post(address, {"action": "cancel"}).status_code in (403, 405)
    client.force_login(make_user())
    assert [client.get(address).status_code for address in addresses] == [404] * 3
    other = make_project()
    client.force_login(make_member(other, Role.LEAD))
    assert client.get(f"/samples/{other.slug}/bulk/{action.pk}/").status_code == 404
    action.refresh_from_db()
    assert action.status == "collecting"


@pytest.mark.django_db
def test_what_is_missing_is_said(client: Client) -> None:
    project = make_project()
    client.force_login(make_member(project, Role.LEAD))
    for body, said in [
        ({**NEW, "label": ""}, "Choose one of the project"),
        ({**NEW, "reason": ""}, "This field is required"),
        ({**NEW, "kind": "queue", "queue": ""}, "Choose a queue"),
    ]:
        answered = client.post(new(project), body)
        assert answered.status_code == 422
        assert said in answered.content.decode()
    assert client.get(new(project, "label=gone")).status_code == 302
    assert not BulkAction.objects.exists()


@pytest.mark.django_db
def test_the_preview_counts_shows_and_exposes(client: Client) -> None:
    project = make_project()
    lead = make_member(project, Role.LEAD)
    client.force_login(lead)
    for number in range(21):
        make_sample(project, text=f"soup {number}")
    make_sample(project, text="soup of the day", split=Split.TEST)
    address = client.post(new(project, "q=soup"), NEW)["Location"]
    assert "Collecting the samples" in client.get(address).content.decode()
    work()
    page = client.get(address).content.decode()
    assert "21 samples would be changed, 1 sample left out." in page
    assert "1 left out: It is in the test split" in page
    assert page.count("soup ") >= 20
    assert Exposure.objects.filter(user=lead).count() == 20
    assert not Label.objects.exists()
    assert client.post(address, {"action": "nonsense"}).status_code == 422
    stale = client.post(address, {"action": "undo", "expected_state": "applied", "reason": "x"})
    assert stale.status_code == 409


@pytest.mark.django_db
def test_ground_truth_is_not_changed_without_saying_so(client: Client) -> None:
    project = make_project()
    annotator = make_member(project)
    item = open_item(project, queue=Queue.AUDIT)
    item.sample.cluster.delete()
    type(item.sample).objects.filter(pk=item.sample_id).update(
        cluster=make_sample(project, split=Split.TEST).cluster
    )
    answer(project, annotator, item, "positive")
    client.force_login(make_member(project, Role.LEAD))
    body = {"kind": "retract_annotator", "annotator": str(annotator.pk), "reason": "Sloppy."}
    address = client.post(new(project), body)["Location"]
    work()
    assert "1 of them is ground truth" in client.get(address).content.decode()
    assert client.post(address, {"action": "apply"}).status_code == 422
    assert BulkAction.objects.get().status == "ready"
    assert client.post(address, {"action": "apply", "is_understood": "1"}).status_code == 302
    work()
    assert not Label.objects.filter(is_current=True).exists()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_lead_changes_many_samples_and_takes_it_back(live_server: LiveServer, page: Page) -> None:
    project = make_project()
    for number in range(3):
        make_sample(project, text=f"the soup was cold, visit {number}")
    sign_in(page, live_server, make_member(project, Role.LEAD))
    page.goto(f"{live_server.url}/samples/{project.slug}/?q=soup")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("link", name="Change all samples that fit").click()
    assert_accessible(page)
    assert_fits(page)
    page.get_by_label("What to do").select_option("label")
    page.get_by_label("Label to set").select_option("negative")
    page.get_by_label("Reason").fill("Cold is negative.")
    page.get_by_role("button", name="Preview the change").click()
    work()
    page.get_by_role("button", name="Change 3 samples").wait_for()
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("button", name="Change 3 samples").click()
    work()
    expect(page.get_by_text("3 samples changed.")).to_be_visible()
    page.get_by_label("Reason for taking it back").fill("It was warm after all.")
    page.get_by_role("button", name="Take back").click()
    work()
    expect(page.get_by_text("3 samples put back.")).to_be_visible()
    page.get_by_role("link", name="the soup was cold, visit 0").click()
    expect(page.get_by_text("Nobody has said yet what it is.")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
