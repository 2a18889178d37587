"""Errors as RFC 9457 ``application/problem+json`` with an ``errors`` list of field and message."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

CONTENT_TYPE = "application/problem+json"
FieldErrors = list[dict[str, str]]


class Problem(exceptions.APIException):
    """An expected refusal: a status, one sentence that says what to do, and field errors."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Iterable[Mapping[str, str]] = (),
        *,
        wait: float | None = None,
    ) -> None:
        """``wait`` is the seconds after which it is worth trying again, for ``Retry-After``."""
        super().__init__(detail)
        self.status_code = status
        self.wait = wait
        self.errors: FieldErrors = [dict(error) for error in errors]


def problem_body(status: int, detail: str, errors: FieldErrors | None = None) -> dict[str, Any]:
    """The members of a problem document."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "errors": errors or [],
    }


def problem_response(status: int, detail: str, errors: FieldErrors | None = None) -> JsonResponse:
    """A problem answer from outside DRF (the 404 and 500 pages of ``/api/``)."""
    return JsonResponse(
        problem_body(status, detail, errors), status=status, content_type=CONTENT_TYPE
    )


def problem_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: every refusal leaves as a problem; a bug still raises."""
    if isinstance(error, Http404):
        error = exceptions.NotFound(str(error) or None)
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied(str(error) or None)
    if not isinstance(error, exceptions.APIException):
        return None
    set_rollback()
    errors, detail = _flatten(error)
    response = Response(
        problem_body(error.status_code, detail, errors),
        status=error.status_code,
        content_type=CONTENT_TYPE,
    )
    if header := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = header
    if wait := getattr(error, "wait", None):
        response["Retry-After"] = str(int(wait) + 1)
    return response


def _flatten(error: exceptions.APIException) -> tuple[FieldErrors, str]:
    if isinstance(error, Problem):
        return error.errors, str(error.detail)
    if isinstance(error.detail, dict):
        errors = [
            {"field": str(field), "message": str(message)}
            for field, messages in error.detail.items()
            for message in (messages if isinstance(messages, list) else [messages])
        ]
        return errors, "The request does not fit; see errors."
    if isinstance(error.detail, list):
        return [], " ".join(str(item) for item in error.detail)
    return [], str(error.detail)
