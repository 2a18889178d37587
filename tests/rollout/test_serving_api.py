"""Predictions over HTTP: the contract, who meets which arm, and what is recorded."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from prometheus_client import REGISTRY

from curation.intake import authentication, facts, throttling
from curation.models import Feedback, Landed, Prediction, Project
from feedbackhub.core.keys import Scope
from rollout.serving import plan
from rollout.serving.assignment import in_audit
from tests.factories import (
    api_client,
    feedback_body,
    make_key,
    make_project,
    make_rollout,
    make_version,
)
from training.models import ModelVersion

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    for module in (authentication, facts, throttling, plan):
        module.forget()
    yield
    plan.forget()


def post(client: Client, project: Project, body: Any, path: str = "predictions") -> Any:
    url = f"/api/v1/projects/{project.slug}/{path}"
    return client.post(url, data=json.dumps(body), content_type="application/json")


def served_project(**fields: Any) -> tuple[Project, ModelVersion]:
    project = make_project(**fields)
    return project, make_version(project)


def test_a_prediction_is_answered_as_promised_and_recorded() -> None:
    project, version = served_project()
    client = api_client(make_key(project, Scope.PREDICT))
    body = {
        "text": "great food, lovely staff",
        "subject": "anna",
        "session": "s1",
        "metadata": {"page": "menu"},
    }
    response = post(client, project, body)
    answer = response.json()
    assert response.status_code == 200
    assert set(answer) == {
        "prediction_id",
        "label",
        "confidence",
        "probabilities",
        "model_version",
        "arm",
    }
    assert (answer["label"], answer["model_version"], answer["arm"]) == ("positive", "v1", None)
    assert answer["confidence"] == max(answer["probabilities"].values()) > 0.5
    assert sum(answer["probabilities"].values()) == pytest.approx(1)
    row = Prediction.objects.get(id=answer["prediction_id"])
    assert (row.text, row.label, row.model_version) == (body["text"], "positive", version.name)
    assert row.probabilities == answer["probabilities"]
    assert (row.metadata, row.is_external, row.rollout_id) == ({"page": "menu"}, False, None)
    assert row.latency_ms is not None
    assert 0 < row.latency_ms < 1_000
    assert row.subject_hash is not None
    assert b"anna" not in bytes(row.subject_hash)
    assert row.programme_group == "loop"


def test_without_a_champion_the_answer_is_503() -> None:
    project = make_project()
    response = post(api_client(make_key(project)), project, {"text": "soup"})
    assert response.status_code == 503
    assert response.headers["Content-Type"] == "application/problem+json"
    assert "first version" in response.json()["detail"]


def test_a_batch_is_answered_in_order_and_recorded_whole() -> None:
    project, _ = served_project()
    texts = ["great food", "rude staff"] * 500
    body = {"items": [{"text": text} for text in texts]}
    response = post(api_client(make_key(project)), project, body, "predictions/batch")
    labels = [one["label"] for one in response.json()["results"]]
    assert labels == ["positive", "negative"] * 500
    ids = [UUID(one["prediction_id"]) for one in response.json()["results"]]
    assert list(Prediction.objects.values_list("id", flat=True)) == ids == sorted(ids)


def test_a_batch_with_a_bad_item_is_refused_whole() -> None:
    project, _ = served_project()
    client = api_client(make_key(project))
    for bad in ({"text": ""}, {"text": "x", "metadata": {"a": "\0"}}):
        body = {"items": [{"text": "soup"}, bad]}
        response = post(client, project, body, "predictions/batch")
        assert response.status_code == 400
        assert response.json()["errors"][0]["field"].startswith("items[1].")
    assert not Prediction.objects.exists()


def test_1001_texts_are_too_many() -> None:
    project, _ = served_project()
    body = {"items": [{"text": "x"}] * 1_001}
    assert (
        post(api_client(make_key(project)), project, body, "predictions/batch").status_code == 413
    )
    body = {"items": []}
    answer = post(api_client(make_key(project)), project, body, "predictions/batch")
    assert answer.json() == {"results": []}


@pytest.mark.parametrize("text", ["!!!", "🍕🍕", "x" * 20_000, "totally unknown words"])
def test_texts_without_a_known_word_are_answered_too(text: str) -> None:
    project, _ = served_project()
    response = post(api_client(make_key(project)), project, {"text": text})
    assert response.status_code == 200


def _test_of_two(share: float) -> tuple[Project, Client]:
    project = make_project()
    champion = make_version(project)
    candidate = make_version(project, status=ModelVersion.Status.BLESSED, flipped=True)
    make_rollout(candidate, champion, treatment_share=share)
    return project, api_client(make_key(project))


def test_a_subject_meets_one_arm_and_the_arms_share_the_subjects() -> None:
    project, client = _test_of_two(0.5)
    body = {"items": [{"text": "great food", "subject": f"s{n % 200}"} for n in range(1_000)]}
    results = post(client, project, body, "predictions/batch").json()["results"]
    arms: dict[int, set[str]] = {}
    for number, one in enumerate(results):
        arms.setdefault(number % 200, set()).add(one["arm"])
        expected = ("positive", "v1") if one["arm"] == "control" else ("negative", "v2")
        assert (one["label"], one["model_version"]) == expected
    assert all(len(met) == 1 for met in arms.values())
    treated = sum(met == {"treatment"} for met in arms.values())
    assert 70 < treated < 130
    again = [post(client, project, {"text": "bad", "subject": "s1"}).json() for _ in range(3)]
    assert {one["arm"] for one in again} == arms[1]
    rows = Prediction.objects.values_list("arm", "model_version", "rollout_id")
    assert len(set(rows)) == 2


def test_outside_the_comparison_the_champion_answers_without_an_arm() -> None:
    project, client = _test_of_two(0.1)
    body = {"items": [{"text": "great food", "subject": f"s{n}"} for n in range(1_000)]}
    results = post(client, project, body, "predictions/batch").json()["results"]
    counts = dict.fromkeys(("control", "treatment", None), 0)
    for one in results:
        counts[one["arm"]] += 1
        assert one["model_version"] == ("v2" if one["arm"] == "treatment" else "v1")
    assert 60 < counts["treatment"] < 140
    assert 60 < counts["control"] < 140
    assert Prediction.objects.filter(rollout_id=None, arm="").count() == counts[None]


def test_without_a_subject_each_prediction_is_assigned_by_itself() -> None:
    project, client = _test_of_two(0.5)
    body = {"items": [{"text": "great food"}] * 400}
    results = post(client, project, body, "predictions/batch").json()["results"]
    assert 140 < sum(one["arm"] == "treatment" for one in results) < 260
    assert set(Prediction.objects.values_list("programme_group", flat=True)) == {""}


def test_the_audit_share_is_chosen_at_random_and_not_told() -> None:
    project, _ = served_project(audit_share=0.2)
    body = {"items": [{"text": "great food", "subject": "anna"}] * 1_000}
    response = post(api_client(make_key(project)), project, body, "predictions/batch")
    audited = Prediction.objects.filter(is_audit=True)
    assert 140 < audited.count() < 260
    assert "audit" not in response.content.decode()
    landed = Landed.objects.filter(kind="prediction").values_list("id", flat=True)
    assert set(landed) == set(audited.values_list("id", flat=True))


def test_unsure_predictions_land_for_the_digest() -> None:
    project, _ = served_project(pool_margin=0.2)
    client = api_client(make_key(project))
    sure = post(client, project, {"text": "great food lovely staff tasty soup"}).json()
    unsure = post(client, project, {"text": "unheard of words"}).json()
    assert abs(sure["confidence"] - 0.5) > 0.1 > abs(unsure["confidence"] - 0.5)
    assert [str(one.id) for one in Landed.objects.all()] == [unsure["prediction_id"]]


def test_feedback_finds_the_prediction_it_is_about() -> None:
    project, client = _test_of_two(0.5)
    served = post(client, project, {"text": "great food", "subject": "anna"}).json()
    body = feedback_body(served["prediction_id"], rating="down", subject="anna")
    assert post(client, project, body, "feedback").json()["status"] == "accepted"
    row = Feedback.objects.get()
    prediction = Prediction.objects.get()
    assert (row.arm, row.rollout_id) == (served["arm"], prediction.rollout_id)
    assert row.subject_hash == prediction.subject_hash


def test_a_scope_is_asked_for() -> None:
    project, _ = served_project()
    client = api_client(make_key(project, Scope.FEEDBACK))
    assert post(client, project, {"text": "soup"}).status_code == 403
    assert post(client, project, {"items": []}, "predictions/batch").status_code == 403


def test_predictions_are_counted_by_version_and_arm() -> None:
    project, _ = served_project()
    client = api_client(make_key(project))
    for _ in range(3):
        post(client, project, {"text": "soup"})
    labels = {"project": project.slug, "model_version": "v1", "arm": ""}
    assert REGISTRY.get_sample_value("hub_predictions_total", labels) == 3
    labels = {"project": project.slug, "arm": ""}
    assert REGISTRY.get_sample_value("hub_prediction_scoring_seconds_count", labels) == 3


def test_nobody_can_foretell_an_audit_from_the_answer() -> None:
    project, _ = served_project(audit_share=0.5)
    client = api_client(make_key(project, Scope.PREDICT))
    post(
        client, project, {"items": [{"text": f"text {n}"} for n in range(200)]}, "predictions/batch"
    )
    foretold = [
        in_audit(salt=f"project-{project.pk}", prediction_id=row.id, share=0.5) == row.is_audit
        for row in Prediction.objects.all()
    ]
    # As often right as a coin, within five standard deviations of 200 throws.
    assert 65 < sum(foretold) < 135
