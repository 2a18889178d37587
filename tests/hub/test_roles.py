"""Who may open what: every address of the hub, for every role, stranger and scope of a key.

An address that stands in no table here fails the test: whoever adds one decides who may open it.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from curation.models import RejectedEvent
from feedbackhub.core.keys import Scope
from feedbackhub.core.roles import CAPABILITIES, Can, Role
from tests.factories import (
    NOW,
    api_client,
    make_key,
    make_member,
    make_project,
    make_rollout,
    make_user,
    make_version,
)

pytestmark = pytest.mark.django_db

# What opens a page of a project, and what acts on it; None: there is nothing to do there.
PAGES: dict[str, tuple[Can | None, Can | None]] = {
    "privacy": (Can.CONFIGURE, Can.CONFIGURE),
    "intake": (Can.VIEW, None),
    "intake-live": (Can.VIEW, None),
    "intake-quarantine": (Can.VIEW, Can.CONFIGURE),
    "intake-rules": (Can.VIEW, Can.CONFIGURE),
    "intake-rejected": (Can.VIEW, None),
    "intake-rejected-event": (Can.VIEW, Can.CONFIGURE),
    "samples": (Can.CURATE, None),
    "samples-sample": (Can.CURATE, None),
    "samples-views": (None, Can.CURATE),
    "samples-bulk": (Can.CURATE, None),
    "samples-bulk-new": (Can.CURATE, Can.CURATE),
    "samples-bulk-action": (Can.CURATE, Can.CURATE),
    "samples-files": (Can.CURATE, Can.CURATE),
    "samples-file": (Can.CURATE, None),
    "quality": (Can.CURATE, None),
    "quality-agreement": (Can.CURATE, None),
    "quality-trust": (Can.CURATE, None),
    "quality-trust-live": (Can.CURATE, None),
    "quality-anchoring": (Can.CURATE, None),
    "quality-live": (Can.CURATE, None),
    "quality-value": (Can.CURATE, None),
    "quality-value-live": (Can.CURATE, None),
    "quality-filter": (Can.CURATE, Can.CONFIGURE),
    "quality-filter-live": (Can.CURATE, None),
    "groups": (Can.CURATE, Can.CURATE),
    "groups-live": (Can.CURATE, None),
    "groups-delete": (None, Can.CURATE),
    "review": (Can.REVIEW, None),
    "review-guidelines": (Can.REVIEW, Can.CURATE),
    "review-claim": (None, Can.REVIEW),
    "review-submit": (None, Can.REVIEW),
    "review-skip": (None, Can.REVIEW),
    "review-undo": (None, Can.REVIEW),
    "review-heartbeat": (None, Can.REVIEW),
    "review-release": (None, Can.REVIEW),
    "review-preferences": (None, Can.REVIEW),
    "review-guideline": (None, Can.REVIEW),
    "training": (Can.VIEW, None),
    "training-retrain": (Can.TRAIN, Can.TRAIN),
    "training-cancel": (Can.TRAIN, Can.TRAIN),
    "training-version": (Can.VIEW, None),
    "rollouts": (Can.VIEW, None),
    "rollouts-rollout": (Can.VIEW, None),
    "rollouts-live": (Can.VIEW, None),
    "rollouts-step": (Can.PROMOTE, Can.PROMOTE),
}
SCOPES: dict[str, Scope] = {
    "api-predictions": Scope.PREDICT,
    "api-predictions-batch": Scope.PREDICT,
    "api-feedback": Scope.FEEDBACK,
    "api-feedback-batch": Scope.FEEDBACK,
    "api-feedback-journey": Scope.FEEDBACK,
    "api-samples-batch": Scope.IMPORT,
    "api-export": Scope.MANAGE,
    "api-review-claim": Scope.REVIEW,
    "api-review-submit": Scope.REVIEW,
    "api-review-skip": Scope.REVIEW,
    "api-review-undo": Scope.REVIEW,
    "api-review-heartbeat": Scope.REVIEW,
    "api-review-release": Scope.REVIEW,
    "api-review-words": Scope.REVIEW,
    "api-training-runs": Scope.MANAGE,
    "api-training-run": Scope.MANAGE,
    "api-model-versions": Scope.MANAGE,
    "api-snapshot": Scope.MANAGE,
    "api-snapshot-file": Scope.MANAGE,
    "api-rollouts": Scope.MANAGE,
    "api-rollout": Scope.MANAGE,
    **{
        f"api-rollout-{step}": Scope.MANAGE
        for step in ("start", "advance", "pause", "resume", "promote", "rollback")
    },
}
# For everyone: visitors of the demo, who signs in, and who reads the documentation.
# `explain` opens to whoever has answered the item: its own tests say so.
OPEN = {"explain", "home", "try-index", "try", "try-rate", "api-schema", "api-docs", None}
FILLED = {"project": "reviews", "name": "labels.csv", "file_format": "csv", "step": "promote",
          "tab": "annotators", "choice": "all", "window": "hour"}  # fmt: skip


def addresses() -> dict[str | None, tuple[str, URLPattern]]:
    """Every address outside the admin by its name, for the project ``reviews``."""
    return {each.name: (_filled(path), each) for path, each in _walk(get_resolver().url_patterns)}


def _walk(patterns: list[Any], prefix: str = "/") -> Iterator[tuple[str, URLPattern]]:
    for each in patterns:
        path = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            if each.app_name != "admin":
                yield from _walk(each.url_patterns, path)
        else:
            yield path, each


def _filled(path: str) -> str:
    parts = []
    for part in path.replace("<", "\0<").replace(">", ">\0").split("\0"):
        if part.startswith("<"):
            kind, _, name = part.strip("<>").rpartition(":")
            part = FILLED.get(name) or ("1" if kind == "int" else "x")
        parts.append(part)
    return "".join(parts)


def test_every_address_has_a_rule() -> None:
    assert {*addresses()} == {*PAGES, *SCOPES, *OPEN}


@pytest.mark.parametrize("role", [*Role, None], ids=str)
def test_pages_open_for_whom_they_should(client: Client, role: Role | None) -> None:
    project = make_project(slug="reviews")
    user = make_member(project, role) if role else make_user()
    client.force_login(user)
    objects = {
        "intake-rejected-event": RejectedEvent.objects.create(
            project_id=project.pk, source_id=1, payload="{}", reasons=[], received_at=NOW
        ),
        "rollouts-step": make_rollout(make_version(project), None),
    }
    allowed = CAPABILITIES[role] if role else frozenset()
    found = addresses()
    wrong = []
    for name, rules in PAGES.items():
        path = found[name][0]
        if name in objects:
            path = path.replace("/1/", f"/{objects[name].pk}/")
        for method, capability in zip((client.get, client.post), rules, strict=True):
            status = method(path).status_code
            if capability is None:
                fits = status == 405
            elif role is None:
                fits = status == 404
            elif capability in allowed:
                fits = status not in (401, 403, 405, 500)
            else:
                fits = status == 403
            if not fits:
                wrong.append(f"{method.__name__} {path}: {status}")
    assert not wrong, "\n".join(wrong)


def test_nobody_gets_in_without_signing_in(client: Client) -> None:
    make_project(slug="reviews")
    found = addresses()
    for name, (reading, _) in PAGES.items():
        path = found[name][0]
        said = client.get(path) if reading else client.post(path)
        assert said.status_code in (302, 401, 403), f"{path}: {said.status_code}"
        assert said.status_code != 302 or "/login/" in said["Location"]


@pytest.mark.parametrize("scope", [*Scope, None], ids=str)
def test_a_key_opens_what_its_scope_says(scope: Scope | None) -> None:
    project = make_project(slug="reviews")
    client = api_client(make_key(project, scope)) if scope else api_client(None)
    stranger = api_client(make_key(make_project(slug="other")))
    found = addresses()
    for name, needed in SCOPES.items():
        path, pattern = found[name]
        methods = [m for m in ("get", "post") if hasattr(pattern.callback.view_class, m)]  # type: ignore[attr-defined] # every endpoint is a class
        for method in methods:
            said = getattr(client, method)(path).status_code
            if scope is None:
                assert said == 401, f"{method} {path}: {said}"
            elif scope == needed:
                assert said not in (401, 403, 405, 500), f"{method} {path}: {said}"
            else:
                assert said == 403, f"{method} {path}: {said}"
            assert getattr(stranger, method)(path).status_code == 403


def test_labelling_and_promotion_are_apart() -> None:
    for role in (Role.ANNOTATOR, Role.SENIOR):
        assert not CAPABILITIES[role] & {Can.PROMOTE, Can.TRAIN, Can.CONFIGURE, Can.CURATE}
