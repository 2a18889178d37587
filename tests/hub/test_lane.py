"""Calls of the REST API pass by what pages need, and by nothing that guards them."""

from collections.abc import Callable

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from feedbackhub.lane import ApiLaneMiddleware
from tests.factories import api_client, feedback_body, make_key, make_prediction, make_project

PAGES = "the pages' middleware"
ADDRESS = "/api/v1/projects/{}/feedback"


def lane(request: HttpRequest) -> HttpResponse:
    def pages(request: HttpRequest) -> HttpResponse:
        return HttpResponse(PAGES)

    answer = ApiLaneMiddleware(pages)(request)
    assert isinstance(answer, HttpResponse)
    return answer


@pytest.mark.parametrize("path", ["/", "/api/schema/", "/api/v2/x", "/review/api/v1/"])
def test_everything_else_goes_through_what_pages_need(rf: RequestFactory, path: str) -> None:
    assert lane(rf.get(path)).content.decode() == PAGES


@pytest.mark.django_db
def test_a_call_lands_and_its_answer_can_do_nothing_in_a_browser() -> None:
    project = make_project()
    answer = api_client(make_key(project)).post(
        ADDRESS.format(project.slug),
        feedback_body(make_prediction(project).id),
        content_type="application/json",
    )
    assert answer.status_code == 201
    assert answer["Content-Length"] == str(len(answer.content))
    assert answer["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert not answer.cookies


@pytest.mark.django_db
def test_a_call_for_another_host_is_refused(client: Client) -> None:
    answer = client.post(ADDRESS.format("reviews"), headers={"host": "elsewhere.example"})
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.django_db
def test_an_unknown_address_and_a_missing_key_are_problems(client: Client) -> None:
    for path, status in (("/api/v1/nothing", 404), (ADDRESS.format("reviews"), 401)):
        answer = client.post(path)
        assert answer.status_code == status
        assert answer["Content-Type"] == "application/problem+json"


def test_a_bug_in_an_endpoint_is_a_problem_and_no_page(
    rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(request: HttpRequest, rest: str) -> HttpResponse:
        raise RuntimeError("a bug")

    monkeypatch.setattr("feedbackhub.lane._resolve", _always(broken))
    answer = lane(rf.get("/api/v1/nothing"))
    assert answer.status_code == 500
    assert answer["Content-Type"] == "application/problem+json"


def _always(view: Callable[..., HttpResponse]) -> Callable[[str], object]:
    class Match:
        func, args, kwargs = staticmethod(view), (), {"rest": "nothing"}

    return lambda path: Match()
