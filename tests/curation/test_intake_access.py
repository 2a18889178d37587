"""Keys are replaced without downtime, and web pages call only where a source lets them."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from curation.intake import authentication, cors, facts, throttling
from curation.intake.authentication import BadKey, holder_of
from curation.intake.sources import CannotRotate, rotate_key
from curation.models import Project, Source, SourceKey
from feedbackhub.core.clock import utcnow
from feedbackhub.core.keys import Scope
from feedbackhub.core.roles import Role
from tests.factories import (
    api_client,
    feedback_body,
    make_key,
    make_member,
    make_prediction,
    make_project,
    make_source,
)

pytestmark = pytest.mark.django_db
SHOP = "https://shop.example.com"
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def fresh() -> None:
    for module in (authentication, cors, facts, throttling):
        module.forget()


def prefix(key: str) -> str:
    return key.partition(".")[0]


def test_both_keys_work_until_the_grace_ends() -> None:
    old = make_key(make_project(), Scope.FEEDBACK)
    now = utcnow()
    new = rotate_key(prefix=prefix(old), now=now, grace=HOUR)
    for key in (old, new):
        assert holder_of(key, now=now + HOUR / 2).scopes == {"feedback"}
    assert holder_of(new, now=now + HOUR).source_id == holder_of(old, now=now).source_id
    with pytest.raises(BadKey, match="expired"):
        holder_of(old, now=now + HOUR)


def test_a_successor_lives_as_long_as_the_key_it_replaces() -> None:
    now = utcnow()
    old = make_key(make_project(), expires_at=now + 90 * HOUR)
    new = SourceKey.objects.get(prefix=prefix(rotate_key(prefix=prefix(old), now=now)))
    assert new.expiry_date is not None
    assert abs(new.expiry_date - (now + 90 * HOUR)) < timedelta(minutes=1)
    assert SourceKey.objects.get(prefix=prefix(old)).expiry_date == now + 24 * HOUR


def test_grace_never_lengthens_a_life() -> None:
    now = utcnow()
    old = make_key(make_project(), expires_at=now + HOUR)
    rotate_key(prefix=prefix(old), now=now, grace=24 * HOUR)
    assert SourceKey.objects.get(prefix=prefix(old)).expiry_date == now + HOUR


def test_what_cannot_be_replaced_says_why() -> None:
    now = utcnow()
    replaced = make_key(make_project())
    rotate_key(prefix=prefix(replaced), now=now)
    expired = make_key(make_project(), expires_at=now - HOUR)
    revoked = make_key(make_project())
    SourceKey.objects.filter(prefix=prefix(revoked)).update(revoked=True)
    reasons = {replaced: "successor", expired: "expired", revoked: "revoked", "none": "no key"}
    before = SourceKey.objects.count()
    for key, reason in reasons.items():
        with pytest.raises(CannotRotate, match=reason):
            rotate_key(prefix=prefix(key), now=now)
    assert SourceKey.objects.count() == before


def test_the_command_prints_the_key_alone() -> None:
    old = make_key(make_project())
    said = StringIO()
    call_command("rotate_key", old, "--grace-hours", "2", stdout=said, stderr=StringIO())
    assert holder_of(said.getvalue().strip(), now=utcnow())
    ends = SourceKey.objects.get(prefix=prefix(old)).expiry_date
    assert ends is not None
    assert abs(ends - utcnow() - 2 * HOUR) < timedelta(minutes=1)
    with pytest.raises(CommandError, match="successor"):
        call_command("rotate_key", prefix(old))
    with pytest.raises(CommandError, match="between"):
        call_command("rotate_key", prefix(old), "--grace-hours", "nan")


def test_the_page_replaces_a_key_of_ones_own_project_and_shows_it_once(client: Client) -> None:
    source = make_source(make_project())
    old = make_key(source.project, source=source)
    address = f"/admin/curation/source/key/{prefix(old)}/replace/"
    client.force_login(make_member(make_project(), Role.LEAD))
    assert client.post(address, {"grace_hours": 1}).status_code == 403
    client.force_login(make_member(source.project, Role.LEAD))
    sources_page = f"/admin/curation/source/{source.pk}/change/"
    assert address in client.get(sources_page).content.decode()
    assert client.get(address).status_code == 200
    assert client.post(address, {"grace_hours": -1}).context["key"] == ""
    shown = client.post(address, {"grace_hours": 1}).context["key"]
    assert holder_of(shown, now=utcnow()).source_id == source.pk
    again = client.post(address, {"grace_hours": 1})
    assert again.context["key"] == ""
    assert "rotate its successor" in again.content.decode()
    page = client.get(sources_page).content.decode()
    assert shown not in page
    assert address not in page


def test_the_last_use_of_a_key_is_known_to_the_minute_for_one_update_a_minute() -> None:
    key = make_key(make_project())
    now = utcnow()

    def updates(moment: timedelta) -> int:
        authentication.forget()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            holder_of(key, now=now + moment)
        return sum(query["sql"].startswith("UPDATE") for query in queries)

    assert [updates(timedelta(seconds=seconds)) for seconds in (0, 1, 59, 60, 61)] == [
        1,
        0,
        0,
        1,
        0,
    ]
    assert SourceKey.objects.get().last_used_at == now + timedelta(seconds=60)


def test_an_expired_or_wrong_key_was_not_used() -> None:
    now = utcnow()
    expired = make_key(make_project(), expires_at=now)
    for key in (expired, expired[:-1] + "x"):
        with pytest.raises(BadKey):
            holder_of(key, now=now)
    assert SourceKey.objects.get().last_used_at is None


def allowing(project: Project, *origins: str, is_active: bool = True) -> Source:
    source = make_source(project)
    source.allowed_origins = list(origins)
    source.is_active = is_active
    source.save()
    return source


def preflight(project: str, origin: str = SHOP, path: str = "feedback") -> Any:
    return Client().options(
        f"/api/v1/projects/{project}/{path}",
        headers={"Origin": origin, "Access-Control-Request-Method": "POST"},
    )


def test_a_preflight_is_answered_without_a_key_where_a_source_allows_the_origin() -> None:
    project = make_project()
    allowing(project)
    allowing(project, "https://other.example.com", SHOP)
    response = preflight(project.slug)
    assert (response.status_code, response.content) == (204, b"")
    assert response["Access-Control-Allow-Origin"] == SHOP
    assert "POST" in response["Access-Control-Allow-Methods"]
    assert {"authorization", "content-type"} <= set(
        response["Access-Control-Allow-Headers"].split(", ")
    )
    assert "Origin" in response["Vary"]
    assert "Access-Control-Allow-Credentials" not in response


def test_a_preflight_is_refused_everywhere_else() -> None:
    project, other = make_project(), make_project()
    allowing(project, SHOP)
    allowing(other, "https://off.example.com", is_active=False)
    refused = [
        preflight(project.slug, "https://shop.example.com.evil.org"),
        preflight(project.slug, "http://shop.example.com"),
        preflight(project.slug, "null"),
        preflight(other.slug),
        preflight(other.slug, "https://off.example.com"),
        preflight("no-such-project"),
    ]
    for response in refused:
        assert response.status_code == 403
        assert response["Content-Type"] == "application/problem+json"
        assert "Access-Control-Allow-Origin" not in response


def posted(source: Source, origin: str | None) -> HttpResponse:
    key = make_key(source.project, source=source)
    body = feedback_body(make_prediction(source.project).id)
    headers = {"Origin": origin} if origin else {}
    response: HttpResponse = api_client(key).post(
        f"/api/v1/projects/{source.project.slug}/feedback",
        body,
        content_type="application/json",
        headers=headers,
    )
    assert response.status_code == 201
    return response


def test_an_answer_may_be_read_only_where_the_source_of_its_key_allows_it() -> None:
    project = make_project()
    allowed = allowing(project, SHOP)
    assert posted(allowed, SHOP)["Access-Control-Allow-Origin"] == SHOP
    for source, origin in (
        (allowing(project), SHOP),
        (allowed, "https://evil.org"),
        (allowed, None),
    ):
        response = posted(source, origin)
        assert "Access-Control-Allow-Origin" not in response
        assert "Origin" in response["Vary"]


@pytest.mark.parametrize(
    "refuse",
    [
        lambda client, url: client.post(url, b"junk", content_type="application/json"),
        lambda client, url: client.post(url, b"junk", content_type="text/plain"),
        lambda client, url: client.put(url),
    ],
)
def test_an_allowed_page_can_read_why_it_was_refused(refuse: Callable[..., Any]) -> None:
    source = allowing(make_project(), SHOP)
    client = api_client(make_key(source.project, source=source))
    client.defaults["HTTP_ORIGIN"] = SHOP
    response = refuse(client, f"/api/v1/projects/{source.project.slug}/feedback")
    assert response.status_code in (400, 405, 415)
    assert response["Access-Control-Allow-Origin"] == SHOP


def test_pages_outside_the_api_say_nothing_of_origins(client: Client) -> None:
    allowing(make_project(), SHOP)
    response = client.get("/admin/login/", headers={"Origin": SHOP})
    assert "Access-Control-Allow-Origin" not in response


@pytest.mark.parametrize(
    ("origin", "is_good"),
    [
        (SHOP, True),
        ("http://localhost:5173", True),
        ("http://[::1]:8080", True),
        ("https://shop.example.com/", False),
        ("https://Shop.example.com", False),
        ("https://*.example.com", False),
        ("*", False),
        ("null", False),
        ("shop.example.com", False),
        ("https://shop.example.com\n", False),
    ],
)
def test_origins_are_written_as_browsers_send_them(origin: str, is_good: bool) -> None:
    source = Source(project=make_project(), name="x", allowed_origins=[origin], created_at=utcnow())
    if is_good:
        source.full_clean()
    else:
        with pytest.raises(ValidationError):
            source.full_clean()
