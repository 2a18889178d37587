"""A person's keys and goal, over the session."""

from typing import Any

import pytest
from django.test import Client

from curation.models import Project
from feedbackhub.core.models import User
from feedbackhub.core.roles import Role
from tests.factories import make_member, make_project, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return make_project(slug="reviews")


def keep(client: Client, user: User, body: dict[str, Any], *, slug: str = "reviews") -> Any:
    client.force_login(user)
    return client.post(f"/review/{slug}/api/preferences", body, content_type="application/json")


def test_a_choice_holds_in_every_project(client: Client, project: Project) -> None:
    user = make_member(project)
    other = make_project(slug="other")
    other.memberships.create(user=user, role=Role.SENIOR)
    kept = keep(client, user, {"keys": {"skip": "x"}, "daily_goal": 50}).json()
    assert (kept["keys"]["skip"], kept["keys"]["note"], kept["daily_goal"]) == ("x", "n", 50)
    page = client.get("/review/other/").content.decode()
    assert "&quot;skip&quot;: &quot;x&quot;" in page
    assert 'data-goal="50"' in page


def test_a_choice_is_one_persons(client: Client, project: Project) -> None:
    keep(client, make_member(project), {"keys": {"skip": "x"}})
    client.force_login(make_member(project))
    assert "&quot;skip&quot;: &quot;x&quot;" not in client.get("/review/reviews/").content.decode()


def test_keeping_nothing_brings_the_usual_keys_back(client: Client, project: Project) -> None:
    user = make_member(project)
    keep(client, user, {"keys": {"skip": "x"}, "daily_goal": 50})
    kept = keep(client, user, {"keys": {}}).json()
    assert (kept["keys"]["skip"], kept["daily_goal"]) == ("s", None)


def test_a_clash_is_refused_by_name_and_changes_nothing(client: Client, project: Project) -> None:
    user = make_member(project)
    keep(client, user, {"keys": {"skip": "x"}})
    refused = keep(client, user, {"keys": {"note": "f"}})
    assert refused.status_code == 400
    assert {error["field"] for error in refused.json()["errors"]} == {"note", "spam"}
    assert "&quot;skip&quot;: &quot;x&quot;" in client.get("/review/reviews/").content.decode()


@pytest.mark.parametrize("goal", [0, 10_000, 2.5, "many"])
def test_a_goal_is_a_number_one_can_reach(client: Client, project: Project, goal: object) -> None:
    refused = keep(client, make_member(project), {"keys": {}, "daily_goal": goal})
    assert refused.status_code == 400


def test_strangers_keep_nothing_here(client: Client, project: Project) -> None:
    assert keep(client, make_user(), {"keys": {}}).status_code == 404
