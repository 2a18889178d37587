"""A project that masks stores no address and no number, whichever door a text comes through."""

import json
from typing import Any

import pytest

from curation.digest.normalise import content_hash
from curation.digest.services import digest
from curation.intake import authentication, facts
from curation.intake.importing import import_samples
from curation.intake.landing import Outcome, land_feedback
from curation.intake.schemas import ExternalPrediction, FeedbackRequest, SampleRequest
from curation.models import Feedback, FeedbackOutcome, Prediction, Project, RejectedEvent, Sample
from feedbackhub.core.keys import Scope
from rollout.serving import plan
from tests.factories import NOW, api_client, make_key, make_project, make_source, make_version

pytestmark = pytest.mark.django_db
TEXT = "Cold soup. Ring me: +44 20 7946 0958, ann@example.org, 4111 1111 1111 1111."
MASKED = "Cold soup. Ring me: [phone], [email], [card]."


@pytest.fixture(autouse=True)
def fresh() -> None:
    authentication.forget()
    facts.forget()
    plan.forget()


def post(project: Project, path: str, body: Any, scope: Scope) -> Any:
    client = api_client(make_key(project, scope))
    url = f"/api/v1/projects/{project.slug}/{path}"
    return client.post(url, data=json.dumps(body), content_type="application/json")


def test_a_served_text_is_scored_as_it_is_and_stored_masked() -> None:
    project = make_project(mask_personal_data=True)
    plain = make_project()
    for each in (project, plain):
        make_version(each)
    body = {"text": TEXT, "metadata": {"note": "ann@example.org", "table": 4}}

    answer = post(project, "predictions", body, Scope.PREDICT).json()
    unmasked = post(plain, "predictions", body, Scope.PREDICT).json()

    row = Prediction.objects.get(pk=answer["prediction_id"])
    assert row.text == MASKED
    assert row.metadata == {"note": "[email]", "table": 4}
    assert bytes(row.content_hash) == content_hash(MASKED)
    assert answer["probabilities"] == unmasked["probabilities"]
    assert Prediction.objects.get(pk=unmasked["prediction_id"]).text == TEXT


def test_feedback_and_the_sample_it_makes_are_masked_and_found_by_the_masked_text() -> None:
    project = make_project(mask_personal_data=True)
    event = FeedbackRequest(
        event_id="e",
        rating="down",
        comment="Write to ann@example.org",
        prediction=ExternalPrediction(text=TEXT, label="positive"),
    )
    results = [
        land_feedback(project=project, source_id=1, events=[event], now=NOW)[0] for _ in range(2)
    ]
    digest(now=NOW)

    assert [each.outcome for each in results] == [Outcome.LANDED, Outcome.DUPLICATE]
    assert Feedback.objects.get().comment == "Write to [email]"
    sample = Sample.objects.get()
    assert (sample.text, bytes(sample.content_hash)) == (MASKED, content_hash(MASKED))
    assert FeedbackOutcome.objects.get().sample_id == sample.pk


def test_imported_texts_are_masked() -> None:
    project = make_project(mask_personal_data=True)
    import_samples(project=project, samples=[SampleRequest(text=TEXT)], now=NOW)
    assert Sample.objects.get().text == MASKED


@pytest.mark.parametrize("cut", [0, 1], ids=["json", "broken json"])
def test_a_rejected_payload_is_masked_and_keeps_its_event_id(cut: int) -> None:
    project = make_project(mask_personal_data=True)
    client = api_client(make_key(project, Scope.FEEDBACK, source=make_source(project)))
    body = json.dumps({"event_id": "order 0171", "rating": "sideways", "comment": TEXT})
    client.post(
        f"/api/v1/projects/{project.slug}/feedback",
        data=body[: len(body) - cut],
        content_type="application/json",
    )
    payload = RejectedEvent.objects.get().payload
    assert MASKED in payload
    assert "order 0171" in payload
