"""Authenticated input that could not land is kept, with its reasons, so that it can be replayed."""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from curation.intake.facts import masks, project_facts
from curation.intake.landing import DIFFERS, hashed_name
from curation.intake.masking import mask, mask_within
from curation.intake.metrics import FEEDBACK_EVENTS
from curation.intake.reading import Refused
from curation.intake.schemas import ExternalPrediction, FeedbackRequest
from curation.models import IntakeTally, RejectedEvent, Source

MAX_PAYLOAD = 64 * 1024
NAMES = ("subject", "session")
KEYED = "keyed:"
# Kept as they came, or nobody could look them up.
IDENTIFIERS = ("event_id", "prediction_id", "occurred_at")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
KNOWN = {*FeedbackRequest.__struct_fields__, *ExternalPrediction.__struct_fields__}
# In text that is no JSON the names are cut out where they can be recognised.
_NAMED = re.compile(r'("((?:[^"\\]|\\.)*)"\s*:\s*)(?:"(?:[^"\\]|\\.)*"?|\[[^\]]*\]?|[^\s,}\[{"]+)')


def keep_rejected(
    *, project_id: int, source_id: int, refused: Sequence[Refused], now: datetime
) -> int:
    """Store refused payloads, without the names of subjects and sessions, at most 64 KB each.

    One that has a position is stored once, however often it is delivered. Of each source so many
    are kept a day as the project's policy says; the others are counted. Returns how many were kept.
    """
    facts = project_facts(project_id)
    with transaction.atomic():
        room = facts.policy.rejected_per_day - _kept_today(project_id, source_id, now)
        kept = list(refused[: max(0, room)])
        RejectedEvent.objects.bulk_create(
            [_row(one, project_id, source_id, now) for one in kept], ignore_conflicts=True
        )
        IntakeTally.objects.create(
            project_id=project_id,
            source_id=source_id,
            received_at=now,
            rejected=len(refused),
            # Landing took them for duplicates.
            duplicates=-sum(1 for one in refused if _is_conflict(one)),
        )
    FEEDBACK_EVENTS.labels(facts.project.slug, "rejected").inc(len(refused))
    return len(kept)


def _is_conflict(one: Refused) -> bool:
    return any(error["message"] == DIFFERS for error in one.errors)


def _kept_today(project_id: int, source_id: int, now: datetime) -> int:
    """How many were kept since midnight UTC; the source is locked, so that requests take turns."""
    list(Source.objects.select_for_update(no_key=True).filter(pk=source_id).values_list("pk"))
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return RejectedEvent.objects.filter(
        project_id=project_id, source_id=source_id, received_at__gte=midnight
    ).count()


def _row(one: Refused, project_id: int, source_id: int, now: datetime) -> RejectedEvent:
    return RejectedEvent(
        project_id=project_id,
        source_id=source_id,
        payload=presentable(one.payload, project_id=project_id),
        reasons=[
            {name: text.replace("\0", "�") for name, text in error.items()} for error in one.errors
        ],
        received_at=now,
        position=one.position,
    )


def presentable(payload: bytes, *, project_id: int) -> str:
    """A payload as text that Postgres can store, with keyed hashes in place of names.

    Masked where the project asks for that, in the fields that hold what people wrote.
    """
    text = payload.decode("utf-8", "replace")
    is_masked = masks(project_id)
    try:
        value = _without_names(json.loads(text), project_id)
        text = json.dumps(_masked(value) if is_masked else value, ensure_ascii=False)
    except (ValueError, RecursionError):
        text = _NAMED.sub(_cut, text)
        text = mask(text) if is_masked else text
    storable = text.encode("utf-8", "replace")[:MAX_PAYLOAD].decode("utf-8", "ignore")
    return storable.replace("\0", "�")


def _without_names(value: Any, project_id: int) -> Any:
    """Without the names of subjects and sessions, however their fields were spelt."""
    if isinstance(value, list):
        return [_without_names(item, project_id) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: (
            _hidden(inner, project_id)
            if key in NAMES
            else inner
            if key in KNOWN - {"prediction"}
            else _unknown(inner, project_id)
        )
        for key, inner in value.items()
    }


def _unknown(value: Any, project_id: int) -> Any:
    """What stands in a field that no event has; a mended name leads to the same subject.

    What can be nobody's name (a rating, a label, an id of ours) stays: a typo can be mended.
    """
    if isinstance(value, list):
        return [_unknown(item, project_id) for item in value]
    if isinstance(value, dict):
        return _without_names(value, project_id)
    if isinstance(value, bool) or value in ("up", "down", *project_facts(project_id).labels):
        return value
    if isinstance(value, str) and _UUID.fullmatch(value):
        return value
    return _hidden(value, project_id)


def _cut(found: re.Match[str]) -> str:
    name = found[2]
    return found[0] if name in KNOWN and name not in NAMES else f'{found[1]}"(removed)"'


def _masked(value: Any) -> Any:
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if not isinstance(value, dict):
        return mask_within(value)
    return {
        key: inner if key in (*NAMES, *IDENTIFIERS) else mask_within(inner)
        for key, inner in value.items()
    }


def _hidden(name: Any, project_id: int) -> Any:
    if not isinstance(name, str):
        return None if name is None else "(removed)"
    storable = name.encode("utf-8", "replace").decode()
    return f"{KEYED}{hashed_name(storable, project_id=project_id)}"
