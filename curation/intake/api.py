"""Intake over HTTP: feedback, one by one and in batches, and samples to import."""

from functools import partial

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from curation.intake.addresses import address_hash
from curation.intake.answers import FeedbackAnswer, FeedbackBatchAnswer, SampleBatchAnswer
from curation.intake.endpoints import JSON, NDJSON, ProjectEndpoint, answer
from curation.intake.feedback import rejected_items, take_batch, take_one
from curation.intake.importing import import_samples
from curation.intake.landing import Outcome
from curation.intake.reading import read_many
from curation.intake.schemas import (
    MAX_FEEDBACK,
    MAX_SAMPLES,
    FeedbackRequest,
    SampleRequest,
    sample_faults,
)
from feedbackhub.core.clock import utcnow
from feedbackhub.core.keys import Scope, has_scope
from feedbackhub.core.openapi import example, problems, schema_of

THUMB = {
    "event_id": "0d5f3c9e-thumb-1",
    "prediction_id": "0193a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b",
    "rating": "down",
    "corrected_label": "negative",
    "comment": "It is irony.",
    "subject": "user-4711",
}
EXTERNAL_THUMB = {
    "event_id": "0d5f3c9e-thumb-2",
    "prediction": {"text": "Great, another cold pizza.", "label": "positive", "confidence": 0.71},
    "rating": "down",
}
ACCEPTED = {"event_id": "0d5f3c9e-thumb-1", "status": "accepted", "reasons": []}


class FeedbackView(ProjectEndpoint):
    """One thumb."""

    permission_classes = [has_scope(Scope.FEEDBACK)]

    @extend_schema(
        operation_id="post_feedback",
        summary="Post one feedback event",
        description=(
            "A thumb on a prediction the hub served (`prediction_id`), or on one described in "
            "`prediction` that a model elsewhere gave. Sending an event again with the same body "
            "is safe and gets the first answer; `quarantined` events are kept and not counted."
        ),
        tags=["feedback"],
        request={JSON: schema_of(FeedbackRequest)},
        responses={
            201: OpenApiResponse(schema_of(FeedbackAnswer), "It landed."),
            200: OpenApiResponse(schema_of(FeedbackAnswer), "It had landed before."),
            **problems(400, 409, 413, 415),
        },
        examples=[
            example("A thumb on a served prediction", THUMB),
            example("A thumb on a model served elsewhere", EXTERNAL_THUMB),
            example("Accepted", ACCEPTED, status=201),
            example("Repeated", ACCEPTED, status=200),
        ],
    )
    def post(self, request: Request, project: str) -> HttpResponse:
        """Land one event."""
        result = take_one(
            facts=self.facts(),
            source_id=self.holder.source_id,
            body=self.body(),
            now=utcnow(),
            address_hash=address_hash(request._request, holder=self.holder),
        )
        return answer(result.answer(), status=201 if result.outcome == Outcome.LANDED else 200)


class FeedbackBatchView(ProjectEndpoint):
    """Many thumbs."""

    permission_classes = [has_scope(Scope.FEEDBACK)]
    content_types = (JSON, *NDJSON)

    @extend_schema(
        operation_id="post_feedback_batch",
        summary="Post many feedback events",
        description=(
            f"A JSON array, or one object a line (`{NDJSON[0]}`); at most {MAX_FEEDBACK:,} events. "
            "Every event that can land does; the others are named in `rejected`. Sending the whole "
            "batch again is safe."
        ),
        tags=["feedback"],
        request={
            JSON: schema_of(list[FeedbackRequest]),
            NDJSON[0]: {"type": "string", "description": "One event a line."},
        },
        responses={
            200: OpenApiResponse(schema_of(FeedbackBatchAnswer), "What became of them."),
            **problems(400, 413, 415),
        },
        examples=[
            example("Two thumbs", [THUMB, EXTERNAL_THUMB]),
            example(
                "One of them is no label",
                {
                    "accepted": 1,
                    "quarantined": 0,
                    "duplicates": 0,
                    "rejected": [
                        {
                            "index": 1,
                            "errors": [{"field": "rating", "message": "must be `up` or `down`"}],
                        }
                    ],
                },
                status=200,
            ),
        ],
    )
    def post(self, request: Request, project: str) -> HttpResponse:
        """Land every event that can."""
        report = take_batch(
            facts=self.facts(),
            source_id=self.holder.source_id,
            body=self.body(),
            is_ndjson=self.is_ndjson(),
            now=utcnow(),
            address_hash=address_hash(request._request, holder=self.holder),
        )
        return answer(report)


class SampleBatchView(ProjectEndpoint):
    """Texts to import."""

    permission_classes = [has_scope(Scope.IMPORT)]
    content_types = (JSON, *NDJSON)

    @extend_schema(
        operation_id="post_samples_batch",
        summary="Import texts, with labels where they are known",
        description=(
            f"A JSON array, or one object a line; at most {MAX_SAMPLES:,} texts. A text the "
            "project has already keeps its place; importing again changes nothing."
        ),
        tags=["samples"],
        request={
            JSON: schema_of(list[SampleRequest]),
            NDJSON[0]: {"type": "string", "description": "One sample a line."},
        },
        responses={
            200: OpenApiResponse(schema_of(SampleBatchAnswer), "What became of them."),
            **problems(400, 413, 415),
        },
        examples=[
            example("A labelled text", [{"text": "The soup was cold.", "label": "negative"}]),
            example(
                "Imported",
                {"created": 1, "known": 0, "labelled": 1, "rejected": []},
                status=200,
            ),
        ],
    )
    def post(self, request: Request, project: str) -> HttpResponse:
        """Import every text that can be."""
        facts = self.facts()
        read = read_many(
            self.body(),
            SampleRequest,
            is_ndjson=self.is_ndjson(),
            limit=MAX_SAMPLES,
            faults=partial(sample_faults, labels=facts.labels),
        )
        samples = [sample for _, sample in read.taken]
        created = import_samples(project=facts.project, samples=samples, now=utcnow())
        return answer(
            SampleBatchAnswer(
                created=created,
                known=len(samples) - created,
                labelled=sum(1 for sample in samples if sample.label),
                rejected=rejected_items(read.refused),
            )
        )
