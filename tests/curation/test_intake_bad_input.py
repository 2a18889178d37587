"""Whatever is sent, the answer is a problem that says what is wrong; nothing breaks, nothing lands.

Each case goes through HTTP as a frontend would send it, to the one-event endpoint and in a batch.
"""

import gzip
import http.client
import json
import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from curation.intake import authentication, cors, facts, throttling
from curation.models import Feedback, FeedbackKey, Landed, Prediction, Project, RejectedEvent
from feedbackhub.core.clock import utcnow
from feedbackhub.core.keys import Scope
from tests.curation.events import digest_all
from tests.factories import api_client, feedback_body, make_key, make_prediction, make_project

pytestmark = pytest.mark.django_db
JSON = "application/json"
NDJSON = "application/x-ndjson"
DEEP = 100_000
MEGABYTE = 1024 * 1024


@pytest.fixture(autouse=True)
def fresh() -> None:
    for module in (authentication, cors, facts, throttling):
        module.forget()


@pytest.fixture
def project() -> Project:
    return make_project()


@pytest.fixture
def client(project: Project) -> Client:
    return api_client(make_key(project))


def url(project: Project | str, path: str = "feedback") -> str:
    return f"/api/v1/projects/{project if isinstance(project, str) else project.slug}/{path}"


def post(client: Client, address: str, body: Any, kind: str = JSON, **headers: str) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    # Named apart, because Django's client drops the content type of an empty body.
    return client.generic("POST", address, data, kind, headers=headers, CONTENT_TYPE=kind)


