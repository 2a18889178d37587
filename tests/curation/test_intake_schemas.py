"""Bodies that do not fit are refused with every fault named by field, and cost nobody else."""

import json
from typing import Any

import pytest

from curation.intake.reading import read_many, read_one
from curation.intake.rejects import presentable
from curation.intake.schemas import (
    FeedbackRequest,
    PredictionBatch,
    PredictionRequest,
    feedback_faults,
    metadata_faults,
)
from feedbackhub.core.problems import Problem
from tests.factories import make_project

LABELS = ("negative", "positive")
THUMB = {
    "event_id": "e1",
    "prediction_id": "0193a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b",
    "rating": "up",
}


def faults_of(body: Any, kind: type[Any] = FeedbackRequest) -> dict[str, str]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(Problem) as caught:
        read_one(raw, kind)
    assert caught.value.status_code == 400
    return {error["field"]: error["message"] for error in caught.value.errors}


def test_every_fault_of_a_body_is_named() -> None:
    found = faults_of({"rating": "sideways", "event_id": "", "ratng": "up", "subject": 7})
    assert found == {
        "ratng": "is not a field here",
        "event_id": "must not be empty",
        "rating": "must be `up` or `down`",
        "subject": "must be text, not a number",
    }


def test_faults_inside_an_external_prediction_name_their_path() -> None:
    body = {**THUMB, "prediction": {"text": "soup", "label": "positive", "confidence": 1.5}}
    assert faults_of(body) == {"prediction.confidence": "must be at most 1"}
    assert faults_of({**THUMB, "prediction": {"label": "x"}}) == {"prediction.text": "is required"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must not be empty"),
        (" \n\t", "must hold a visible character and no NUL"),
        ("soup\0", "must hold a visible character and no NUL"),
        ("x" * 20_001, "must have at most 20,000 characters"),
        ("half \ud83d", "holds half of a surrogate pair, which is no character"),
        (None, "must be text, not null"),
    ],
)
def test_unusable_texts_are_refused(text: str | None, message: str) -> None:
    assert faults_of({"text": text}, PredictionRequest) == {"text": message}


@pytest.mark.parametrize("text", ["x", "x" * 20_000, "🍕" * 20_000, "  soup\r\n", "\\u0000"])
def test_usable_texts_are_taken(text: str) -> None:
    assert read_one(json.dumps({"text": text}).encode(), PredictionRequest).text == text


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"\xff", b"nonsense", b'{"metadata":' + b"[" * 5_000]
)
def test_bodies_that_are_no_object_are_refused_as_a_whole(body: bytes) -> None:
    assert "" in faults_of(body)


def test_a_number_beyond_all_range_is_refused() -> None:
    found = faults_of(b'{"text": "soup", "metadata": {"n": 1e400}}', PredictionRequest)
    assert "out of range" in found[""]


def test_a_byte_order_mark_is_forgiven() -> None:
    assert read_one(b'\xef\xbb\xbf{"text": "soup"}', PredictionRequest).text == "soup"


def test_faults_in_a_batch_of_texts_name_the_item() -> None:
    found = faults_of({"items": [{"text": "soup"}, {"text": ""}]}, PredictionBatch)
    assert found == {"items[1].text": "must not be empty"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"prediction": {"text": "soup", "label": "positive"}}, "prediction_id"),
        ({"prediction_id": None}, "prediction_id"),
        ({"corrected_label": "neutral"}, "corrected_label"),
        (
            {"prediction_id": None, "prediction": {"text": "soup", "label": "neutral"}},
            "prediction.label",
        ),
        ({"metadata": {"a": "x" * 9_000}}, "metadata"),
        ({"metadata": {"a": "\0"}}, "metadata"),
    ],
)
def test_what_types_cannot_say_is_checked_too(change: dict[str, Any], field: str) -> None:
    event = read_one(json.dumps({**THUMB, **change}).encode(), FeedbackRequest)
    assert [error["field"] for error in feedback_faults(event, labels=LABELS)] == [field]


def test_an_escaped_backslash_is_no_nul() -> None:
    assert metadata_faults({"path": "C:\\u0000"}) == []


def no_faults(event: FeedbackRequest) -> list[dict[str, str]]:
    return feedback_faults(event, labels=LABELS)


def good(event_id: str) -> bytes:
    return json.dumps({**THUMB, "event_id": event_id}).encode()


BAD_PARTS = [
    b'{"event_id": "x", "rating": "sideways"}',
    b'{"event_id": "x", "rating": "up", "comment": "\\ud83d"}',
    b"7",
    b'{"event_id": "x", "rating": "up", "metadata": {"n": 1e400}}',
    b'{"event_id": "\xff"}',
]


@pytest.mark.parametrize("bad", BAD_PARTS)
@pytest.mark.parametrize("is_ndjson", [True, False])
def test_a_bad_item_costs_no_other(bad: bytes, is_ndjson: bool) -> None:
    parts = [good("a"), bad, good("b")]
    body = b"\r\n\n".join(parts) if is_ndjson else b"[" + b",".join(parts) + b"]"
    read = read_many(body, FeedbackRequest, is_ndjson=is_ndjson, limit=5, faults=no_faults)
    assert [(index, event.event_id) for index, event in read.taken] == [(0, "a"), (2, "b")]
    assert [one.index for one in read.refused] == [1]
    assert read.refused[0].errors


def test_a_line_that_is_no_json_costs_no_other() -> None:
    body = good("a") + b"\n{nonsense\n" + good("b")
    read = read_many(body, FeedbackRequest, is_ndjson=True, limit=5, faults=no_faults)
    assert [event.event_id for _, event in read.taken] == ["a", "b"]
    assert read.refused[0].payload == b"{nonsense"


@pytest.mark.parametrize("body", [b"", b"{}", b"[1,", b'"a"', b"[" * 5_000])
def test_a_body_that_is_no_array_is_refused(body: bytes) -> None:
    with pytest.raises(Problem) as caught:
        read_many(body, FeedbackRequest, is_ndjson=False, limit=5, faults=no_faults)
    assert caught.value.status_code == 400
    assert "x-ndjson" in str(caught.value.detail)


@pytest.mark.parametrize("is_bad", [True, False])
def test_too_many_items_are_refused(is_bad: bool) -> None:
    body = b"\n".join([good("a")] * 5 + [b"{" if is_bad else good("b")])
    with pytest.raises(Problem) as caught:
        read_many(body, FeedbackRequest, is_ndjson=True, limit=5, faults=no_faults)
    assert caught.value.status_code == 413


@pytest.mark.django_db
@pytest.mark.parametrize(
    "payload",
    [
        b'{"subject": "anna@example.org", "rating": 7}',
        b'[{"session": "anna@example.org"}]',
        b'{"subject": "anna@example.org", "rating": ',
        b'{"subject": "anna@example.org',
        b'{"subject": {"name": "anna@example.org"}}',
        b'{"subject": "anna@example.org \\ud83d"}',
    ],
)
def test_kept_payloads_hold_no_name(payload: bytes) -> None:
    kept = presentable(payload, project_id=make_project().pk)
    assert "anna" not in kept
    assert "subject" in kept or "session" in kept


@pytest.mark.django_db
def test_kept_payloads_can_be_stored() -> None:
    kept = presentable(b"\x00\xff" + b"x" * 100_000, project_id=make_project().pk)
    assert len(kept.encode()) <= 64 * 1024 + 8
    assert "\0" not in kept
