"""The one way a status changes: a guarded UPDATE and a history row in one transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import models, transaction

from feedbackhub.core.models import StatusChange

Moves = Mapping[str, frozenset[str]]


class StaleTransition(Exception):
    """The object was not in the status the caller believed; nothing was changed."""


class ForbiddenTransition(Exception):
    """The table of moves has no such move; nothing was changed."""


def move(
    obj: models.Model,
    *,
    moves: Moves,
    expected: str,
    to: str,
    actor: str,
    now: datetime,
    reason: str = "",
    evidence: Mapping[str, Any] | None = None,
    **changes: Any,
) -> None:
    """Move ``obj`` from status ``expected`` to ``to``, setting ``changes`` in the same statement.

    Raises :class:`ForbiddenTransition` when ``moves`` has no such move, and
    :class:`StaleTransition` when the row is no longer in ``expected``: someone else moved it.
    """
    if to not in moves.get(expected, frozenset()):
        raise ForbiddenTransition(f"{obj._meta.label} cannot go from {expected} to {to}.")
    manager = type(obj)._default_manager
    with transaction.atomic():
        changed = manager.filter(pk=obj.pk, status=expected).update(status=to, **changes)
        if not changed:
            raise StaleTransition(f"{obj._meta.label} {obj.pk} is no longer {expected}.")
        record(
            obj, from_status=expected, to=to, actor=actor, now=now, reason=reason, evidence=evidence
        )
    for name, value in {"status": to, **changes}.items():
        if not isinstance(value, models.expressions.Combinable):
            setattr(obj, name, value)


def record(
    obj: models.Model,
    *,
    from_status: str,
    to: str,
    actor: str,
    now: datetime,
    reason: str = "",
    evidence: Mapping[str, Any] | None = None,
) -> None:
    """Write the history row of a move; alone only for an object's first status."""
    StatusChange.objects.create(
        kind=obj._meta.label_lower,
        object_id=obj.pk,
        from_status=from_status,
        to_status=to,
        actor=actor,
        reason=reason,
        evidence=dict(evidence or {}),
        at=now,
    )


def history(obj: models.Model) -> models.QuerySet[StatusChange]:
    """Every move of ``obj``, oldest first."""
    return StatusChange.objects.filter(kind=obj._meta.label_lower, object_id=obj.pk)