def require_problem(response: Any, *statuses: int) -> dict[str, Any]:
    """The problem of an answer that must have one of these statuses."""
    assert response.status_code in statuses, response.content[:500]
    assert response["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = json.loads(response.content)
    assert problem["status"] == response.status_code
    assert problem["detail"]
    return problem


def require_nothing_landed() -> None:
    for model in (Feedback, FeedbackKey, Landed):
        assert not model.objects.exists()


def fields_of(problem: dict[str, Any]) -> set[str]:
    return {error["field"] for error in problem["errors"]}


def event(project: Project, **fields: Any) -> dict[str, Any]:
    return feedback_body(make_prediction(project).id, **fields)


def raw(project: Project, text: str) -> bytes:
    """A valid event with ``text`` as further members, for what no encoder would write."""
    return (json.dumps(event(project))[:-1] + f", {text}}}").encode("utf-8", "surrogatepass")


BAD_EVENTS = [
    pytest.param('"comment": "a\\u0000b"', "comment", id="NUL in a comment"),
    pytest.param('"subject": "a\\u0000b"', "subject", id="NUL in a subject"),
    pytest.param('"metadata": {"deep": [{"a": "\\u0000"}]}', "metadata", id="NUL in metadata"),
    pytest.param('"metadata": {"\\u0000": 1}', "metadata", id="NUL as a name"),
    pytest.param('"comment": "\\ud800"', "comment", id="half a surrogate pair, escaped"),
    pytest.param('"comment": "\ud800"', "", id="half a surrogate pair, in bytes"),
    pytest.param('"metadata": {"a": "\\udfff"}', "metadata", id="half a pair in metadata"),
    pytest.param('"metadata": {"n": 1e999}', "", id="a number beyond all range"),
    pytest.param('"metadata": {"n": NaN}', "", id="NaN in metadata"),
    pytest.param('"subject": 7', "subject", id="a number for a name"),
    pytest.param('"subject": ""', "subject", id="an empty name"),
    pytest.param('"comment": ["a"]', "comment", id="a list for a text"),
    pytest.param('"comment": "' + "x" * 5_001 + '"', "comment", id="a comment too long"),
    pytest.param('"metadata": {"a": "' + "x" * 8_192 + '"}', "metadata", id="metadata too large"),
    pytest.param('"metadata": []', "metadata", id="metadata that is no object"),
    pytest.param('"occurred_at": "2026-11-23T12:00:00"', "occurred_at", id="a time without zone"),
    pytest.param('"occurred_at": 1e308', "occurred_at", id="a huge number for a time"),
    pytest.param('"occurred_at": "0001-01-01T00:00:00+14:00"', "occurred_at", id="before time"),
    pytest.param('"occurred_at": "9999-12-31T23:59:59-14:00"', "occurred_at", id="after time"),
    pytest.param('"corrected_label": "neutral"', "corrected_label", id="no label of the project"),
    pytest.param('"confidense": 1', "confidense", id="a misspelt field"),
    pytest.param('"metadata": ' + "[" * DEEP + "]" * DEEP, "", id="nested too deeply"),
]


@pytest.mark.parametrize(("members", "field"), BAD_EVENTS)
def test_a_bad_event_is_refused_by_name_and_kept(
    project: Project, client: Client, members: str, field: str
) -> None:
    problem = require_problem(post(client, url(project), raw(project, members)), 400)
    assert field in fields_of(problem)
    require_nothing_landed()
    kept = RejectedEvent.objects.get()
    assert kept.reasons == problem["errors"]
    assert len(kept.payload.encode()) <= 64 * 1024


@pytest.mark.parametrize("is_ndjson", [False, True])
@pytest.mark.parametrize(("members", "field"), BAD_EVENTS)
def test_a_bad_event_costs_its_batch_nothing_but_itself(
    project: Project, client: Client, members: str, field: str, is_ndjson: bool
) -> None:
    good = [json.dumps(event(project)).encode() for _ in range(2)]
    parts = [good[0], raw(project, members), good[1]]
    if is_ndjson:
        body, kind = b"\n".join(parts), NDJSON
    else:
        body, kind = b"[" + b",".join(parts) + b"]", JSON
    response = post(client, url(project, "feedback/batch"), body, kind)
    if response.status_code == 400 and not is_ndjson:
        # What breaks the array as a whole cannot be cut out of it; as lines it can.
        require_problem(response, 400)
        require_nothing_landed()
        assert RejectedEvent.objects.count() == 1
        return
    report = response.json()
    assert report["accepted"] == Feedback.objects.count() == 2
    assert [one["index"] for one in report["rejected"]] == [1]
    assert field in {error["field"] for error in report["rejected"][0]["errors"]}
    assert RejectedEvent.objects.count() == 1


EXTERNAL = {"text": "Cold soup", "label": "negative"}


@pytest.mark.parametrize(
    ("confidence", "is_json"),
    [
        ("NaN", False),
        ("Infinity", False),
        ("-Infinity", False),
        ("1e999", False),
        ("1" + "0" * 400, True),
        ("-0.1", True),
        ("1.0000001", True),
        ('"0.5"', True),
    ],
)
def test_a_confidence_is_a_number_from_0_to_1(
    project: Project, client: Client, confidence: str, is_json: bool
) -> None:
    prediction = json.dumps(EXTERNAL)[:-1] + f', "confidence": {confidence}}}'
    body = f'{{"event_id": "e", "rating": "up", "prediction": {prediction}}}'.encode()
    problem = require_problem(post(client, url(project), body), 400)
    if is_json:
        assert fields_of(problem) == {"prediction.confidence"}
    require_nothing_landed()
    assert not Prediction.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"0",
        b"[]",
        b'"text"',
        b"{",
        b"{}{}",
        b"\x00",
        b"\xff\xfe{\x00}\x00",
        b'{"event_id": "\xff", "rating": "up"}',
        b"[" * DEEP,
        b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        b"1" * MEGABYTE,
        b"rating=up",
    ],
    ids=repr,
)
@pytest.mark.parametrize(
    "path", ["feedback", "predictions", "predictions/batch", "review/claim", "training-runs"]
)
def test_what_is_no_object_is_400(project: Project, client: Client, path: str, body: bytes) -> None:
    require_problem(post(client, url(project, path), body), 400)
    require_nothing_landed()


