"""A NUL in an address, a query or a form is refused: Postgres could not take it any further."""

import pytest
from django.test import Client

from feedbackhub.core.roles import Role
from tests.factories import make_key, make_member, make_project

pytestmark = pytest.mark.django_db
FORM = {"action": "release", "reason": "fine\x00", "all": "1", "state": "waiting", "rule": "\x00"}


@pytest.fixture
def lead(client: Client) -> Client:
    client.force_login(make_member(make_project(slug="reviews"), Role.LEAD))
    return client


@pytest.mark.parametrize(
    "address",
    [
        "/intake/reviews/quarantine/?rule=%00&state=%00",
        "/intake/reviews/rejected/?reason=a%00b&source=%00",
        "/try/reviews/?text=%00",
        "/review/%00/",
    ],
)
def test_a_query_is_refused(lead: Client, address: str) -> None:
    assert lead.get(address).status_code == 400


def test_a_form_is_refused(lead: Client) -> None:
    assert lead.post("/intake/reviews/quarantine/", FORM).status_code == 400


def test_the_api_says_so_as_a_problem(client: Client) -> None:
    headers = {"Authorization": f"Api-Key {make_key(make_project(slug='reviews'))}"}
    said = client.get("/api/v1/projects/reviews/rollouts?before=%00", headers=headers)
    assert (said.status_code, said["Content-Type"]) == (400, "application/problem+json")


def test_a_run_is_not_asked_for_in_words_that_cannot_be_kept(client: Client) -> None:
    headers = {"Authorization": f"Api-Key {make_key(make_project(slug='reviews'))}"}
    said = client.post(
        "/api/v1/projects/reviews/training-runs",
        {"reason": "new\x00labels"},
        content_type="application/json",
        headers=headers,
    )
    assert said.status_code == 400
    assert said.json()["errors"][0]["field"] == "reason"
