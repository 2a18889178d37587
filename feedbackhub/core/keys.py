"""API keys at the edge: what a key allows, and the permission that asks for a scope."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

KEYWORD = "Api-Key"


class Scope(StrEnum):
    """What a key may be used for."""

    PREDICT = "predict"
    FEEDBACK = "feedback"
    IMPORT = "import"
    REVIEW = "review"
    MANAGE = "manage"


@dataclass(frozen=True)
class KeyHolder:
    """The authenticated caller of the REST API, found from its key; DRF's ``request.user``."""

    source_id: int
    """The source that owns the key."""
    project_id: int
    """The one project the key opens."""
    project_slug: str
    scopes: frozenset[str]
    name: str
    """The source's name."""
    allowed_origins: frozenset[str] = frozenset()
    """Web pages that may read what the key is answered."""

    is_authenticated: bool = True

    @property
    def actor(self) -> str:
        """Who acted, in histories. No username holds a colon: a source cannot pass for a person."""
        return f"source:{self.name}"

    @property
    def pk(self) -> int:
        """What throttles count by."""
        return self.source_id


def key_of(request: Request) -> str | None:
    """The key in ``Authorization: Api-Key <key>``, or None when there is no such header."""
    # Not request.headers: making those of all headers costs more than the rest of this.
    word, _, key = request._request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return key.strip() or None if word.lower() == KEYWORD.lower() else None


def has_scope(scope: Scope) -> type[BasePermission]:
    """A permission that demands ``scope`` and that the key belongs to the project in the path."""

    class HasScope(BasePermission):
        message = f"This key lacks the scope `{scope}` for this project."

        def has_permission(self, request: Request, view: Any) -> bool:
            holder = request.user
            return (
                isinstance(holder, KeyHolder)
                and scope in holder.scopes
                and view.kwargs.get("project") == holder.project_slug
            )

    return HasScope
