"""The privacy page: who may ask for an erasure, and what is shown of it afterwards."""

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from curation.models import Erasure, Prediction, RetentionPolicy
from feedbackhub import privacy
from feedbackhub.core.clock import utcnow
from feedbackhub.core.roles import Role
from feedbackhub.core.subjects import keyed_hash
from tests.factories import NOW, make_member, make_prediction, make_project, make_user
from tests.pages.browsing import assert_accessible, assert_fits, sign_in

ASK = {"subject": "ann", "reason": "Asked by post.", "is_understood": "on"}


@pytest.mark.django_db
def test_only_those_who_configure_may_ask(client: Client) -> None:
    project = make_project()
    url = f"/privacy/{project.slug}/"
    assert client.get(url).status_code == 302
    client.force_login(make_user())
    assert client.post(url, ASK).status_code == 404
    for role in (Role.ANNOTATOR, Role.SENIOR):
        client.force_login(make_member(project, role))
        assert client.get(url).status_code == client.post(url, ASK).status_code == 403
    assert not Erasure.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("missing", sorted(ASK))
def test_nothing_is_erased_without_subject_reason_and_understanding(
    client: Client, missing: str
) -> None:
    project = make_project()
    client.force_login(make_member(project, Role.ADMIN))
    body = {name: value for name, value in ASK.items() if name != missing}
    assert client.post(f"/privacy/{project.slug}/", body).status_code == 422
    assert not Erasure.objects.exists()


@pytest.mark.django_db
def test_asking_twice_is_one_erasure_and_the_name_is_shown_nowhere(client: Client) -> None:
    project = make_project()
    client.force_login(make_member(project, Role.ADMIN))
    url = f"/privacy/{project.slug}/"
    for _ in range(2):
        assert client.post(url, {**ASK, "subject": "zo-e_4711"}).status_code == 302
    assert Erasure.objects.count() == 1
    assert "zo-e_4711" not in client.get(url).content.decode()
    privacy.erase_due(now=utcnow())
    assert "nothing was found" in client.get(url).content.decode()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_lead_erases_a_subject_by_clicking(live_server: LiveServer, page: Page) -> None:
    project = make_project()
    ann = keyed_hash("ann", key=settings.SUBJECT_HASH_KEY, project_id=project.pk)
    make_prediction(project, subject_hash=ann, now=NOW)
    sign_in(page, live_server, make_member(project, Role.LEAD))
    page.goto(f"{live_server.url}/privacy/{project.slug}/")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_label("Subject").fill("ann")
    page.get_by_label("Reason").fill("Asked by post.")
    page.get_by_label("I know that this cannot be undone").check()
    page.get_by_role("button", name="Erase subject").click()
    expect(page.get_by_text("1 erasure is being carried out")).to_be_visible()
    privacy.erase_due(now=utcnow())
    page.reload()
    expect(page.get_by_text("1 prediction")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    assert Prediction.objects.get().text is None


@pytest.mark.django_db
def test_only_an_administrator_sets_the_retention_policy(client: Client) -> None:
    url = "/admin/curation/retentionpolicy/"
    client.force_login(make_member(make_project(), Role.ADMIN))
    assert client.get(url).status_code == 403
    client.force_login(make_user(is_superuser=True))
    assert client.get(url).status_code == 200
    body = {
        "prediction_months": "12",
        "feedback_months": "12",
        "key_months": "6",
        "rejected_days": "",
    }
    refused = client.post(f"{url}add/", body)
    assert "Keys must be kept as long as feedback is." in refused.content.decode()
    assert client.post(f"{url}add/", {**body, "key_months": "13"}).status_code == 302
    policy = RetentionPolicy.objects.get()
    assert (policy.prediction_months, policy.key_months, policy.rejected_days) == (12, 13, None)
    assert client.get(f"{url}add/").status_code == 403
