"""Erasing a subject: everything that tells who they are or what they wrote, step by step.

Each step is one transaction that writes down that it is done, so that whatever stops an erasure
the next look goes on where it stood. Rows keep a random tombstone in place of the subject: how many
subjects and predictions an arm had stays as it was, and nothing leads back to the person.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from curation.digest.near import forget
from curation.intake.rejects import KEYED
from curation.models import Erasure, Project
from curation.review.items import lock_items
from feedbackhub.core.sql import execute, statements
from feedbackhub.core.subjects import keyed_hash, tombstone

SQL = statements(Path(__file__).with_name("erasure.sql"))
ERASED_PAYLOAD = "(erased)"
DIGEST_SALT = b"erasure:"


def request_erasure(
    *, project: Project, subject: str, requested_by: str, reason: str, now: datetime
) -> Erasure:
    """Write down that ``subject`` is to be erased; the open request, if there is one already.

    Covers what was received until it is carried out. What the subject sends later is theirs again.
    """
    subject_hash = keyed_hash(subject, key=settings.SUBJECT_HASH_KEY, project_id=project.pk)
    erasure, _ = Erasure.objects.get_or_create(
        project=project,
        subject_digest=_digest(subject_hash),
        finished_at=None,
        defaults={
            "subject_hash": subject_hash,
            "tombstone": tombstone(),
            "requested_by": requested_by,
            "reason": reason,
            "requested_at": now,
        },
    )
    return erasure


def carry_out(*, erasure: Erasure, now: datetime) -> Erasure:
    """Do every step that is not done yet; safe to repeat, to interrupt and to run twice at once."""
    for name, step in STEPS.items():
        if name == "outcomes":
            _wait_for_digests(erasure)
        with transaction.atomic():
            locked = Erasure.objects.select_for_update().get(pk=erasure.pk)
            if name in locked.done or locked.finished_at is not None:
                continue
            locked.counts[name] = step(locked, now)
            locked.done.append(name)
            locked.save(update_fields=["counts", "done", "sample_ids"])
    erasure.refresh_from_db()
    return erasure


def finish(*, erasure: Erasure, versions: Sequence[str], now: datetime) -> None:
    """Close an erasure whose steps are done, and let it forget whose it was."""
    Erasure.objects.filter(pk=erasure.pk, finished_at=None, done__contains=list(STEPS)).update(
        versions=list(versions), finished_at=now, subject_hash=None, tombstone=None, sample_ids=[]
    )
    erasure.refresh_from_db()


def _digest(subject_hash: bytes) -> bytes:
    """Proves to who has key and name that they were erased; joins with no row."""
    key = settings.SUBJECT_HASH_KEY.encode()
    return hmac.digest(key, DIGEST_SALT + subject_hash, hashlib.sha256)


def _parameters(erasure: Erasure) -> dict[str, Any]:
    assert erasure.subject_hash is not None
    assert erasure.tombstone is not None
    return {
        "project": erasure.project_id,
        "subject": bytes(erasure.subject_hash),
        "tombstone": bytes(erasure.tombstone),
    }


def _predictions(erasure: Erasure, now: datetime) -> int:
    return _erase_events("erase_predictions", erasure)


def _feedback(erasure: Erasure, now: datetime) -> int:
    return _erase_events("erase_feedback", erasure)


def _unnamed_predictions(erasure: Erasure, now: datetime) -> int:
    return _erase_events("erase_unnamed_predictions", erasure)


def _erase_events(statement: str, erasure: Erasure) -> int:
    """Change event rows, which their trigger allows in this transaction alone."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL feedbackhub.erasure = 'on'")
    return execute(SQL[statement], _parameters(erasure))


def _wait_for_digests(erasure: Erasure) -> None:
    execute(SQL["wait_for_digests"], {"project": erasure.project_id})


def _outcomes(erasure: Erasure, now: datetime) -> int:
    return execute(SQL["erase_outcomes"], _parameters(erasure))


def _trust(erasure: Erasure, now: datetime) -> int:
    """What was counted about the subject; of the voices themselves only whether they were right."""
    params = _parameters(erasure)
    execute(SQL["wait_for_weighings"], params)
    execute(SQL["erase_adjudicated_voices"], params)
    return execute(SQL["erase_trust"], params)


def _samples(erasure: Erasure, now: datetime) -> int:
    """Texts, what annotators wrote about them, and the queue items that would show them."""
    with connection.cursor() as cursor:
        cursor.execute(SQL["samples_of_subject"], _parameters(erasure))
        texts = dict(cursor.fetchall())
    found = list(texts)
    erasure.sample_ids = found
    lock_items(sample_ids=found)
    erasure.counts["notes"] = execute(SQL["erase_notes"], {"samples": found})
    erasure.counts["review_items"] = execute(SQL["close_items"], {"samples": found, "now": now})
    forget(project_id=erasure.project_id, texts=texts)
    with connection.cursor() as cursor:
        cursor.execute(SQL["erase_samples"], {"samples": found})
        return int(cursor.fetchone()[0])


def _rejected(erasure: Erasure, now: datetime) -> int:
    params = _parameters(erasure)
    keyed = f"{KEYED}{params['subject'].hex()}"
    execute(SQL["erase_errors"], params)
    return execute(SQL["erase_rejected"], {**params, "keyed": keyed, "erased": ERASED_PAYLOAD})


# In this order: each step finds its rows by what the one before it left.
STEPS: Mapping[str, Callable[[Erasure, datetime], int]] = {
    "predictions": _predictions,
    "feedback": _feedback,
    "unnamed_predictions": _unnamed_predictions,
    "outcomes": _outcomes,
    "trust": _trust,
    "samples": _samples,
    "rejected": _rejected,
}
