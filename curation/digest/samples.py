"""Samples: one row for each distinct text, put into a split once, when its cluster is made."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from curation.digest.language import language_of
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
    had keeps its row and its cluster, whatever it comes with this time, and even if it was erased
    meanwhile; of equal texts in one call the first decides.
    """
    if not samples:
        return []
    hashes = [given.content_hash or content_hash(given.text) for given in samples]
    first: dict[bytes, NewSample] = {}
    for digest, given in zip(hashes, samples, strict=True):
        first.setdefault(digest, given)
    with transaction.atomic():
        known, erased = _known(project, list(first))
        if erased:
            execute(SQL["revive_samples"], _parameters(project, [(d, first[d]) for d in erased]))
        # Sorted, so that two writers with the same texts wait for, not against, each other.
        missing = sorted(digest for digest in first if digest not in known)
        if missing:
            _insert(project, [(digest, first[digest]) for digest in missing], now)
            known |= _known(project, missing)[0]
    return [known[digest] for digest in hashes]


def split_of(*, origin: str, digest: bytes, test_share: float) -> Split:
    """The split of a new cluster: a function of where it came from and what it says."""
    draw = unit_interval(SPLIT_SALT, digest)
    if origin == Sample.Origin.IMPORT:
        return Split.TEST if draw < test_share else Split.TRAIN
    if origin == Sample.Origin.AUDIT:
        return Split.TEST if draw < AUDIT_TEST_SHARE else Split.CALIBRATE
    return Split.TRAIN


def _known(project: Project, hashes: list[bytes]) -> tuple[dict[bytes, int], list[bytes]]:
    """The ids of the samples there are, and the hashes of those without their text."""
    with connection.cursor() as cursor:
        cursor.execute(SQL["samples_by_content"], {"project": project.pk, "hashes": hashes})
        rows = [(bytes(digest), pk, is_erased) for digest, pk, is_erased in cursor.fetchall()]
    erased = sorted(digest for digest, _, is_erased in rows if is_erased)
    return {digest: pk for digest, pk, _ in rows}, erased


def _insert(project: Project, new: list[tuple[bytes, NewSample]], now: datetime) -> None:
    policy = CurationPolicy.objects.filter(project=project).first() or CurationPolicy()
    execute(
        SQL["insert_samples"],
        {
            **_parameters(project, new),
            "languages": [language_of(given.text) for _, given in new],
            "origins": [str(given.origin) for _, given in new],
            "splits": [
                str(split_of(origin=given.origin, digest=digest, test_share=policy.test_share))
                for digest, given in new
            ],
            "now": now,
        },
    )


def _parameters(project: Project, given: list[tuple[bytes, NewSample]]) -> dict[str, Any]:
    """What the statements that write texts share; the lists run in step."""
    return {
        "project": project.pk,
        "hashes": [digest for digest, _ in given],
        "texts": [sample.text for _, sample in given],
        "predictions": [sample.prediction_id for _, sample in given],
        "metadata": [
            None if sample.metadata is None else json.dumps(dict(sample.metadata))
            for _, sample in given
        ],
    }
