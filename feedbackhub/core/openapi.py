"""Describing msgspec types to drf-spectacular, so that the document says what the code checks."""

from collections.abc import Mapping
from typing import Any

import msgspec
from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from feedbackhub.core.problems import CONTENT_TYPE, problem_body

_TEMPLATE = "#/components/schemas/{name}"
_PROBLEM = "Problem"
_described: dict[str, Any] = {}

_MEANING = {
    400: "The body does not fit; `errors` names each field.",
    401: "There is no key, or it is not known, expired or revoked.",
    403: "The key lacks the scope, or belongs to another project.",
    404: "There is no such project or thing.",
    409: "It contradicts what is already there; nothing was changed.",
    411: "The body came in chunks, without a `Content-Length`.",
    413: "The body is too large, or has too many items.",
    415: "The content type is another than the endpoint reads.",
    429: "Too many requests; `Retry-After` says when to go on.",
    503: "It cannot be answered just now; send it again.",
}
ALWAYS = (401, 403, 404, 429, 503)


def schema_of(kind: Any) -> dict[str, Any]:
    """A schema of a msgspec type for ``extend_schema``; structs become named components."""
    [schema], components = msgspec.json.schema_components([kind], ref_template=_TEMPLATE)
    _described.update(components)
    return dict(schema)


def problems(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """The problem answers of an endpoint: those named, and those every endpoint may give."""
    # What reads bodies and bounds their size needs to be told it.
    reading = (411,) if 413 in statuses else ()
    return {
        (status, CONTENT_TYPE): OpenApiResponse(
            response={"$ref": _TEMPLATE.format(name=_PROBLEM)}, description=_MEANING[status]
        )
        for status in sorted({*statuses, *reading, *ALWAYS})
    }


def example(name: str, value: Any, *, status: int | None = None) -> OpenApiExample:
    """An example of the request, or of the answer with ``status``."""
    return OpenApiExample(
        name,
        value=value,
        request_only=status is None,
        response_only=status is not None,
        status_codes=[str(status)] if status else None,
    )


def add_components(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Post-processing hook: put the described types and the problem document into the schema."""
    schemas: dict[str, Any] = result.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(_described)
    schemas[_PROBLEM] = _problem_schema()
    result["components"]["schemas"] = dict(sorted(schemas.items()))
    return result


def _problem_schema() -> Mapping[str, Any]:
    text = {"type": "string"}
    error = {
        "type": "object",
        "properties": {"field": text, "message": text},
        "required": ["field", "message"],
    }
    properties = {
        "type": text,
        "title": text,
        "status": {"type": "integer"},
        "detail": text,
        "errors": {"type": "array", "items": error},
    }
    return {
        "type": "object",
        "description": "An error, as RFC 9457 describes it.",
        "properties": properties,
        "required": list(properties),
        "example": problem_body(
            400,
            "The request does not fit; see errors.",
            [{"field": "rating", "message": "must be `up` or `down`"}],
        ),
    }
