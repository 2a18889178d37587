"""Refusing NUL characters where pages are asked: Postgres can neither store nor compare them."""

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, QueryDict

NUL = "\x00"


class RefuseNulMiddleware:
    """Answers 400 to an address, a query or a form that holds a NUL, instead of failing later.

    Bodies below ``/api/`` are not forms: their types say what they take.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Look at what the views will read."""
        in_query = "%00" in request.META["QUERY_STRING"] and _has_nul(request.GET)
        if NUL in request.path_info or in_query:
            raise BadRequest("An address holds no NUL character.")
        is_form = request.method == "POST" and not request.path_info.startswith("/api/")
        if is_form and _has_nul(request.POST):
            raise BadRequest("A form holds no NUL character.")
        return self.get_response(request)


def _has_nul(given: QueryDict) -> bool:
    return any(NUL in value for _, values in given.lists() for value in values)
