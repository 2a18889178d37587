"""A batch decoded in haste is what the types themselves make of it, fault for fault."""

import json
from typing import Any

import msgspec
import pytest

from curation.intake import reading
from curation.intake.haste import twin_of
from curation.intake.reading import Read, read_many
from curation.intake.schemas import FeedbackRequest, SampleRequest

GOOD = {"event_id": "e1", "rating": "up", "prediction_id": "0193a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"}
SPACES = (" ", "\n", "\u00a0", "\u2003 \t", "\x1c", "\u200b", "\u3000")
TEXTS = ("a\0b", "\0", "\\u0000", "", "x" * 20_001, *SPACES, *(f"{space}x\n" for space in SPACES))
FIELDS = ("event_id", "comment", "subject", "session", "corrected_label", "metadata", "rating")


def feedback() -> list[dict[str, Any]]:
    changed = [{**GOOD, name: text} for name in FIELDS for text in TEXTS]
    inner = [{"text": text, "label": "x"} for text in TEXTS] + [
        {"text": "x", "label": text} for text in TEXTS
    ]
    return [
        *changed,
        *({**GOOD, "prediction": each} for each in inner),
        {**GOOD, "metadata": {"a": ["\0"]}},
        {**GOOD, "occurred_at": "2026-11-23T12:00:00"},
        {**GOOD, "unknown": 1},
        {"rating": "up"},
    ]


def samples() -> list[dict[str, Any]]:
    return [{"text": text} for text in TEXTS] + [{"text": "x", "label": text} for text in TEXTS]


def outcome(body: bytes, kind: type[Any], *, is_ndjson: bool) -> tuple[Any, Any]:
    read: Read[Any] = read_many(body, kind, is_ndjson=is_ndjson, limit=9, faults=lambda _: [])
    return [(index, msgspec.to_builtins(item)) for index, item in read.taken], read.refused


@pytest.mark.parametrize("kind", [FeedbackRequest, SampleRequest])
def test_haste_changes_nothing(kind: type[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    fine = GOOD if kind is FeedbackRequest else {"text": "soup"}
    bodies = [
        (text, is_ndjson)
        for each in (feedback() if kind is FeedbackRequest else samples())
        for is_ndjson in (False, True)
        for text in [
            "\n".join(map(json.dumps, (fine, each))) if is_ndjson else json.dumps([fine, each])
        ]
    ]
    hasty = [outcome(text.encode(), kind, is_ndjson=is_ndjson) for text, is_ndjson in bodies]
    monkeypatch.setattr(reading, "decoded", lambda body, kind, decode: decode(body, kind))
    for (text, is_ndjson), found in zip(bodies, hasty, strict=True):
        assert found == outcome(text.encode(), kind, is_ndjson=is_ndjson), text
    assert {bool(refused) for _, refused in hasty} == {True, False}


def test_a_twin_has_no_patterns_of_its_own_and_every_limit() -> None:
    twin = twin_of(FeedbackRequest)
    assert twin.visible == ("event_id",)
    known = {field.name: field for field in msgspec.structs.fields(FeedbackRequest)}
    for field in msgspec.structs.fields(twin.kind):
        assert "pattern" not in str(field.type)
        assert field.default is known[field.name].default
    with pytest.raises(msgspec.ValidationError, match="length"):
        msgspec.convert({**GOOD, "subject": "x" * 201}, twin.kind)
