"""Generated requests to every operation of the OpenAPI document, valid and invalid ones.

None breaks the hub, and every answer is one that the document describes.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import msgspec
import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import booleans
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from curation.intake import authentication, facts, throttling
from curation.intake.landing import land_feedback
from curation.intake.schemas import FeedbackRequest
from curation.models import Project
from feedbackhub.core.roles import Role
from tests.curation.reviewing import open_item
from tests.factories import (
    NOW,
    api_client,
    feedback_body,
    make_key,
    make_member,
    make_prediction,
    make_project,
    make_rollout,
    make_version,
)

# Committed, as in production: inside the transaction of a test every error would break the rest.
pytestmark = pytest.mark.django_db(transaction=True)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
JSON = "application/json"
REDUCED, FULL = 8, 300


def operations(document: dict[str, Any]) -> Iterator[APIOperation[Any, Any, Any, Any]]:
    """Every operation of the document that needs a key."""
    schema = schemathesis.openapi.from_dict(document)
    schema.app = WSGIHandler()
    # Else it would write the key's header itself, with nonsense.
    schema.config.generation.update(with_security_parameters=False)
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path.startswith("/api/v1/"):
            yield operation


def require_contract(*, mode: GenerationMode, examples: int, is_random: bool) -> None:
    """Send ``examples`` requests to every operation and fail with all answers it does not have."""
    for module in (authentication, facts, throttling):
        module.forget()
    project = make_project(slug="generated")
    headers = {"Authorization": f"Api-Key {make_key(project)}"}
    known = things_of(project)
    document = Client().get("/api/schema/?format=json").json()
    faults: dict[str, str] = {}
    statuses: Counter[int] = Counter()
    names = []

    def send(case: Case, is_real: bool) -> None:
        case.path_parameters["project"] = project.slug
        if is_real:
            make_real(case, known)
        response = case.call(headers=headers)
        statuses[response.status_code] += 1
        case.validate_response(response, checks=CHECKS, headers=headers)

    for operation in operations(document):
        names.append(operation.label)
        generated = given(operation.as_strategy(generation_mode=mode), booleans())(send)
        try:
            settings(
                max_examples=examples,
                deadline=None,
                database=None,
                derandomize=not is_random,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )(generated)()
        except* Unsatisfiable:
            # Nothing about it can be wrong: only the project in its path, which is kept.
            assert mode == GenerationMode.NEGATIVE
        except* Failure as failures:
            faults[operation.label] = "\n".join(str(each) for each in failures.exceptions)
    assert not faults, "\n\n".join(f"{name}: {what}" for name, what in faults.items())
    assert len(names) > 20
    assert statuses[401] == statuses[403] == 0
    if mode == GenerationMode.POSITIVE:
        # Enough of them got past the look-ups to mean something.
        assert statuses[200] + statuses[201] > len(names) * examples / 10, statuses


def things_of(project: Project) -> dict[str, Any]:
    """One of each thing that requests name, by the parameter or field that names it."""
    version = make_version(project)
    prediction = make_prediction(project)
    thumb = msgspec.convert(feedback_body(prediction.id), FeedbackRequest)
    land_feedback(project=project, source_id=1, events=[thumb], now=NOW)
    return {
        "id": make_rollout(make_version(project, status="blessed"), version).pk,
        "item": open_item(project).pk,
        "event_id": thumb.event_id,
        # A senior may name the queue; with anyone else a claim that does is refused.
        "annotator": make_member(project, Role.SENIOR).username,
        "prediction_id": str(prediction.pk),
    }


def make_real(case: Case, known: dict[str, Any]) -> None:
    """Let a request name things that exist."""
    for name in known.keys() & case.path_parameters.keys():
        case.path_parameters[name] = known[name]
    if isinstance(case.body, dict):
        for name in known.keys() & case.body.keys() - {"event_id"}:
            case.body[name] = known[name]


@pytest.mark.parametrize("mode", GenerationMode, ids=str)
def test_generated_requests_meet_the_contract(mode: GenerationMode) -> None:
    require_contract(mode=mode, examples=REDUCED, is_random=False)


def test_ids_beyond_all_rows_are_not_found() -> None:
    project = make_project()
    client = api_client(make_key(project))
    annotator = make_member(project).username
    bodies = {
        "submit": {"annotator": annotator, "submission_key": str(uuid4()), "value": "positive"},
        "skip": {"annotator": annotator, "submission_key": str(uuid4()), "reason": "unclear"},
    }
    base = f"/api/v1/projects/{project.slug}"
    for huge in (2**63, 10**30, "9" * 4_400):
        for name, body in bodies.items():
            address = f"{base}/review/{huge}/{name}"
            assert client.post(address, body, content_type=JSON).status_code == 404
        for name in ("training-runs", "rollouts"):
            assert client.get(f"{base}/{name}/{huge}").status_code == 404
        assert client.get(f"{base}/rollouts", {"before": huge}).status_code == 400


@pytest.mark.soak
@pytest.mark.parametrize("mode", GenerationMode, ids=str)
def test_many_generated_requests_meet_the_contract(mode: GenerationMode) -> None:
    require_contract(mode=mode, examples=FULL, is_random=True)
