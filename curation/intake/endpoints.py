"""What every endpoint under ``/api/v1/projects/{project}/`` has in common."""

import logging
from typing import Any, ClassVar

import msgspec
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from curation.intake.authentication import ApiKeyAuthentication
from curation.intake.bodies import read_body
from curation.intake.facts import ProjectFacts, project_facts
from curation.intake.throttling import SourceThrottle
from curation.models import Project
from feedbackhub.core.keys import KeyHolder
from feedbackhub.core.problems import Problem

logger = logging.getLogger(__name__)

JSON = "application/json"
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonl")


_RENDERER = JSONRenderer()
_ANYTHING = frozenset({"", "*/*", JSON})


class ProjectEndpoint(APIView):
    """An endpoint of one project, opened by a key of that project.

    Subclasses name the scope in ``permission_classes = [has_scope(Scope.X)]``.
    """

    authentication_classes = [ApiKeyAuthentication]
    throttle_classes = [SourceThrottle]
    content_types: ClassVar[tuple[str, ...]] = (JSON,)

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """The request as endpoints see it; bodies are read by :meth:`body`."""
        return Request(request, authenticators=self.get_authenticators())

    def perform_content_negotiation(
        self, request: Request, force: bool = False
    ) -> tuple[BaseRenderer, str]:
        """JSON for who asks for it or for anything; DRF weighs what others ask for."""
        if request._request.META.get("HTTP_ACCEPT", "") in _ANYTHING:
            return _RENDERER, JSON
        negotiated: tuple[BaseRenderer, str] = super().perform_content_negotiation(request, force)
        return negotiated

    def check_permissions(self, request: Request) -> None:
        """Tell a project that is not there (404) from one the key does not open (403)."""
        slug = self.kwargs["project"]
        if (
            isinstance(request.user, KeyHolder)
            and request.user.project_slug != slug
            and not Project.objects.filter(slug=slug).exists()
        ):
            raise Problem(404, f"There is no project `{slug}`.")
        super().check_permissions(request)

    def handle_exception(self, error: Exception) -> Response:
        """A lost database is the hub's fault and passes: 503, send it again."""
        if isinstance(error, OperationalError | InterfaceError):
            logger.exception("The database could not be used.")
            error = Problem(503, "The database cannot be used just now; send it again.", wait=1)
        return super().handle_exception(error)

    @property
    def holder(self) -> KeyHolder:
        """Who calls."""
        assert isinstance(self.request.user, KeyHolder)
        return self.request.user

    def facts(self) -> ProjectFacts:
        """The project in the path."""
        return project_facts(self.holder.project_id)

    def body(self) -> bytes:
        """The request's bytes, unpacked; raises 415 for another content type, 413 beyond limits."""
        request = self.request._request
        if request.content_type not in self.content_types:
            named = request.content_type or "none"
            raise Problem(
                415, f"Send `Content-Type: {' or '.join(self.content_types)}`; this is {named}."
            )
        return read_body(request)

    def is_ndjson(self) -> bool:
        """Whether the body is one object a line."""
        return self.request._request.content_type in NDJSON


def answer(body: Any, *, status: int = 200) -> HttpResponse:
    """A JSON answer straight from msgspec, past DRF's rendering."""
    return HttpResponse(msgspec.json.encode(body), status=status, content_type=JSON)
