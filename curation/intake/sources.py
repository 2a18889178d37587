"""Sources and their keys: made here, shown once, replaced without downtime."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from curation.models import Project, Source, SourceKey
from feedbackhub.core.keys import Scope

GRACE = timedelta(days=1)


class CannotRotate(Exception):
    """The key cannot be replaced; the message says what to do instead."""


def create_source_key(
    *,
    project: Project,
    source_name: str,
    scopes: Iterable[Scope],
    now: datetime,
    expires_at: datetime | None = None,
) -> str:
    """A new key for a source, which is made when it is new; the plaintext is shown only here."""
    source, _ = Source.objects.get_or_create(
        project=project, name=source_name, defaults={"created_at": now}
    )
    return _make(source, scopes=[str(scope) for scope in scopes], now=now, expires_at=expires_at)


def rotate_key(*, prefix: str, now: datetime, grace: timedelta = GRACE) -> str:
    """A successor of a key, valid beside it for ``grace``; the plaintext is shown only here.

    It has the scopes of the old key and, if that expires, as long a life. The old key opens the hub
    until ``now + grace`` or its own expiry, whichever is earlier. Raises :class:`CannotRotate`.
    """
    with transaction.atomic():
        # The lock makes the second of two rotations at once see the first.
        old = SourceKey.objects.select_for_update(of=("self",)).filter(prefix=prefix).first()
        if old is None:
            raise CannotRotate(f"There is no key that begins with `{prefix}`.")
        _require_replaceable(old, now)
        ends = old.expiry_date
        old.replaced_at = now
        old.expiry_date = min(now + grace, ends) if ends else now + grace
        old.save(update_fields=["replaced_at", "expiry_date"])
        return _make(
            old.source,
            scopes=old.scopes,
            now=now,
            expires_at=ends and now + (ends - old.created),
        )


def _require_replaceable(key: SourceKey, now: datetime) -> None:
    if key.revoked:
        raise CannotRotate("This key was revoked; create a new one.")
    if key.replaced_at:
        raise CannotRotate(
            f"This key was replaced on {key.replaced_at:%Y-%m-%d %H:%M} UTC; rotate its successor."
        )
    if key.expiry_date and key.expiry_date <= now:
        raise CannotRotate("This key has expired; create a new one.")


def _make(source: Source, *, scopes: list[str], now: datetime, expires_at: datetime | None) -> str:
    _, key = SourceKey.objects.create_key(
        name=f"{source.name} {now:%Y-%m-%d}"[:50],
        source=source,
        scopes=scopes,
        expiry_date=expires_at,
    )
    return str(key)
