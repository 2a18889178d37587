"""The queue engine over HTTP: for the page by session, for programs by key."""

import json
import uuid
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from curation.models import Annotation, Lease, Project, Ranking, ReviewItem
from curation.models.review import Queue
from feedbackhub.core.clock import utcnow
from feedbackhub.core.keys import Scope
from feedbackhub.core.models import User
from feedbackhub.core.roles import Role
from tests.curation.events import disagree
from tests.curation.reviewing import open_item
from tests.factories import api_client, make_key, make_member, make_project, make_user

pytestmark = pytest.mark.django_db


class Page:
    """The review page's calls for one signed-in person."""

    def __init__(self, project: Project, user: User | None, *, checks_csrf: bool = False) -> None:
        self.client = Client(enforce_csrf_checks=checks_csrf)
        self.base = f"/review/{project.slug}/api/"
        if user is not None:
            self.client.force_login(user)

    def post(self, address: str, body: Any = None) -> HttpResponse:
        raw = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        return self.client.post(self.base + address, raw, content_type="application/json")  # type: ignore[return-value]


def body_of(response: HttpResponse, status: int = 200) -> dict[str, Any]:
    assert response.status_code == status, response.content
    is_problem = response.headers["Content-Type"] == "application/problem+json"
    assert is_problem == (status >= 400)
    parsed: dict[str, Any] = json.loads(response.content)
    return parsed


def key() -> str:
    return str(uuid.uuid4())


def test_a_person_claims_answers_and_undoes() -> None:
    project = make_project()
    page = Page(project, make_member(project))
    disagree(project, "meh", subjects=2)

    claimed = body_of(page.post("claim", {"count": 5}))
    (item,) = claimed["items"]
    done = body_of(
        page.post(f"{item['id']}/submit", {"value": "negative", "submission_key": key()})
    )
    undone = body_of(page.post("undo"))

    assert claimed["empty"] is None
    assert done["status"] == "accepted"
    assert done["reveal"]["prediction"] == {
        "label": "positive",
        "confidence": 0.9,
        "model_version": "v1",
    }
    assert done["reveal"]["votes"] == {"up": 0, "down": 2, "suggestions": {"negative": 2}}
    assert done["reveal"]["why"].startswith("2 subjects contradict the model's “positive”")
    assert undone["item"]["id"] == item["id"]
    assert (undone["value"], undone["is_blind"]) == ("negative", False)
    again = page.post(f"{item['id']}/submit", {"value": "positive", "submission_key": key()})
    assert body_of(again)["status"] == "unblinded"


def test_items_of_every_queue_look_the_same_before_the_answer() -> None:
    project = make_project(random_share=0.2, gold_share=0.2)
    page = Page(project, make_member(project))
    items = [open_item(project, queue=queue, predicted="positive") for queue in Queue]
    gold = items[[*Queue].index(Queue.GOLD)]

    claimed, claims = [], 0
    # Gold comes by lot, and never when nothing else is there.
    while gold.pk not in {each["id"] for each in claimed} and (claims := claims + 1) < 100:
        page.post("release", {"items": [each["id"] for each in claimed]})
        claimed = body_of(page.post("claim", {"count": 6}))["items"]

    assert {each["id"] for each in claimed} < {item.pk for item in items}
    assert {frozenset(each) for each in claimed} == {
        frozenset({"id", "text", "reason", "guideline", "shown", "expires_at"})
    }
    looks = [
        (item["reason"], item["guideline"], item["shown"], item["expires_at"]) for item in claimed
    ]
    assert len(set(looks)) == 1


def test_a_skip_a_heartbeat_and_a_release_answer_in_json() -> None:
    project = make_project()
    page = Page(project, make_member(project))
    for _ in range(3):
        open_item(project)
    first, second, third = body_of(page.post("claim"))["items"]

    skipped = body_of(page.post(f"{first['id']}/skip", {"reason": "spam", "submission_key": key()}))
    kept = body_of(page.post("heartbeat", {"items": [second["id"], third["id"], 2**62]}))
    released = body_of(page.post("release", {"items": [second["id"]]}))

    assert skipped["is_closed"] is False
    assert {lease["id"] for lease in kept["items"]} == {second["id"], third["id"]}
    assert released == {"released": 1}
    assert Lease.objects.get().item_id == third["id"]


def test_nothing_to_do_says_why() -> None:
    project = make_project()
    answer = body_of(Page(project, make_member(project)).post("claim"))
    assert answer["items"] == []
    assert "queue is empty" in answer["empty"]["message"]


@pytest.mark.parametrize("queue", ["audit", "disputed", "gold"])
def test_only_a_senior_may_name_a_queue(queue: str) -> None:
    project = make_project()
    open_item(project, queue=Queue.AUDIT)
    plain, senior = make_member(project), make_member(project, role=Role.SENIOR)

    refused = body_of(Page(project, plain).post("claim", {"queue": queue}), 403)
    served = body_of(Page(project, senior).post("claim", {"queue": queue}))

    assert refused["status"] == 403
    assert len(served["items"]) == (queue == "audit")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"value": "splendid", "submission_key": key()}, "value"),
        ({"value": "positive"}, "submission_key"),
        ({"value": "positive", "submission_key": "no uuid"}, "submission_key"),
        ({"value": "positive", "submission_key": key(), "valeu": ""}, "valeu"),
        (b"{", ""),
    ],
)
def test_a_body_that_does_not_fit_is_a_problem_that_names_the_field(body: Any, field: str) -> None:
    project = make_project()
    item = open_item(project)
    problem = body_of(Page(project, make_member(project)).post(f"{item.pk}/submit", body), 400)
    assert [error["field"] for error in problem["errors"]] == [field]
    assert not Annotation.objects.exists()


