"""The intake endpoints: who may post, what is answered, and what is kept."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.test import Client
from prometheus_client import REGISTRY

from curation.intake import authentication, facts, throttling
from curation.intake.sources import create_source_key
from curation.models import Feedback, Label, Project, RejectedEvent, Sample, SourceKey
from feedbackhub.core.clock import utcnow
from feedbackhub.core.ids import uuid7
from feedbackhub.core.keys import Scope
from tests.factories import (
    NOW,
    api_client,
    feedback_body,
    make_key,
    make_prediction,
    make_project,
    make_source,
)

pytestmark = pytest.mark.django_db
PROBLEM = "application/problem+json"


@pytest.fixture(autouse=True)
def fresh() -> None:
    authentication.forget()
    facts.forget()
    throttling.forget()


def address(project: Project | str, path: str = "feedback") -> str:
    slug = project if isinstance(project, str) else project.slug
    return f"/api/v1/projects/{slug}/{path}"


def post(client: Client, url: str, body: Any, content_type: str = "application/json") -> Any:
    data = body if isinstance(body, bytes | str) else json.dumps(body)
    return client.post(url, data=data, content_type=content_type)


def is_problem(response: Any, status: int) -> bool:
    body = response.json()
    return (
        response.status_code == status
        and response.headers["Content-Type"] == PROBLEM
        and body["status"] == status
        and set(body) == {"type", "title", "status", "detail", "errors"}
    )


def test_feedback_is_answered_201_then_200_with_the_same_bytes() -> None:
    project = make_project()
    client = api_client(make_key(project, Scope.FEEDBACK))
    body = feedback_body(make_prediction(project).id, event_id="e1")
    first = post(client, address(project), body)
    second = post(client, address(project), body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == {"event_id": "e1", "status": "accepted", "reasons": []}
    assert first.content == second.content


def test_another_body_under_a_known_id_is_409_and_kept() -> None:
    project = make_project()
    client = api_client(make_key(project))
    body = feedback_body(make_prediction(project).id)
    post(client, address(project), body)
    response = post(client, address(project), {**body, "rating": "down", "subject": "anna"})
    assert is_problem(response, 409)
    assert [error["field"] for error in response.json()["errors"]] == ["rating", "subject"]
    assert "rating, subject" in response.json()["detail"]
    assert "anna" not in RejectedEvent.objects.get().payload


def test_feedback_on_an_unknown_prediction_is_quarantined_not_refused() -> None:
    project = make_project()
    response = post(api_client(make_key(project)), address(project), feedback_body(uuid7(NOW)))
    assert response.status_code == 201
    assert response.json()["status"] == "quarantined"
    assert response.json()["reasons"] == ["unknown_prediction"]


def test_malformed_feedback_is_refused_and_kept_with_its_reasons() -> None:
    project = make_project()
    response = post(api_client(make_key(project)), address(project), {"rating": "sideways"})
    assert is_problem(response, 400)
    fields = {error["field"] for error in response.json()["errors"]}
    assert fields == {"rating", "event_id"}
    kept = RejectedEvent.objects.get()
    assert json.loads(kept.payload) == {"rating": "sideways"}
    assert kept.reasons == response.json()["errors"]


def test_a_malformed_stranger_leaves_no_trace() -> None:
    project = make_project()
    assert is_problem(post(api_client(None), address(project), b"junk"), 401)
    assert not RejectedEvent.objects.exists()


@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
def test_a_batch_lands_what_it_can(kind: str) -> None:
    project = make_project()
    client = api_client(make_key(project))
    name = make_prediction(project).id
    good, again = feedback_body(name), feedback_body(name)
    post(client, address(project), again)
    items = [
        good,
        {"event_id": "bad", "rating": "sideways"},
        again,
        feedback_body(uuid7(NOW)),
        {**good, "rating": "down"},
        good,
    ]
    lines = [json.dumps(item) for item in items]
    data = "\n".join(lines) if kind.endswith("ndjson") else json.dumps(items)
    response = post(client, address(project, "feedback/batch"), data, kind)
    report = response.json()
    assert response.status_code == 200
    assert (report["accepted"], report["quarantined"], report["duplicates"]) == (1, 1, 2)
    assert [one["index"] for one in report["rejected"]] == [1, 4]
    assert [error["field"] for error in report["rejected"][1]["errors"]] == ["rating"]
    assert Feedback.objects.count() == 3
    assert RejectedEvent.objects.count() == 2


def test_a_batch_sent_twice_lands_once() -> None:
    project = make_project()
    client = api_client(make_key(project))
    name = make_prediction(project).id
    items = [feedback_body(name) for _ in range(500)]
    first = post(client, address(project, "feedback/batch"), items).json()
    second = post(client, address(project, "feedback/batch"), items).json()
    assert first == {"accepted": 500, "quarantined": 0, "duplicates": 0, "rejected": []}
    assert second == {"accepted": 0, "quarantined": 0, "duplicates": 500, "rejected": []}
    assert Feedback.objects.count() == 500


def test_a_batch_of_5001_is_refused() -> None:
    project = make_project()
    body = b"\n".join([b"{}"] * 5_001)
    url = address(project, "feedback/batch")
    response = post(api_client(make_key(project)), url, body, "application/x-ndjson")
    assert is_problem(response, 413)


def test_a_body_above_the_limit_is_413() -> None:
    project = make_project()
    body = b'{"comment": "' + b"x" * 10 * 1024 * 1024 + b'"}'
    assert is_problem(post(api_client(make_key(project)), address(project), body), 413)


def test_a_form_is_415() -> None:
    project = make_project()
    response = post(
        api_client(make_key(project)),
        address(project),
        "rating=up",
        "application/x-www-form-urlencoded",
    )
    assert is_problem(response, 415)
    assert "application/json" in response.json()["detail"]


def test_other_methods_and_addresses_are_problems() -> None:
    project = make_project()
    client = api_client(make_key(project))
    assert is_problem(client.put(address(project)), 405)
    assert is_problem(client.get("/api/v1/nothing"), 404)
    assert is_problem(client.post("/api/v1/nothing"), 404)
    slashed = client.post(address(project, "feedback/"))
    assert is_problem(slashed, 404)
    assert "without a slash" in slashed.json()["detail"]


def test_a_bug_is_a_problem_without_its_details(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("curation.intake.api.take_one", broken)
    project = make_project()
    response = post(api_client(make_key(project)), address(project), feedback_body(None))
    assert is_problem(response, 500)
    assert "secret" not in response.content.decode()


def test_no_key_and_bad_keys_are_401() -> None:
    project = make_project()
    source = make_source(project)
    for key in (None, "nonsense", make_key(project)[:-1] + "x", "a.b\x00c"):
        response = post(api_client(key), address(project), feedback_body(None))
        assert is_problem(response, 401)
        assert response.headers["WWW-Authenticate"] == "Api-Key"
    expired = make_key(project, source=source, expires_at=utcnow() - timedelta(seconds=1))
    response = post(api_client(expired), address(project), feedback_body(None))
    assert is_problem(response, 401)
    assert "expired" in response.json()["detail"]


def test_a_key_of_a_source_that_is_switched_off_is_401() -> None:
    project = make_project()
    source = make_source(project)
    source.is_active = False
    source.save()
    response = post(api_client(make_key(project, source=source)), address(project), {})
    assert is_problem(response, 401)


def test_a_revoked_key_is_401_within_two_seconds() -> None:
    project = make_project()
    client = api_client(make_key(project))
    body = feedback_body(make_prediction(project).id)
    assert post(client, address(project), body).status_code == 201
    SourceKey.objects.update(revoked=True)
    deadline = time.monotonic() + 2
    while (response := post(client, address(project), body)).status_code != 401:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert "revoked" in response.json()["detail"]


def test_a_key_expires_even_while_it_is_believed() -> None:
    project = make_project()
    key = make_key(project, expires_at=utcnow() + timedelta(hours=1))
    now = utcnow()
    assert authentication.holder_of(key, now=now).project_slug == project.slug
    with pytest.raises(authentication.BadKey):
        authentication.holder_of(key, now=now + timedelta(hours=1))


def test_scope_and_project_of_the_key_must_fit() -> None:
    project, other = make_project(), make_project()
    body = feedback_body(None)
    reader = api_client(make_key(project, Scope.PREDICT))
    assert is_problem(post(reader, address(project), body), 403)
    client = api_client(make_key(project))
    assert is_problem(post(client, address(other), body), 403)
    assert is_problem(post(client, address("no-such-project"), body), 404)
    assert not Feedback.objects.exists()


def test_a_made_key_opens_what_it_was_made_for() -> None:
    project = make_project()
    key = create_source_key(project=project, source_name="shop", scopes=[Scope.FEEDBACK], now=NOW)
    again = create_source_key(project=project, source_name="shop", scopes=[Scope.IMPORT], now=NOW)
    assert key != again
    assert project.sources.count() == 1
    assert SourceKey.objects.filter(hashed_key__contains=key.partition(".")[2]).count() == 0
    holder = authentication.holder_of(key, now=NOW)
    assert (holder.name, holder.scopes) == ("shop", frozenset({"feedback"}))


def test_beyond_its_allowance_a_source_is_told_when_to_go_on(settings: Any) -> None:
    settings.THROTTLE_PER_SECOND = 1
    project = make_project()
    client, other = api_client(make_key(project)), api_client(make_key(project))
    url = address(project, "samples/batch")
    # A window may end in between: then the count starts again, once.
    answers = [post(client, url, []) for _ in range(22)]
    refused = [response for response in answers if response.status_code == 429]
    assert refused
    assert is_problem(refused[0], 429)
    assert 1 <= int(refused[0].headers["Retry-After"]) <= 11
    assert post(other, url, []).status_code == 200


def test_without_redis_nobody_is_throttled(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.THROTTLE_PER_SECOND = 1
    lost = redis.Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.2)
    monkeypatch.setattr(throttling, "_redis", lambda: lost)
    project = make_project()
    client = api_client(make_key(project))
    name = make_prediction(project).id
    statuses = {post(client, address(project), feedback_body(name)).status_code for _ in range(25)}
    assert statuses == {201}


def test_thumbs_are_counted_once_by_what_they_say() -> None:
    def counted(kind: str) -> float:
        name = "frontend_feedback_rating_total"
        return REGISTRY.get_sample_value(name, {"feedback_type": kind}) or 0.0

    project = make_project()
    client = api_client(make_key(project))
    name = make_prediction(project).id
    before = counted("positive"), counted("negative")
    items = [feedback_body(name), feedback_body(name), feedback_body(name, rating="down")]
    for _ in range(2):
        post(client, address(project, "feedback/batch"), items)
    assert (counted("positive"), counted("negative")) == (before[0] + 2, before[1] + 1)


def test_samples_are_imported_with_their_labels_once() -> None:
    project = make_project()
    client = api_client(make_key(project, Scope.IMPORT))
    items = [
        {"text": "The soup was cold.", "label": "negative"},
        {"text": "the soup  was cold.", "label": "negative"},
        {"text": "Who knows", "metadata": {"page": 3}},
        {"text": "Bad label", "label": "neutral"},
    ]
    url = address(project, "samples/batch")
    first = post(client, url, items).json()
    second = post(client, url, items).json()
    assert (first["created"], first["known"], first["labelled"]) == (2, 1, 2)
    assert [one["index"] for one in first["rejected"]] == [3]
    assert (second["created"], second["known"]) == (0, 3)
    assert Sample.objects.filter(project=project).count() == 2
    assert list(Label.objects.values_list("value", "origin", "is_current")) == [
        ("negative", "import", True)
    ]
