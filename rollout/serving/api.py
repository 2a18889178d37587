"""Predictions over HTTP."""

from uuid import UUID

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from curation.intake.endpoints import JSON, ProjectEndpoint, answer
from curation.intake.reading import read_one, unfit
from curation.intake.schemas import (
    MAX_PREDICTIONS,
    PredictionBatch,
    PredictionRequest,
    metadata_faults,
)
from feedbackhub.core.clock import utcnow
from feedbackhub.core.keys import Scope, has_scope
from feedbackhub.core.openapi import example, problems, schema_of
from feedbackhub.core.problems import Problem
from rollout.serving.service import NoChampion, Served, predict

TEXT = {"text": "The soup was cold and nobody cared.", "subject": "user-4711"}
ANSWER = {
    "prediction_id": "0193a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b",
    "label": "negative",
    "confidence": 0.93,
    "probabilities": {"negative": 0.93, "positive": 0.07},
    "model_version": "v14",
    "arm": "control",
}


class PredictionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A served answer; ``prediction_id`` is what feedback refers to."""

    prediction_id: UUID
    label: str
    confidence: float
    probabilities: dict[str, float]
    model_version: str
    arm: str | None
    """``control`` or ``treatment`` while versions are compared, else null."""


class PredictionBatchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Served answers, in the order of the texts."""

    results: list[PredictionAnswer]


class _PredictionEndpoint(ProjectEndpoint):
    permission_classes = [has_scope(Scope.PREDICT)]

    def serve(self, items: list[PredictionRequest]) -> list[PredictionAnswer]:
        """Answers to checked texts; raises 503 without a model that can answer."""
        try:
            served = predict(
                project=self.facts().project,
                source_id=self.holder.source_id,
                items=items,
                now=utcnow(),
            )
        except NoChampion as error:
            raise Problem(503, f"{error} Train and promote a first version.") from None
        return [_answer(one) for one in served]


class PredictionView(_PredictionEndpoint):
    """One text."""

    @extend_schema(
        operation_id="post_prediction",
        summary="Classify one text",
        description=(
            "The answer is recorded before it is returned. A `subject` meets the same arm as long "
            "as an A/B test lasts."
        ),
        tags=["predictions"],
        request={JSON: schema_of(PredictionRequest)},
        responses={
            200: OpenApiResponse(schema_of(PredictionAnswer), "The answer."),
            **problems(400, 413, 415),
        },
        examples=[
            example("A review", TEXT),
            example("Its answer", ANSWER, status=200),
        ],
    )
    def post(self, request: Request, project: str) -> HttpResponse:
        """Classify the text."""
        item = read_one(self.body(), PredictionRequest)
        if errors := metadata_faults(item.metadata):
            raise unfit(errors)
        return answer(self.serve([item])[0])


class PredictionBatchView(_PredictionEndpoint):
    """Many texts."""

    @extend_schema(
        operation_id="post_predictions_batch",
        summary="Classify many texts",
        description=f"At most {MAX_PREDICTIONS:,} texts, answered in order; all or none.",
        tags=["predictions"],
        request={JSON: schema_of(PredictionBatch)},
        responses={
            200: OpenApiResponse(schema_of(PredictionBatchAnswer), "The answers, in order."),
            **problems(400, 413, 415),
        },
        examples=[
            example("Two reviews", {"items": [TEXT, {"text": "Lovely staff."}]}),
            example("Their answers", {"results": [ANSWER]}, status=200),
        ],
    )
    def post(self, request: Request, project: str) -> HttpResponse:
        """Classify the texts."""
        items = read_one(self.body(), PredictionBatch).items
        if len(items) > MAX_PREDICTIONS:
            raise Problem(
                413, f"At most {MAX_PREDICTIONS:,} items a request; this one has {len(items):,}."
            )
        errors = [
            {"field": f"items[{index}].{fault['field']}", "message": fault["message"]}
            for index, item in enumerate(items)
            for fault in metadata_faults(item.metadata)
        ]
        if errors:
            raise unfit(errors)
        return answer(PredictionBatchAnswer(results=self.serve(items)))


def _answer(served: Served) -> PredictionAnswer:
    return PredictionAnswer(
        prediction_id=served.prediction_id,
        label=served.label,
        confidence=served.confidence,
        probabilities=served.probabilities,
        model_version=served.model_version,
        arm=served.arm or None,
    )
