"""Samples: one row for each distinct text, put into a split once, when its cluster is made."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from curation.digest.normalise import content_hash
from curation.models import CurationPolicy, Project, Sample
from curation.models.sample import Split
from feedbackhub.core.sql import execute, statements
from feedbackhub.core.subjects import unit_interval

SQL = statements(Path(__file__).with_name("samples.sql"))
SPLIT_SALT = "split"
# Audit clusters judge candidates; a quarter of them is kept aside to calibrate confidences.
AUDIT_TEST_SHARE = 0.75


@dataclass(frozen=True)
class NewSample:
    """A text that came in, and how."""

    text: str
    origin: str
    """A value of ``Sample.Origin``."""
    prediction_id: UUID | str | None = None
    metadata: Mapping[str, Any] | None = None
    content_hash: bytes | None = None
    """Of the text, when the caller has it already."""


def upsert_samples(*, project: Project, samples: Sequence[NewSample], now: datetime) -> list[int]:
    """The ids of the samples with these texts, in the order given; unknown texts are made samples.

    A new text gets a cluster of its own, whose split is fixed by a hash of the content. A text we
    had keeps its row and its cluster, whatever it comes with this time; of equal texts in one call
    the first decides.
    """
    if not samples:
        return []
    hashes = [given.content_hash or content_hash(given.text) for given in samples]
    first: dict[bytes, NewSample] = {}
    for digest, given in zip(hashes, samples, strict=True):
        first.setdefault(digest, given)
    with transaction.atomic():
        known = _ids_of(project, list(first))
        # Sorted, so that two writers with the same texts wait for, not against, each other.
        missing = sorted(digest for digest in first if digest not in known)
        if missing:
            _insert(project, [(digest, first[digest]) for digest in missing], now)
            known |= _ids_of(project, missing)
    return [known[digest] for digest in hashes]


def split_of(*, origin: str, digest: bytes, test_share: float) -> Split:
    """The split of a new cluster: a function of where it came from and what it says."""
    draw = unit_interval(SPLIT_SALT, digest)
    if origin == Sample.Origin.IMPORT:
        return Split.TEST if draw < test_share else Split.TRAIN
    if origin == Sample.Origin.AUDIT:
        return Split.TEST if draw < AUDIT_TEST_SHARE else Split.CALIBRATE
    return Split.TRAIN


def _ids_of(project: Project, hashes: list[bytes]) -> dict[bytes, int]:
    with connection.cursor() as cursor:
        cursor.execute(SQL["samples_by_content"], {"project": project.pk, "hashes": hashes})
        return {bytes(digest): sample_id for digest, sample_id in cursor.fetchall()}


def _insert(project: Project, new: list[tuple[bytes, NewSample]], now: datetime) -> None:
    policy = CurationPolicy.objects.filter(project=project).first() or CurationPolicy()
    execute(
        SQL["insert_samples"],
        {
            "project": project.pk,
            "hashes": [digest for digest, _ in new],
            "texts": [given.text for _, given in new],
            "origins": [str(given.origin) for _, given in new],
            "predictions": [given.prediction_id for _, given in new],
            "metadata": [
                None if given.metadata is None else json.dumps(dict(given.metadata))
                for _, given in new
            ],
            "splits": [
                str(split_of(origin=given.origin, digest=digest, test_share=policy.test_share))
                for digest, given in new
            ],
            "now": now,
        },
    )
