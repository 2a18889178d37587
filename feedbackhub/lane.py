"""A lane of their own for calls of the REST API, past what only pages need.

Sessions, CSRF tokens, messages and nonces serve a browser that shows pages. A call with a key needs
none of them, and they cost it more than landing a thumb does in Python. What guards every request
(HTTPS, allowed hosts, CORS) stands before the lane or in it.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import cast

from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.urls import ResolverMatch, get_resolver

PREFIX = "/api/v1/"
# Each source calls a handful of addresses; those with an id in them pass through.
ADDRESSES_REMEMBERED = 512
# An answer is data: whatever a browser makes of it, it loads nothing and stands in no frame.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
}

Endpoint = Callable[[HttpRequest], HttpResponseBase]


class ApiLaneMiddleware:
    """Calls the endpoint itself for addresses below ``/api/v1/``; the rest goes on to the pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Wrap the middleware of the pages."""
        self._get_response = get_response
        # Only asynchronous handlers get something to await.
        self._call = cast(Endpoint, convert_exception_to_response(self._endpoint))
        self._resolve = lru_cache(ADDRESSES_REMEMBERED)(_resolve)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a call, or pass the request on."""
        if not request.path_info.startswith(PREFIX):
            return self._get_response(request)
        response = self._call(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if isinstance(response, HttpResponse):
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response

    def _endpoint(self, request: HttpRequest) -> HttpResponseBase:
        # Raises for a host that is not ours, as the pages' middleware does.
        request.get_host()
        match = request.resolver_match = self._resolve(request.path_info)
        response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        return response.render() if isinstance(response, SimpleTemplateResponse) else response


def _resolve(path: str) -> ResolverMatch:
    return get_resolver().resolve(path)