def test_refusals_are_problems() -> None:
    project = make_project()
    item, user = open_item(project), make_member(project)
    page, one = Page(project, user), key()
    answer = {"value": "positive", "submission_key": one}

    body_of(page.post("undo"), 409)
    body_of(page.post("987654/submit", answer), 404)
    body_of(page.post(f"{item.pk}/skip", {"reason": "bored", "submission_key": one}), 400)
    first = body_of(page.post(f"{item.pk}/submit", answer))
    assert body_of(page.post(f"{item.pk}/submit", answer)) == first
    other = {"value": "negative", "submission_key": one}
    body_of(page.post(f"{item.pk}/submit", other), 409)
    problem = body_of(page.post(f"{item.pk}/submit", {**other, "submission_key": key()}), 409)
    assert "positive" in problem["detail"]


def test_strangers_and_those_signed_out_learn_nothing() -> None:
    project = make_project()
    item = open_item(project)
    answer = {"value": "positive", "submission_key": key()}
    for address, body in (("claim", {}), (f"{item.pk}/submit", answer), ("undo", {})):
        body_of(Page(project, None).post(address, body), 401)
        body_of(Page(project, make_user()).post(address, body), 404)
    assert not Annotation.objects.exists()
    assert not Lease.objects.exists()


def test_a_post_without_the_csrf_token_is_refused() -> None:
    project = make_project()
    open_item(project)
    page = Page(project, make_member(project), checks_csrf=True)
    assert page.post("claim").status_code == 403
    assert not Lease.objects.exists()


def test_a_get_changes_nothing() -> None:
    project = make_project()
    page = Page(project, make_member(project))
    assert page.client.get(f"{page.base}claim").status_code == 405


def rest(project: Project, api_key: str | None, address: str, body: Any) -> HttpResponse:
    return api_client(api_key).post(  # type: ignore[return-value]
        f"/api/v1/projects/{project.slug}/review/{address}",
        json.dumps(body),
        content_type="application/json",
    )


def test_a_program_reviews_on_behalf_of_a_member() -> None:
    project = make_project()
    user, api_key = make_member(project), make_key(project, Scope.REVIEW)
    item, other = open_item(project, priority=0.9), open_item(project)
    me = {"annotator": user.username}

    claimed = body_of(rest(project, api_key, "claim", me))
    kept = body_of(rest(project, api_key, "heartbeat", {**me, "items": [item.pk]}))
    answer = {**me, "value": "negative", "submission_key": key()}
    done = body_of(rest(project, api_key, f"{item.pk}/submit", answer))
    skip = {**me, "reason": "unclear", "submission_key": key()}
    body_of(rest(project, api_key, f"{other.pk}/skip", skip))
    undone = body_of(rest(project, api_key, "undo", me))
    body_of(rest(project, api_key, "release", {**me, "items": [other.pk]}))

    assert [each["id"] for each in claimed["items"]] == [item.pk, other.pk]
    assert [lease["id"] for lease in kept["items"]] == [item.pk]
    assert done["value"] == "negative"
    assert (undone["kind"], undone["is_blind"]) == ("skip", True)
    assert not Lease.objects.exists()
    assert Annotation.objects.filter(undone_at=None).get().user == user
    assert ReviewItem.objects.get(pk=item.pk).status == "done"


def test_a_program_needs_the_scope_and_a_member() -> None:
    project = make_project()
    open_item(project)
    user = make_member(project)
    reviewing, predicting = make_key(project, Scope.REVIEW), make_key(project, Scope.PREDICT)

    body_of(rest(project, predicting, "claim", {"annotator": user.username}), 403)
    body_of(rest(project, None, "claim", {"annotator": user.username}), 401)
    for name in (make_user().username, "nobody"):
        problem = body_of(rest(project, reviewing, "claim", {"annotator": name}), 400)
        assert [error["field"] for error in problem["errors"]] == ["annotator"]
    named = {"annotator": user.username, "queue": "audit"}
    body_of(rest(project, reviewing, "claim", named), 403)
    problem = body_of(rest(project, reviewing, "claim", {}), 400)
    assert [error["field"] for error in problem["errors"]] == ["annotator"]
    assert not Lease.objects.exists()


def test_the_reveal_of_an_uncertain_item_says_who_ranked_it() -> None:
    project = make_project()
    page = Page(project, make_member(project))
    Ranking.objects.create(
        project=project, version="v14", ranked_at=utcnow(), n_pool=50, n_scored=49
    )
    ranked = {}
    for queue in (Queue.UNCERTAIN, Queue.DISPUTED):
        item = open_item(project, queue=queue)
        said = page.post(f"{item.pk}/submit", {"value": "negative", "submission_key": key()})
        ranked[queue] = body_of(said)["reveal"]["ranked"]
    assert ranked[Queue.UNCERTAIN].startswith("ranked by v14, ")
    assert ranked[Queue.UNCERTAIN].endswith("98 % current")
    assert ranked[Queue.DISPUTED] == ""