@pytest.mark.parametrize("path", ["feedback/batch", "samples/batch"])
@pytest.mark.parametrize(
    "body", [b"", b"null", b"{}", b"[" * DEEP, b"[}", b"\xff", b"[1,2", b"1" * MEGABYTE], ids=repr
)
def test_what_is_no_array_is_400(project: Project, client: Client, path: str, body: bytes) -> None:
    require_problem(post(client, url(project, path), body), 400)
    require_nothing_landed()


def test_an_array_of_what_are_no_objects_names_each(project: Project, client: Client) -> None:
    body = [1, None, "x", [], {}, [[[]]]]
    report = post(client, url(project, "feedback/batch"), body).json()
    assert [one["index"] for one in report["rejected"]] == list(range(6))
    require_nothing_landed()


@pytest.mark.parametrize(
    "text",
    [
        "שלום עולם — ערבית: السلام عليكم",
        "zero\u200bwidth\u200d\ufeff joiners",
        "\u202ereversed\u202c and \u2066isolated\u2069",
        "👩‍👩‍👧‍👦 e\u0301 ﷽ 𝕳",
        "z" + "\u0301" * 500,
        "\U0010ffff\ufffe\x01\x7f\x85",
    ],
    ids=ascii,
)
def test_strange_but_honest_text_lands_as_it_is(
    project: Project, client: Client, text: str
) -> None:
    body = feedback_body(
        None,
        comment=text,
        subject=text[:100],
        prediction={**EXTERNAL, "text": text},
        metadata={text[:50]: text},
    )
    for status in (201, 200):
        assert post(client, url(project), body).status_code == status
    stored = Feedback.objects.get()
    assert (stored.comment, stored.metadata) == (text, {text[:50]: text})
    assert Prediction.objects.get().text == text
    assert digest_all().events == 1


@pytest.mark.parametrize("text", ["\u200b", "\u00a0 \u2003", "\ufeff"], ids=ascii)
def test_a_text_nobody_can_see_breaks_nothing(project: Project, client: Client, text: str) -> None:
    body = feedback_body(None, prediction={**EXTERNAL, "text": text})
    response = post(client, url(project), body)
    if response.status_code == 201:
        assert digest_all().events == 1
    else:
        assert fields_of(require_problem(response, 400)) == {"prediction.text"}


def test_an_id_of_visible_control_characters_is_found_again(
    project: Project, client: Client
) -> None:
    body = event(project, event_id="a/b?c#d %25\n\x01é")
    assert [post(client, url(project), body).status_code for _ in range(2)] == [201, 200]


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/xml", "multipart/form-data; boundary=x", "a", "\xff/\x00"],
)
def test_another_content_type_is_415(project: Project, client: Client, kind: str) -> None:
    for path in ("feedback", "feedback/batch", "samples/batch", "predictions"):
        require_problem(post(client, url(project, path), [], kind), 415)
    require_problem(post(client, url(project), [], NDJSON), 415)


def test_json_with_a_charset_or_a_byte_order_mark_is_json(project: Project, client: Client) -> None:
    one, two = event(project), event(project)
    kind = 'application/json; charset="utf-8"'
    assert post(client, url(project), one, kind).status_code == 201
    body = b"\xef\xbb\xbf" + json.dumps(two).encode()
    assert post(client, url(project), body).status_code == 201
    body = b"\xef\xbb\xbf" + json.dumps([one, two]).encode()
    assert post(client, url(project, "feedback/batch"), body).json()["duplicates"] == 2


def test_of_a_name_given_twice_the_last_counts(project: Project, client: Client) -> None:
    body = json.dumps(event(project))[:-1] + ', "rating": "up", "rating": "down"}'
    for status in (201, 200):
        assert post(client, url(project), body.encode()).status_code == status
    assert Feedback.objects.get().rating == "down"


@pytest.mark.parametrize(("body", "kind"), [(b"[]", JSON), (b"", NDJSON), (b"\r\n \n\n", NDJSON)])
def test_an_empty_batch_is_an_empty_report(
    project: Project, client: Client, body: bytes, kind: str
) -> None:
    response = post(client, url(project, "feedback/batch"), body, kind)
    assert response.status_code == 200
    assert response.json() == {"accepted": 0, "quarantined": 0, "duplicates": 0, "rejected": []}


