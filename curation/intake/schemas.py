"""What callers may send, as types: limits, and every fault of a body by field in plain words.

Decoding is the fast path and stops at the first fault. Only a body that failed is looked at again,
field by field, so that its sender learns everything that is wrong with it at once.
"""

import json
import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NoReturn
from uuid import UUID

import msgspec
from msgspec import Meta

from feedbackhub.core.problems import FieldErrors

MAX_TEXT = 20_000
MAX_METADATA_BYTES = 8 * 1024
MAX_PREDICTIONS = 1_000
MAX_FEEDBACK = 5_000
MAX_SAMPLES = 1_000

# Postgres cannot store NUL, and a text without a visible character tells no model anything.
# Patterns that mean the same in Python and in a browser reading the OpenAPI document.
VISIBLE = r"^\s*[^\s\x00][^\x00]*$"
NO_NUL = r"^[^\x00]*$"

Text = Annotated[
    str,
    Meta(min_length=1, max_length=MAX_TEXT, pattern=VISIBLE, description="What is classified."),
]
EventId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        pattern=VISIBLE,
        description="Chosen by you, unique in the project; sending it again is safe.",
    ),
]
LabelName = Annotated[str, Meta(max_length=60, pattern=NO_NUL)]
Subject = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        pattern=NO_NUL,
        description="Your name for the end user; stored as a keyed hash only.",
    ),
]
Session = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        pattern=NO_NUL,
        description="Your name for the visit; stored as a keyed hash only.",
    ),
]
Metadata = Annotated[dict[str, Any], Meta(description="Anything small: at most 8 KB of JSON.")]


