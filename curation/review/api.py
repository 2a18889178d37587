"""The queue engine for the review page: JSON over the session, with CSRF protection."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import msgspec
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.request import RawPostDataException
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from curation.intake.reading import read_one
from curation.models import Project
from curation.review import shapes, wire
from feedbackhub.core.clock import utcnow
from feedbackhub.core.models import User
from feedbackhub.core.problems import Problem, problem_response

Body = TypeVar("Body", bound=msgspec.Struct)
Rest = ParamSpec("Rest")
Handler = Callable[Concatenate[Project, User, Body, Rest], Any]
View = Callable[..., HttpResponse]


def review_view(kind: type[Body]) -> Callable[[Handler[Body, Rest]], View]:
    """A view of one project that reads a ``kind`` and answers JSON; refusals leave as problems."""

    def decorate(handler: Handler[Body, Rest]) -> View:
        @wraps(handler)
        def view(request: HttpRequest, project: str, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                user = _user(request)
                answer = handler(
                    _project(user, project), user, _body(request, kind), *args, **kwargs
                )
            except Problem as problem:
                return problem_response(problem.status_code, str(problem), problem.errors)
            except PermissionDenied as denied:
                return problem_response(403, str(denied))
            return HttpResponse(msgspec.json.encode(answer), content_type="application/json")

        return never_cache(require_POST(view))

    return decorate


@review_view(shapes.ClaimBody)
def claim(project: Project, user: User, body: shapes.ClaimBody) -> shapes.ClaimAnswer:
    """Reserve items for the person signed in."""
    return wire.claim(project=project, user=user, body=body, now=utcnow())


@review_view(shapes.SubmitBody)
def submit(project: Project, user: User, body: shapes.SubmitBody, item: int) -> shapes.SubmitAnswer:
    """Take an answer and reveal what was hidden."""
    return wire.submit(project=project, user=user, item=item, body=body, now=utcnow())


@review_view(shapes.SkipBody)
def skip(project: Project, user: User, body: shapes.SkipBody, item: int) -> shapes.SkipAnswer:
    """Pass an item on to others."""
    return wire.skip(project=project, user=user, item=item, body=body, now=utcnow())


@review_view(shapes.UndoBody)
def undo(project: Project, user: User, body: shapes.UndoBody) -> shapes.UndoAnswer:
    """Take the last answer, or the one with a key, back."""
    return wire.undo(project=project, user=user, body=body, now=utcnow())


@review_view(shapes.ItemsBody)
def heartbeat(project: Project, user: User, body: shapes.ItemsBody) -> shapes.HeartbeatAnswer:
    """Keep leases alive."""
    return wire.heartbeat(project=project, user=user, body=body, now=utcnow())


@review_view(shapes.ItemsBody)
def release(project: Project, user: User, body: shapes.ItemsBody) -> shapes.ReleaseAnswer:
    """Give leases back."""
    return wire.release(project=project, user=user, body=body, now=utcnow())


@review_view(shapes.PreferencesBody)
def preferences(
    project: Project, user: User, body: shapes.PreferencesBody
) -> shapes.PreferencesAnswer:
    """Keep the keys and the goal of the person signed in."""
    return wire.preferences(project=project, user=user, body=body, now=utcnow())


@review_view(shapes.NoBody)
def guideline(project: Project, user: User, body: shapes.NoBody) -> shapes.GuidelineAnswer:
    """The guidelines in force."""
    return wire.guideline(project=project, user=user)


def _user(request: HttpRequest) -> User:
    user = request.user
    if not isinstance(user, User) or not user.is_active:
        raise Problem(401, "You are signed out. Sign in and send it again; nothing is lost.")
    return user


def _project(user: User, slug: str) -> Project:
    """The project, if the user may know of it."""
    project = Project.objects.visible_to(user).filter(slug=slug).first()
    if project is None:
        raise Problem(404, f"You are no member of a project {slug}.")
    return project


def _body(request: HttpRequest, kind: type[Body]) -> Body:
    try:
        return read_one(request.body or b"{}", kind)
    except RequestDataTooBig:
        raise Problem(413, "That is too large to send.") from None
    except RawPostDataException:  # A form, which was read as one on the way here.
        raise Problem(415, "Send `Content-Type: application/json`.") from None