def test_lines_may_end_in_crlf_with_blank_ones_between(project: Project, client: Client) -> None:
    good = [json.dumps(event(project)).encode() for _ in range(3)]
    body = b"\r\n" + good[0] + b"\r\n\r\n" + good[1] + b"\r\n  \r\n{bad\r\n" + good[2]
    report = post(client, url(project, "feedback/batch"), body, NDJSON).json()
    assert report["accepted"] == 3
    # Blank lines do not count.
    assert [one["index"] for one in report["rejected"]] == [2]


@pytest.mark.parametrize("kind", [JSON, NDJSON])
def test_5000_events_are_a_batch_and_5001_are_not(
    project: Project, client: Client, kind: str
) -> None:
    name = make_prediction(project).id
    lines = [json.dumps(feedback_body(name)) for _ in range(5_001)]

    def send(count: int) -> Any:
        some = lines[:count]
        body = "\n".join(some) if kind == NDJSON else f"[{','.join(some)}]"
        return post(client, url(project, "feedback/batch"), body.encode(), kind)

    require_problem(send(5_001), 413)
    require_nothing_landed()
    assert send(5_000).json()["accepted"] == 5_000


def test_too_many_predictions_or_samples_are_413(project: Project, client: Client) -> None:
    items = [{"text": "soup"}] * 1_001
    require_problem(post(client, url(project, "predictions/batch"), {"items": items}), 413)
    require_problem(post(client, url(project, "samples/batch"), items), 413)
    assert not Prediction.objects.exists()


@pytest.mark.parametrize("path", ["feedback", "feedback/batch", "predictions", "samples/batch"])
def test_a_body_above_10_mb_is_413(project: Project, client: Client, path: str) -> None:
    body = b'{"comment": "' + b"x" * 10 * MEGABYTE + b'"}'
    require_problem(post(client, url(project, path), body), 413)
    assert not RejectedEvent.objects.exists()


def test_just_under_10_mb_of_one_bad_event_is_kept_in_64_kb(
    project: Project, client: Client
) -> None:
    body = raw(project, '"comment": "' + "é" * (5 * MEGABYTE - 300) + '"')
    assert fields_of(require_problem(post(client, url(project), body), 400)) == {"comment"}
    assert len(RejectedEvent.objects.get().payload.encode()) <= 64 * 1024


def test_gzip_is_understood(project: Project, client: Client) -> None:
    one = json.dumps(event(project)).encode()
    response = post(client, url(project), gzip.compress(one), **{"Content-Encoding": "gzip"})
    assert response.status_code == 201
    assert post(client, url(project), one).status_code == 200
    lines = gzip.compress(b"\n".join([one, json.dumps(event(project)).encode()]))
    headers = {"Content-Encoding": "GZIP"}
    report = post(client, url(project, "feedback/batch"), lines, NDJSON, **headers).json()
    assert (report["accepted"], report["duplicates"]) == (1, 1)


def test_a_gzip_bomb_is_413(project: Project, client: Client) -> None:
    bomb = gzip.compress(b" " * 200 * MEGABYTE)
    twice = gzip.compress(bomb)
    for body, statuses in ((bomb, (413,)), (twice, (400,)), (bomb * 40, (413,))):
        response = post(client, url(project), body, **{"Content-Encoding": "gzip"})
        require_problem(response, *statuses)
    require_nothing_landed()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        gzip.compress(b"{}")[:-5],
        gzip.compress(b"{}")[:3],
        gzip.compress(b"{}") + b"x",
        gzip.compress(b"{}") * 1_000,
        gzip.compress(b"{}")[:-6] + b"\0" * 6,
    ],
    ids=lambda body: f"{len(body)} bytes",
)
def test_what_is_no_gzip_is_400(project: Project, client: Client, body: bytes) -> None:
    require_problem(post(client, url(project), body, **{"Content-Encoding": "gzip"}), 400)