class _Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A misspelt field is refused rather than lost."""


class PredictionRequest(_Body, frozen=True, kw_only=True):
    """A text to classify."""

    text: Text
    subject: Subject | None = None
    session: Session | None = None
    metadata: Metadata | None = None


class PredictionBatch(_Body, frozen=True, kw_only=True):
    """Texts to classify, answered in order."""

    items: list[PredictionRequest]


class ExternalPrediction(_Body, frozen=True, kw_only=True):
    """An answer that a model outside the hub gave."""

    text: Text
    label: Annotated[str, Meta(min_length=1, max_length=60, pattern=NO_NUL)]
    confidence: Annotated[float, Meta(ge=0, le=1)] | None = None
    model_version: Annotated[str, Meta(min_length=1, max_length=60, pattern=NO_NUL)] | None = None


class FeedbackRequest(_Body, frozen=True, kw_only=True):
    """A thumb on a prediction: one the hub served, or one described in ``prediction``."""

    event_id: EventId
    rating: Literal["up", "down"]
    prediction_id: UUID | None = None
    prediction: ExternalPrediction | None = None
    corrected_label: LabelName | None = None
    comment: Annotated[str, Meta(max_length=5_000, pattern=NO_NUL)] | None = None
    subject: Subject | None = None
    session: Session | None = None
    occurred_at: Annotated[datetime, Meta(tz=True)] | None = None
    metadata: Metadata | None = None


class SampleRequest(_Body, frozen=True, kw_only=True):
    """A text to import, with its label when that is known."""

    text: Text
    label: LabelName | None = None
    metadata: Metadata | None = None


def feedback_faults(event: FeedbackRequest, *, labels: Collection[str]) -> FieldErrors:
    """What is wrong with a decoded feedback event that its types cannot say; mostly nothing."""
    errors: FieldErrors = []
    if (event.prediction_id is None) == (event.prediction is None):
        errors.append(_fault("prediction_id", "give either prediction_id or prediction"))
    if event.corrected_label and event.corrected_label not in labels:
        errors.append(_not_a_label("corrected_label", labels))
    if event.prediction is not None and event.prediction.label not in labels:
        errors.append(_not_a_label("prediction.label", labels))
    if event.occurred_at is not None and not _has_utc(event.occurred_at):
        errors.append(_fault("occurred_at", "is out of range"))
    return errors + metadata_faults(event.metadata)


def _has_utc(moment: datetime) -> bool:
    """Whether a time is also one in UTC: the first and last hours of the calendar may not be."""
    try:
        moment.astimezone(UTC)
    except OverflowError:
        return False
    return True


def sample_faults(sample: SampleRequest, *, labels: Collection[str]) -> FieldErrors:
    """What is wrong with a decoded sample that its types cannot say."""
    errors = [_not_a_label("label", labels)] if sample.label and sample.label not in labels else []
    return errors + metadata_faults(sample.metadata)


def metadata_faults(metadata: dict[str, Any] | None) -> FieldErrors:
    """Whether metadata is too large, or holds a NUL that Postgres cannot store."""
    if metadata is None:
        return []
    encoded = msgspec.json.encode(metadata)
    if len(encoded) > MAX_METADATA_BYTES:
        return [_fault("metadata", f"must be at most {MAX_METADATA_BYTES:,} bytes of JSON")]
    # An escaped backslash before "u0000" is the text "\u0000", which is harmless.
    if b"\\u0000" in encoded.replace(b"\\\\", b""):
        return [_fault("metadata", "must not hold a NUL character")]
    return []


def body_faults(raw: bytes, kind: type[msgspec.Struct], *, why: Exception) -> FieldErrors:
    """Every fault of one JSON object that did not decode as ``kind`` (``why``), by field."""
    try:
        body = _parse(raw)
    except UnicodeDecodeError:
        return [_fault("", "is not UTF-8")]
    except RecursionError:
        return [_fault("", "is nested too deeply")]
    except ValueError as error:
        return [_fault("", f"is not JSON: {error}")]
    # A number beyond all range hides in metadata, where any value is right by type.
    return object_faults(body, kind) or [_fault("", f"cannot be read: {why}")]


def object_faults(body: object, kind: type[msgspec.Struct]) -> FieldErrors:
    """Every fault of a parsed JSON value against ``kind``, by field."""
    if not isinstance(body, dict):
        return [_fault("", "must be an object")]
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    errors = [_fault(str(name), "is not a field here") for name in body if name not in fields]
    for name, field in fields.items():
        if name not in body:
            if field.required:
                errors.append(_fault(name, "is required"))
            continue
        errors += _value_faults(name, body[name], field.type)
    return errors


def _value_faults(name: str, value: object, kind: Any) -> FieldErrors:
    if _has_lone_surrogate(value):
        return [_fault(name, "holds half of a surrogate pair, which is no character")]
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        message, inner = _in_words(what)
        path = name + where.rstrip("`") + (f".{inner}" if inner else "")
        return [_fault(path, message)]
    return []


def _parse(raw: bytes) -> object:
    # Unlike msgspec the standard library lets lone surrogates through, so that their field can be
    # named.
    return json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _has_lone_surrogate(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


_WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"of length >= 1$", "must not be empty"),
        (r"of length >= (\d+)", "must have at least {} characters"),
        (r"of length <= (\d+)", "must have at most {} characters"),
        (r"matching regex .*\\s", "must hold a visible character and no NUL"),
        (r"matching regex", "must not hold a NUL character"),
        (r"Invalid RFC3339", "must be a time such as 2026-11-23T12:00:00Z"),
        (r"with a timezone", "must say its time zone, such as 2026-11-23T12:00:00Z"),
        (r"Invalid enum value", "must be `up` or `down`"),
        (r"Invalid UUID", "must be a UUID"),
        (r"<= ([\d.]+)$", "must be at most {}"),
        (r">= ([\d.]+)$", "must be at least {}"),
        (r"out of range", "is out of range"),
    )
)
_KINDS = {
    "str": "text",
    "float": "a number",
    "int": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
    "uuid": "a UUID",
    "datetime": "a time",
}


def _in_words(message: str) -> tuple[str, str]:
    """msgspec's message for people, and the inner field it names, if any."""
    if missing := re.search(r"missing required field `(\w+)`", message):
        return "is required", missing[1]
    if unknown := re.search(r"unknown field `(.+)`", message):
        return "is not a field here", unknown[1]
    if mismatch := re.search(r"Expected `(.+)`, got `(\w+)`", message):
        wanted = [_KINDS.get(kind, kind) for kind in mismatch[1].split(" | ") if kind != "null"]
        return f"must be {' or '.join(wanted)}, not {_KINDS.get(mismatch[2], mismatch[2])}", ""
    for pattern, words in _WORDS:
        if found := pattern.search(message):
            numbers = (f"{float(number):,g}" for number in found.groups())
            return words.format(*numbers), ""
    return message, ""


def _fault(field: str, message: str) -> dict[str, str]:
    return {"field": field, "message": message}


def _not_a_label(field: str, labels: Collection[str]) -> dict[str, str]:
    return _fault(field, f"is not a label of this project; these are: {', '.join(labels)}")
