"""A client's address is stored as a keyed hash, where it is a user's, and not believed blindly."""

from ipaddress import ip_network
from typing import Any

import pytest
from django.conf import settings as hub_settings
from pytest_django import Settings

from curation.intake.addresses import client_address
from curation.models import Feedback, Project, Source
from feedbackhub.core.subjects import keyed_hash
from tests.factories import api_client, feedback_body, make_key, make_project, make_source

PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
JSON = "application/json"


@pytest.mark.parametrize(
    ("sender", "forwarded", "is_called_by_pages", "found"),
    [
        # Who calls is who it is, where pages call; a frontend's server is nobody.
        ("203.0.113.9", None, True, "203.0.113.9"),
        ("203.0.113.9", None, False, None),
        # A header from just anyone is not believed, and makes its sender a go-between.
        ("203.0.113.9", "198.51.100.1", True, None),
        ("203.0.113.9", "198.51.100.1", False, None),
        # From a proxy that is trusted the header is, also for a frontend's server.
        ("10.0.0.1", "198.51.100.1", True, "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1", False, "198.51.100.1"),
        ("::ffff:10.0.0.1", "198.51.100.1", False, "198.51.100.1"),
        # Read from the right: what a client wrote itself stands further left.
        ("10.0.0.1", "1.2.3.4, 198.51.100.1, 10.9.9.9", True, "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, nonsense", True, None),
        ("10.0.0.1", "10.0.0.2", True, None),
        ("10.0.0.1", "", True, None),
        ("10.0.0.1", None, True, None),
        # A subscriber has a whole network of IPv6.
        ("10.0.0.1", "2001:db8:1:2:aaaa::1", True, "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::2", None, True, "2001:db8:1:2::/64"),
        ("", None, True, None),
        ("unix:", "198.51.100.1", True, None),
    ],
)
def test_whose_address_it_is(
    sender: str, forwarded: str | None, is_called_by_pages: bool, found: str | None
) -> None:
    assert found == client_address(
        sender=sender,
        forwarded=forwarded,
        is_called_by_pages=is_called_by_pages,
        trusted=PROXIES,
    )


def post(source: Source, path: str, body: Any, **headers: str) -> None:
    client = api_client(make_key(source.project, source=source))
    address = f"/api/v1/projects/{source.project.slug}/{path}"
    answer = client.post(address, body, content_type=JSON, headers=headers, REMOTE_ADDR="10.1.1.1")
    assert answer.status_code in (200, 201), answer.content


def stored(project: Project, address: str) -> bytes:
    name = f"\0address:{address}"
    return keyed_hash(name, key=hub_settings.SUBJECT_HASH_KEY, project_id=project.pk)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["feedback", "feedback/batch"])
def test_only_the_hash_of_the_address_lands_with_the_event(path: str, settings: Settings) -> None:
    project = make_project()
    pages = make_source(project, name="pages", allowed_origins=["https://shop.example"])
    server = make_source(project, name="server")
    body = feedback_body(None, prediction={"text": "soup", "label": "positive"})
    bodies = [{**body, "event_id": f"{number}"} for number in range(3)]
    sent = [[each] if path.endswith("batch") else each for each in bodies]
    post(pages, path, sent[0])
    post(server, path, sent[1])
    settings.TRUSTED_PROXIES = PROXIES
    post(server, path, sent[2], x_forwarded_for="198.51.100.1")
    hashes = Feedback.objects.order_by("event_id").values_list("address_hash", flat=True)
    found = [None if one is None else bytes(one) for one in hashes]
    assert found == [stored(project, "10.1.1.1"), None, stored(project, "198.51.100.1")]