@pytest.mark.parametrize("coding", ["br", "deflate", "zstd", "gzip, gzip", "x"])
def test_another_coding_is_415(project: Project, client: Client, coding: str) -> None:
    response = post(client, url(project), event(project), **{"Content-Encoding": coding})
    assert "gzip" in require_problem(response, 415)["detail"]
    require_nothing_landed()


def test_strangers_keys_are_refused_before_anything_is_read(project: Project) -> None:
    other = make_project()
    body = event(project)
    expired = make_key(project, expires_at=utcnow() - timedelta(seconds=1))
    cases = [
        (None, project.slug, 401),
        ("nonsense", project.slug, 401),
        ("\xff.\x01", project.slug, 401),
        ("x" * 8_000, project.slug, 401),
        (expired, project.slug, 401),
        (make_key(other), project.slug, 403),
        (make_key(project, Scope.PREDICT, Scope.IMPORT, Scope.REVIEW), project.slug, 403),
        (make_key(project), "no-such-project", 404),
        (None, "no-such-project", 401),
    ]
    for key, slug, status in cases:
        for path, kind in (("feedback", JSON), ("feedback/batch", NDJSON)):
            response = post(api_client(key), url(slug, path), body, kind)
            require_problem(response, status)
    require_nothing_landed()
    assert not RejectedEvent.objects.exists()


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/projects/%00/feedback",
        "/api/v1/projects/%ff/feedback",
        "/api/v1/projects/" + "x" * 5_000 + "/feedback",
        "/api/v1/projects/../../admin/feedback",
        "/api/v1//feedback",
    ],
)
def test_nonsense_addresses_are_404(project: Project, client: Client, path: str) -> None:
    require_problem(post(client, path, {}), 404)


@pytest.mark.parametrize("name", ["%00", "%ff", "a%00b", "x" * 5_000, "..", "%20", "é"])
def test_nonsense_event_ids_have_no_journey(project: Project, client: Client, name: str) -> None:
    response = client.get(url(project, f"feedback/{name}"))
    require_problem(response, 400, 404)


@pytest.mark.parametrize(
    "length", ["-5", "-0", "+3", "abc", "1e3", "9" * 30, "", " 7 ", "0x10", "१०"]
)
def test_a_nonsense_length_is_a_bad_request(project: Project, client: Client, length: str) -> None:
    response = client.generic(
        "POST", url(project), b'{"event_id": "e"}', content_type=JSON, CONTENT_LENGTH=length
    )
    require_problem(response, 400, 411, 413)
    require_nothing_landed()


@pytest.mark.django_db(transaction=True)
def test_broken_requests_to_a_real_server_leave_it_standing(live_server: LiveServer) -> None:
    project = make_project()
    key = make_key(project)
    address = urlsplit(live_server.url)
    body = json.dumps(event(project)).encode()

    def exchange(**headers: str) -> int:
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
        try:
            connection.putrequest("POST", url(project), skip_accept_encoding=True)
            given = {"Authorization": f"Api-Key {key}", "Content-Type": JSON, **headers}
            for name, value in given.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders(body)
            return connection.getresponse().status
        finally:
            connection.close()

    assert exchange(Content_Length="-5") in (400, 411)
    assert exchange(Transfer_Encoding="chunked") in (400, 411)
    assert exchange(Content_Length="7") == 400
    assert exchange(Content_Length=str(11 * MEGABYTE)) == 413
    require_nothing_landed()
    assert exchange(Content_Length=str(len(body))) == 201


def test_a_prediction_id_that_is_no_uuid_is_named(project: Project, client: Client) -> None:
    for name in ("7", "", "x" * 36, str(uuid.UUID(int=0))[:-1]):
        problem = require_problem(post(client, url(project), feedback_body(name)), 400)
        assert fields_of(problem) == {"prediction_id"}
    edges = (uuid.UUID(int=0), uuid.UUID(int=2**128 - 1))
    for edge in edges:
        assert post(client, url(project), feedback_body(edge)).status_code == 201
    assert digest_all().quarantined == len(edges)
