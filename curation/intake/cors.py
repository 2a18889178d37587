"""Which web pages may call the API from a browser: each source lists their origins.

A preflight comes without a key, so it is answered when any active source of the project allows the
origin. The answers themselves name the origin only when the source of the request's own key allows
it; without that the browser keeps them from the page.
"""

import re
import time
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from curation.models import Source
from feedbackhub.core.keys import KeyHolder
from feedbackhub.core.problems import problem_response

SECONDS_FRESH = 1.0
MOST_REMEMBERED = 1_000
# Browsers ask again after this; a withdrawn origin is refused by the answers at once.
PREFLIGHT_SECONDS = 600
_PATH = re.compile(r"^/api/v1/projects/([-\w]+)/")

_known: dict[str, tuple[float, frozenset[str]]] = {}

Answer = Callable[[HttpRequest], HttpResponse]


class CorsMiddleware:
    """Answers preflights below ``/api/v1/projects/`` and lets allowed pages read the rest."""

    def __init__(self, get_response: Answer) -> None:
        """Wrap the rest of the hub."""
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a preflight here; mark what the endpoints answer."""
        found = _PATH.match(request.path_info)
        if found is None:
            return self._get_response(request)
        origin = request.META.get("HTTP_ORIGIN")
        if origin and request.method == "OPTIONS" and _ASKED in request.META:
            response = _preflight(found[1], origin)
        else:
            response = self._get_response(request)
            holder = getattr(request, "user", None)
            if origin and isinstance(holder, KeyHolder) and origin in holder.allowed_origins:
                response["Access-Control-Allow-Origin"] = origin
                response["Access-Control-Expose-Headers"] = "Retry-After"
        # Shared caches must not hand one page the answer for another.
        patch_vary_headers(response, ["Origin"])
        return response


_ASKED = "HTTP_ACCESS_CONTROL_REQUEST_METHOD"


def _preflight(project: str, origin: str) -> HttpResponse:
    try:
        is_allowed = origin in _origins_of(project)
    except (OperationalError, InterfaceError):
        connection.close()
        return problem_response(503, "The database cannot be used just now; send it again.")
    if not is_allowed:
        # The origin is not repeated: it is whatever the caller wrote.
        return problem_response(403, "No source of this project allows calls from this origin.")
    response = HttpResponse(status=204)
    response["Access-Control-Allow-Origin"] = origin
    response["Access-Control-Allow-Methods"] = "GET, POST"
    response["Access-Control-Allow-Headers"] = "authorization, content-type, content-encoding"
    response["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
    return response


def _origins_of(project: str) -> frozenset[str]:
    """The origins that the active sources of a project allow, at most a second old."""
    moment = time.monotonic()
    known = _known.get(project)
    if known is not None and known[0] > moment:
        return known[1]
    sources = Source.objects.filter(project__slug=project, is_active=True)
    lists = sources.values_list("allowed_origins", flat=True)
    origins = frozenset(origin for each in lists for origin in each)
    if len(_known) >= MOST_REMEMBERED:
        _known.clear()
    _known[project] = (moment + SECONDS_FRESH, origins)
    return origins


def forget() -> None:
    """Ask the database anew, as after a second."""
    _known.clear()
