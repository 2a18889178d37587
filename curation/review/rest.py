"""The queue engine for programs: the same use cases, by API key, on behalf of an annotator.

Each body is the page's, plus ``annotator``: the username of a member of the project.
"""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from msgspec import Meta
from rest_framework.request import Request

from curation.intake.endpoints import JSON, ProjectEndpoint, answer
from curation.intake.reading import read_one
from curation.models import Project
from curation.review import shapes, wire
from feedbackhub.core.clock import utcnow
from feedbackhub.core.keys import Scope, has_scope
from feedbackhub.core.models import User
from feedbackhub.core.openapi import problems, schema_of
from feedbackhub.core.problems import Problem

Annotator = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=150,
        pattern=r"^[^\x00]*$",
        description="Username of the member who answers.",
    ),
]


class ClaimFor(shapes.ClaimBody, frozen=True, kw_only=True):
    """How many items, for whom; a queue, of which senior annotators alone may ask."""

    annotator: Annotator


class SubmitFor(shapes.SubmitBody, frozen=True, kw_only=True):
    """One answer of an annotator."""

    annotator: Annotator


class SkipFor(shapes.SkipBody, frozen=True, kw_only=True):
    """One item an annotator passes on."""

    annotator: Annotator


class UndoFor(shapes.UndoBody, frozen=True, kw_only=True):
    """What an annotator takes back."""

    annotator: Annotator


class ItemsFor(shapes.ItemsBody, frozen=True, kw_only=True):
    """Leases an annotator keeps or gives back."""

    annotator: Annotator


Body = TypeVar("Body", ClaimFor, SubmitFor, SkipFor, UndoFor, ItemsFor)


class ReviewEndpoint(ProjectEndpoint):
    """An endpoint that acts for an annotator."""

    permission_classes = [has_scope(Scope.REVIEW)]

    def act(self, kind: type[Body], use_case: Callable[..., Any], **params: int) -> HttpResponse:
        """Read a ``kind``, find its annotator, and answer with what the use case says."""
        body = read_one(self.body(), kind)
        project = self.facts().project
        outcome = use_case(
            project=project,
            user=member_named(project, body.annotator),
            body=body,
            now=utcnow(),
            **params,
        )
        return answer(outcome)


class ClaimView(ReviewEndpoint):
    """Reserving items."""

    @extend_schema(
        operation_id="claim_review_items",
        summary="Reserve items to answer",
        description=(
            "Those the annotator holds come first. An item shows nothing but its text: prediction, "
            "votes and queue arrive in the answer to its submission. Without `queue` each is drawn "
            "from all of them; only a senior annotator may name one. `empty` says why there is "
            "nothing to do."
        ),
        tags=["review"],
        request={JSON: schema_of(ClaimFor)},
        responses={
            200: OpenApiResponse(schema_of(shapes.ClaimAnswer), "What the annotator holds."),
            **problems(400, 413, 415),
        },
    )
    def post(self, request: Request, project: str) -> HttpResponse:
        """Reserve items."""
        return self.act(ClaimFor, wire.claim)


class SubmitView(ReviewEndpoint):
    """Answering one item."""

    @extend_schema(
        operation_id="submit_review_item",
        summary="Answer an item",
        description=(
            "Sending the same `submission_key` again is safe and gets the same answer. A late "
            "answer takes a free slot, or is kept as `extra`; one given after an undo is kept as "
            "`unblinded`."
        ),
        tags=["review"],
        request={JSON: schema_of(SubmitFor)},
        responses={
            200: OpenApiResponse(schema_of(shapes.SubmitAnswer), "It was taken."),
            **problems(400, 409, 413, 415),
        },
    )
    def post(self, request: Request, project: str, item: int) -> HttpResponse:
        """Take an answer."""
        return self.act(SubmitFor, wire.submit, item=item)


class SkipView(ReviewEndpoint):
    """Passing one item on."""

    @extend_schema(
        operation_id="skip_review_item",
        summary="Pass an item on",
        description="Two annotators who skip for `spam`, or two for `unclear`, close the item.",
        tags=["review"],
        request={JSON: schema_of(SkipFor)},
        responses={
            200: OpenApiResponse(schema_of(shapes.SkipAnswer), "It was passed on."),
            **problems(400, 409, 413, 415),
        },
    )
    def post(self, request: Request, project: str, item: int) -> HttpResponse:
        """Pass an item on."""
        return self.act(SkipFor, wire.skip, item=item)


class UndoView(ReviewEndpoint):
    """Taking back."""

    @extend_schema(
        operation_id="undo_review",
        summary="Take an answer or a skip back",
        description=(
            "The newest, or the one with `submission_key`, among the annotator's last 20 of one "
            "day. The label that rested on it is withdrawn and the item opened again."
        ),
        tags=["review"],
        request={JSON: schema_of(UndoFor)},
        responses={
            200: OpenApiResponse(schema_of(shapes.UndoAnswer), "What was taken back."),
            **problems(400, 409, 413, 415),
        },
    )
    def post(self, request: Request, project: str) -> HttpResponse:
        """Take back."""
        return self.act(UndoFor, wire.undo)


class HeartbeatView(ReviewEndpoint):
    """Keeping leases alive."""

    @extend_schema(
        operation_id="keep_review_items",
        summary="Keep reservations alive",
        description="None lives longer than 30 minutes; items the answer does not name are lost.",
        tags=["review"],
        request={JSON: schema_of(ItemsFor)},
        responses={
            200: OpenApiResponse(schema_of(shapes.HeartbeatAnswer), "Which live on."),
            **problems(400, 413, 415),
        },
    )
    def post(self, request: Request, project: str) -> HttpResponse:
        """Extend leases."""
        return self.act(ItemsFor, wire.heartbeat)


class ReleaseView(ReviewEndpoint):
    """Giving leases back."""

    @extend_schema(
        operation_id="release_review_items",
        summary="Give reservations back",
        tags=["review"],
        request={JSON: schema_of(ItemsFor)},
        responses={
            200: OpenApiResponse(schema_of(shapes.ReleaseAnswer), "How many were given back."),
            **problems(400, 413, 415),
        },
    )
    def post(self, request: Request, project: str) -> HttpResponse:
        """Release leases."""
        return self.act(ItemsFor, wire.release)


def member_named(project: Project, username: str) -> User:
    """The active member a key acts for. Raises :class:`Problem` (400) when there is none."""
    found = User.objects.filter(
        username=username, is_active=True, memberships__project=project
    ).first()
    if found is None:
        message = f"“{username}” is no active member of this project"
        raise Problem(400, f"{message}.", [{"field": "annotator", "message": message}])
    return found
