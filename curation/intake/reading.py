"""From a request's bytes to decoded items and refusals; one bad line never costs the others.

The usual body is decoded in one pass. Only when that fails is it taken apart, item by item.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from curation.intake.haste import decoded
from curation.intake.schemas import body_faults
from feedbackhub.core.problems import FieldErrors, Problem

Item = TypeVar("Item", bound=msgspec.Struct)

_BOM = b"\xef\xbb\xbf"
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


@dataclass(frozen=True)
class Refused:
    """One item of a body that could not be taken."""

    index: int
    """Its place in the body, from 0; blank lines do not count."""
    payload: bytes
    """What was sent."""
    errors: FieldErrors
    position: str | None = None
    """Where it stood on a Kafka topic; None over HTTP."""


@dataclass(frozen=True)
class Read(Generic[Item]):
    """A body taken apart."""

    taken: list[tuple[int, Item]]
    """Index and item, in order."""
    refused: list[Refused]


def read_one(body: bytes, kind: type[Item]) -> Item:
    """The one object of a body; raises :class:`Problem` 400 that names every fault."""
    body = body.removeprefix(_BOM)
    try:
        return msgspec.json.decode(body, type=kind)
    except _UNREADABLE as error:
        raise unfit(body_faults(body, kind, why=error)) from None


def read_many(
    body: bytes,
    kind: type[Item],
    *,
    is_ndjson: bool,
    limit: int,
    faults: Callable[[Item], FieldErrors],
) -> Read[Item]:
    """Every item of a JSON array or of NDJSON lines, each judged alone.

    Raises :class:`Problem` 400 when the body as a whole is no such thing, 413 beyond ``limit``.
    """
    body = body.removeprefix(_BOM)
    try:
        items = decoded(body, kind, _lines_of if is_ndjson else _array_of)
    except _UNREADABLE:
        parts = _lines(body) if is_ndjson else _elements(body)
        _refuse_beyond(len(parts), limit)
        return _read_apart(parts, kind, faults)
    _refuse_beyond(len(items), limit)
    return _sort_out(items, faults)


def _lines_of(body: bytes, kind: type[Item]) -> list[Item]:
    return msgspec.json.Decoder(kind).decode_lines(body)


def _array_of(body: bytes, kind: type[Item]) -> list[Item]:
    return msgspec.json.decode(body, type=list[kind])  # type: ignore[valid-type]


def unfit(errors: FieldErrors) -> Problem:
    """The answer to a body that does not fit."""
    return Problem(400, "The request does not fit; see errors.", errors)


def _sort_out(items: Sequence[Item], faults: Callable[[Item], FieldErrors]) -> Read[Item]:
    taken, refused = [], []
    for index, item in enumerate(items):
        if errors := faults(item):
            refused.append(Refused(index, msgspec.json.encode(item), errors))
        else:
            taken.append((index, item))
    return Read(taken, refused)


def _read_apart(
    parts: Sequence[bytes], kind: type[Item], faults: Callable[[Item], FieldErrors]
) -> Read[Item]:
    decoder = msgspec.json.Decoder(kind)
    taken, refused = [], []
    for index, part in enumerate(parts):
        try:
            item = decoder.decode(part)
            errors = faults(item)
        except _UNREADABLE as error:
            errors = body_faults(part, kind, why=error)
        if errors:
            refused.append(Refused(index, part, errors))
        else:
            taken.append((index, item))
    return Read(taken, refused)


def _lines(body: bytes) -> list[bytes]:
    return [line for line in re.split(rb"\r?\n", body) if line.strip()]


def _elements(body: bytes) -> list[bytes]:
    """The raw elements of a JSON array."""
    try:
        return [bytes(part) for part in msgspec.json.decode(body, type=list[msgspec.Raw])]
    except _UNREADABLE as error:
        problem = _not_an_array(str(error))
    try:
        # A lone surrogate anywhere makes msgspec refuse the whole array; its element alone is bad.
        array = json.loads(body)
        if isinstance(array, list):
            return [json.dumps(element).encode() for element in array]
    except (ValueError, RecursionError):
        pass
    raise problem


def _not_an_array(what: str) -> Problem:
    return Problem(
        400,
        f"The body is no JSON array of events ({what}). For one object a line, send it with "
        "`Content-Type: application/x-ndjson`.",
    )


def _refuse_beyond(count: int, limit: int) -> None:
    if count > limit:
        raise Problem(413, f"At most {limit:,} items a request; this one has {count:,}.")
