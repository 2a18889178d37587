"""Who calls the REST API: ``Authorization: Api-Key <key>`` → the source that owns the key.

A key that was good is believed for a second without asking the database again, so a revocation
takes effect within one second in every process.
"""

import hashlib
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_api_key.crypto import KeyGenerator

from curation.models import SourceKey
from feedbackhub.core.clock import utcnow
from feedbackhub.core.keys import KEYWORD, KeyHolder, key_of

SECONDS_BELIEVED = 1.0
MOST_REMEMBERED = 1_000
# How exactly the last use of a key is known: each step costs one small UPDATE.
USED_EVERY = timedelta(minutes=1)

_generator = KeyGenerator()
# By the key's hash, so that no plaintext key lies about in memory.
_believed: dict[bytes, "_Believed"] = {}


@dataclass(frozen=True)
class _Believed:
    holder: KeyHolder
    until: float
    expires_at: datetime | None


class BadKey(Exception):
    """The key opens nothing; the message says why as far as its sender may know."""


class ApiKeyAuthentication(BaseAuthentication):
    """Finds the :class:`KeyHolder` of a request; leaves a request without a key anonymous."""

    def authenticate(self, request: Request) -> tuple[KeyHolder, None] | None:
        """The holder of the request's key; raises 401 when the key is no good (any more)."""
        key = key_of(request)
        if key is None:
            return None
        try:
            return holder_of(key, now=utcnow()), None
        except BadKey as error:
            raise AuthenticationFailed(str(error)) from None

    def authenticate_header(self, request: Request) -> str:
        """Makes a missing or bad key 401, not 403."""
        return KEYWORD


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes the key in the OpenAPI document."""

    target_class = "curation.intake.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """An API key in the ``Authorization`` header."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": f"`{KEYWORD} <key>`; each key belongs to one project and has scopes.",
        }


def holder_of(key: str, *, now: datetime) -> KeyHolder:
    """The holder of a plaintext key; raises :class:`BadKey`."""
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
    moment = time.monotonic()
    known = _believed.get(digest)
    if known is None or known.until <= moment:
        known = _look_up(key, until=moment + SECONDS_BELIEVED, now=now)
        if len(_believed) >= MOST_REMEMBERED:
            _believed.clear()
        _believed[digest] = known
    if known.expires_at is not None and known.expires_at <= now:
        raise BadKey(f"This key expired on {known.expires_at:%Y-%m-%d %H:%M} UTC.")
    return known.holder


def forget() -> None:
    """Believe no key without asking, as after a second."""
    _believed.clear()


def _look_up(key: str, *, until: float, now: datetime) -> _Believed:
    prefix, _, _ = key.partition(".")
    row = (
        SourceKey.objects.filter(prefix=prefix.replace("\0", ""))
        .annotate(
            source_name=F("source__name"),
            is_active=F("source__is_active"),
            project_id=F("source__project_id"),
            project_slug=F("source__project__slug"),
            allowed_origins=F("source__allowed_origins"),
        )
        .values()
        .first()
    )
    if row is None or not _generator.verify(key, row["hashed_key"]):
        raise BadKey("This key is not known.")
    if row["revoked"]:
        raise BadKey("This key was revoked.")
    if not row["is_active"]:
        raise BadKey(f"The source {row['source_name']} of this key is switched off.")
    _note_use(row, now)
    holder = KeyHolder(
        source_id=row["source_id"],
        project_id=row["project_id"],
        project_slug=row["project_slug"],
        scopes=frozenset(row["scopes"]),
        name=row["source_name"],
        allowed_origins=frozenset(row["allowed_origins"]),
    )
    return _Believed(holder=holder, until=until, expires_at=row["expiry_date"])


def _note_use(row: dict[str, Any], now: datetime) -> None:
    """Write down that a key was used, at most once a minute however many processes see it."""
    if row["expiry_date"] is not None and row["expiry_date"] <= now:
        return
    if row["last_used_at"] is None or row["last_used_at"] <= now - USED_EVERY:
        SourceKey.objects.filter(
            Q(last_used_at=None) | Q(last_used_at__lte=now - USED_EVERY), pk=row["id"]
        ).update(last_used_at=now)
