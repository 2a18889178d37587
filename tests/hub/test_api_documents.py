"""The OpenAPI document says what the code checks, and its pages work without a network."""

from typing import Any

import msgspec
import pytest
from django.test import Client
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from curation.intake.schemas import FeedbackRequest, PredictionBatch, PredictionRequest


def document(client: Client) -> Any:
    response = client.get("/api/schema/?format=json")
    assert response.status_code == 200
    return response.json()


def test_the_document_names_every_endpoint_of_intake_and_serving(client: Client) -> None:
    base = "/api/v1/projects/{project}/"
    paths = document(client)["paths"]
    for name in ("predictions", "predictions/batch", "feedback", "feedback/batch", "samples/batch"):
        operation = paths[base + name]["post"]
        assert operation["security"] == [{"apiKey": []}]
        assert {"401", "403", "404", "429", "503", "400", "413"} <= set(operation["responses"])
        for status, response in operation["responses"].items():
            [kind] = response["content"]
            assert kind == ("application/json" if status < "300" else "application/problem+json")


def test_every_reference_of_the_document_leads_somewhere(client: Client) -> None:
    found = document(client)
    known = {f"#/components/schemas/{name}" for name in found["components"]["schemas"]}
    assert set(references(found)) <= known


def references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [one for item in node for one in references(item)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
    return own + [one for item in node.values() for one in references(item)]


def test_the_examples_of_the_document_are_valid(client: Client) -> None:
    base = "/api/v1/projects/{project}/"
    kinds = {
        "predictions": PredictionRequest,
        "predictions/batch": PredictionBatch,
        "feedback": FeedbackRequest,
        "feedback/batch": list[FeedbackRequest],
    }
    for name, kind in kinds.items():
        content = document(client)["paths"][base + name]["post"]["requestBody"]["content"]
        examples = content["application/json"]["examples"].values()
        assert examples
        for one in examples:
            msgspec.convert(one["value"], kind)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_docs_open_and_unfold_without_a_network(page: Page, live_server: LiveServer) -> None:
    page.goto(f"{live_server.url}/api/docs/")
    page.get_by_text("Post one feedback event").click()
    page.get_by_role("button", name="Try it out").wait_for()
    assert page.get_by_text("A thumb on a served prediction").count() > 0


def test_pages_outside_the_api_keep_their_own_errors(client: Client, db: None) -> None:
    response = client.get("/no-such-page")
    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith("text/html")
