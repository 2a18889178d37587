"""The labels of a project, streamed in the order of their samples for whoever takes them along."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from curation.models.sample import Label, Split
from feedbackhub.core.sql import fetch, statements

SQL = statements(Path(__file__).with_name("labels.sql"))
# Rows read at a time: megabytes at most, and no transaction stays open while a client is slow.
CHUNK = 2_000
SPLITS = (*Split.values, "none")
ORIGINS = tuple(Label.Origin.values)


@dataclass(frozen=True)
class Wanted:
    """Which labels to take."""

    split: str | None = None
    """A split, ``none`` for samples in no split, or None for all."""
    origin: str | None = None
    min_quality: float = 0.0
    unlabelled: bool = False
    """Texts without a label too."""


@dataclass(frozen=True)
class TakenLabel:
    """A sample with its current label and grounds; label and quality are None where it has none."""

    sample_id: int
    content_hash: str
    text: str
    label: str | None
    quality: float | None
    origin: str | None
    reasons: Any
    split: str | None
    cluster_id: int | None
    language: str
    metadata: Any
    labelled_at: datetime | None


@dataclass(frozen=True)
class Answer:
    """What one annotator said about a sample."""

    sample_id: int
    value: str
    submitted_at: datetime
    seconds_spent: float | None
    is_blind: bool


def chunks(*, project_id: int, wanted: Wanted, size: int = CHUNK) -> Iterator[Sequence[TakenLabel]]:
    """The labels as they are when each chunk is read, by sample.

    Labels that change during a long export are read once, before or after: what must be the same
    for ever is a snapshot, named by its hash.
    """
    after = 0
    while True:
        found = fetch(
            SQL["labels"],
            {
                "project": project_id,
                "after": after,
                "size": size,
                "split": wanted.split,
                "origin": wanted.origin,
                "min_quality": wanted.min_quality,
                "unlabelled": wanted.unlabelled and wanted.origin is None,
            },
            into=TakenLabel,
        )
        if found:
            yield found
        if len(found) < size:
            return
        after = found[-1].sample_id


def answers(*, sample_ids: Sequence[int]) -> dict[int, list[Answer]]:
    """The standing answers about these samples, by sample."""
    found: dict[int, list[Answer]] = {}
    for each in fetch(SQL["answers"], {"samples": list(sample_ids)}, into=Answer):
        found.setdefault(each.sample_id, []).append(each)
    return found
