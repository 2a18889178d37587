"""Sources and their keys: made here, shown once."""

from collections.abc import Iterable
from datetime import datetime

from curation.models import Project, Source, SourceKey
from feedbackhub.core.keys import Scope


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
    _, key = SourceKey.objects.create_key(
        name=f"{source_name} {now:%Y-%m-%d}"[:50],
        source=source,
        scopes=[str(scope) for scope in scopes],
        expiry_date=expires_at,
    )
    return str(key)
