"""The words that moved the model, for those who have answered: over the session and by key."""

import msgspec
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request

from curation.intake.endpoints import ProjectEndpoint, answer
from curation.models import Project
from curation.review.rest import member_named
from curation.review.shown import NotAnswered, shown_item
from feedbackhub.core.keys import Scope, has_scope
from feedbackhub.core.models import User
from feedbackhub.core.openapi import problems, schema_of
from feedbackhub.core.problems import Problem, problem_response
from feedbackhub.core.roles import Can
from training.artifacts import BadArtifact
from training.explain import Explanation, NoModel, explain_shown


class MovingWord(msgspec.Struct, frozen=True):
    """One word and how far it moved the model."""

    word: str
    weight: float
    """Towards the label when positive."""


class WordsAnswer(msgspec.Struct, frozen=True):
    """What moved the version that answered."""

    label: str
    model_version: str
    words: list[MovingWord]


@never_cache
@require_safe
def item_words(request: HttpRequest, project: str, item: int) -> HttpResponse:
    """The words behind the prediction of an item the person signed in has answered."""
    user = request.user
    if not isinstance(user, User) or not user.is_active:
        return problem_response(401, "You are signed out. Sign in and look again.")
    found = Project.objects.visible_to(user).filter(slug=project).first()
    if found is None:
        return problem_response(404, f"You are no member of a project {project}.")
    try:
        return answer(_words(found, user, item))
    except Problem as problem:
        return problem_response(problem.status_code, str(problem), problem.errors)
    except PermissionDenied as denied:
        return problem_response(403, str(denied))


class ItemWordsView(ProjectEndpoint):
    """The words behind the prediction of an item."""

    permission_classes = [has_scope(Scope.REVIEW)]

    @extend_schema(
        operation_id="get_review_item_words",
        summary="Ask which words moved the model",
        description=(
            "Of an item that `annotator` has answered; 403 before that. The weights are exact "
            "shares of a linear model's logit; of any other model, what the label's probability "
            "loses without the word."
        ),
        tags=["review"],
        parameters=[OpenApiParameter("annotator", str, required=True)],
        responses={
            200: OpenApiResponse(schema_of(WordsAnswer), "The strongest words first."),
            **problems(400),
        },
    )
    def get(self, request: Request, project: str, item: int) -> HttpResponse:
        """Explain one item."""
        found = self.facts().project
        annotator = member_named(found, request.query_params.get("annotator", ""))
        return answer(_words(found, annotator, item))


def _words(project: Project, user: User, item: int) -> WordsAnswer:
    project.require(user, Can.REVIEW)
    try:
        shown = shown_item(project=project, item_id=item, user=user)
    except NotAnswered as refusal:
        raise Problem(403, str(refusal)) from refusal
    if shown is None:
        raise Problem(404, "The text was erased; nothing is left to explain.")
    try:
        return _wire(explain_shown(project=project, shown=shown))
    except (NoModel, BadArtifact) as refusal:
        raise Problem(404, str(refusal)) from refusal


def _wire(said: Explanation) -> WordsAnswer:
    words = [MovingWord(word, round(weight, 4)) for word, weight in said.words]
    return WordsAnswer(said.label, said.model_version, words)
