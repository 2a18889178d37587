"""Rollouts over HTTP: look at them, and take the same steps as on the page."""

from typing import Annotated, Literal

import msgspec
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request

from curation.intake.endpoints import JSON, ProjectEndpoint, answer
from curation.intake.reading import read_one
from feedbackhub.core.clock import utcnow
from feedbackhub.core.keys import Scope, has_scope
from feedbackhub.core.openapi import example, problems, schema_of
from feedbackhub.core.problems import Problem
from feedbackhub.core.transitions import StaleTransition
from rollout import queries, steps
from rollout.answers import RolloutDetail, RolloutList, rollout_answer, rollout_detail
from rollout.models import Rollout
from rollout.steps import Refused, Step

A_PAGE = 50
BEFORE = OpenApiParameter(
    "before", OpenApiTypes.INT, description="Only rollouts with a smaller id, for the next page."
)
WISH = {"expected_state": "ab_test", "reason": "Better on the audit labels for three days."}


class StepRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a step is taken, and the state of the rollout it was decided on."""

    expected_state: Literal["waiting", "ab_test", "paused", "promoted", "rolled_back", "cancelled"]
    reason: Annotated[
        str,
        msgspec.Meta(
            min_length=1,
            max_length=1000,
            pattern=r"^\s*[^\s\x00][^\x00]*$",
            description="Kept in the history for whoever comes after you.",
        ),
    ]


class _RolloutEndpoint(ProjectEndpoint):
    permission_classes = [has_scope(Scope.MANAGE)]

    def rollout(self, pk: int) -> Rollout:
        """A rollout of the project in the path; raises 404."""
        project = self.facts().project
        found = queries.rollouts(project=project).filter(pk=pk).first()
        if found is None:
            raise Problem(404, f"There is no rollout {pk} in this project.")
        return found

    def detail(self, rollout: Rollout) -> HttpResponse:
        """A rollout as it stands now."""
        standing = queries.standing(project=rollout.project)
        return answer(
            rollout_detail(
                rollout,
                evidence=queries.latest_evidence(rollout=rollout),
                offers=steps.offers(rollout=rollout, standing=standing),
            )
        )


class RolloutListView(_RolloutEndpoint):
    """The rollouts of a project."""

    @extend_schema(
        operation_id="get_rollouts",
        summary="List rollouts, latest first",
        tags=["rollouts"],
        parameters=[BEFORE],
        responses={200: OpenApiResponse(schema_of(RolloutList), "A page."), **problems(400)},
    )
    def get(self, request: Request, project: str) -> HttpResponse:
        """A page of them."""
        found = queries.rollouts(project=self.facts().project).order_by("-id")
        before = request.query_params.get("before")
        if before is not None:
            if not (before.isascii() and before.isdigit() and len(before) < 19):
                raise Problem(400, "`before` must be the id of a rollout.")
            found = found.filter(pk__lt=int(before))
        page = list(found[: A_PAGE + 1])
        more = page[A_PAGE - 1].pk if len(page) > A_PAGE else None
        return answer(
            RolloutList(results=[rollout_answer(each) for each in page[:A_PAGE]], next_before=more)
        )


class RolloutView(_RolloutEndpoint):
    """One rollout."""

    @extend_schema(
        operation_id="get_rollout",
        summary="Get a rollout with its evidence and the steps it may take",
        tags=["rollouts"],
        responses={200: OpenApiResponse(schema_of(RolloutDetail), "It."), **problems()},
    )
    def get(self, request: Request, project: str, pk: int) -> HttpResponse:
        """The rollout as it stands."""
        return self.detail(self.rollout(pk))


class _StepEndpoint(_RolloutEndpoint):
    def take(self, pk: int, step: Step | None) -> HttpResponse:
        """Take ``step``, or without one the next, and answer with the rollout after it."""
        wish = read_one(self.body(), StepRequest)
        rollout = self.rollout(pk)
        standing = queries.standing(project=rollout.project)
        try:
            steps.take(
                step or steps.next_step(rollout=rollout, standing=standing),
                rollout=rollout,
                expected=wish.expected_state,
                actor=self.holder.actor,
                reason=wish.reason.strip(),
                now=utcnow(),
            )
        except StaleTransition as stale:
            said = steps.moved_on(rollout, stale=stale, expected=wish.expected_state)
            raise Problem(409, said) from None
        except Refused as refusal:
            raise Problem(409, str(refusal)) from None
        return self.detail(self.rollout(pk))


def _step_view(name: str, *, step: Step | None, summary: str) -> type[_StepEndpoint]:
    """An endpoint of its own for each step, so that the document names each."""

    class StepView(_StepEndpoint):
        @extend_schema(
            operation_id=f"post_rollout_{name}",
            summary=summary,
            description=(
                "`expected_state` is the state you decided on: when the rollout has moved since, "
                "or the step is refused, the answer is 409, says why, and nothing was changed."
            ),
            tags=["rollouts"],
            request={JSON: schema_of(StepRequest)},
            responses={
                200: OpenApiResponse(schema_of(RolloutDetail), "Done; the rollout after it."),
                **problems(400, 409, 413, 415),
            },
            examples=[example("A reason", WISH)],
        )
        def post(self, request: Request, project: str, pk: int) -> HttpResponse:
            return self.take(pk, step)

    return StepView


STEP_VIEWS = {
    "start": _step_view("start", step=Step.START, summary="Start the A/B test"),
    "advance": _step_view("advance", step=None, summary="Take the next step a person may take"),
    "pause": _step_view("pause", step=Step.PAUSE, summary="Pause: the champion answers everyone"),
    "resume": _step_view("resume", step=Step.RESUME, summary="Go on after a pause"),
    "promote": _step_view("promote", step=Step.PROMOTE, summary="Make the candidate champion"),
    "rollback": _step_view("rollback", step=Step.ROLL_BACK, summary="Take the candidate out"),
}
