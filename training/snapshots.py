"""Freezing labels: what a run learns from and was held out from it, under one hash.

The same labels, texts and qualities give the same digest, and with it the same row, so that a
snapshot's name can be compared across runs, hubs and years.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from curation import queries
from curation.models import Project
from curation.models.sample import Split
from feedbackhub.core.sql import execute, statements
from training.models import Snapshot

SQL = statements(Path(__file__).with_name("snapshots.sql"))


class TestLeak(Exception):
    """A sample of another split stood among the training labels; nothing was frozen."""


@dataclass(frozen=True)
class Item:
    """One labelled text, on its way into a snapshot."""

    sample_id: int
    label_id: int
    text: str
    value: str
    weight: float
    """The label's quality, in [0, 1]."""
    origin: str
    split: str


@dataclass(frozen=True)
class TrainingData:
    """What an estimator is fitted on; the lists run in step, (n_samples,) each."""

    texts: list[str]
    values: list[str]
    weights: list[float]
    n_erased: int
    """Items whose text was erased after the snapshot was frozen, left out here."""


def freeze(*, project: Project, min_quality: float, now: datetime) -> Snapshot:
    """The labels of this moment as a snapshot; the row that exists, if nothing has changed.

    Raises :class:`TestLeak` when a training label belongs to a sample outside the train split.
    """
    train = queries.training_labels(project=project, min_quality=min_quality)
    test = queries.test_labels(project=project)
    items = [*_items(train, Split.TRAIN), *_items(test, Split.TEST)]
    _refuse_leaks(items)
    digest = items_digest(items)
    with transaction.atomic():
        snapshot, is_new = Snapshot.objects.get_or_create(
            project=project,
            digest=digest,
            defaults={
                "train_digest": items_digest(i for i in items if i.split == Split.TRAIN),
                "counts": _counts(items),
                "policy": {"min_label_quality": min_quality},
                "created_at": now,
            },
        )
        if is_new:
            _insert(snapshot, items)
    return snapshot


def training_data(snapshot: Snapshot) -> TrainingData:
    """The texts, labels and weights a run learns from, in the snapshot's own order."""
    rows = list(
        snapshot.items.filter(split=Split.TRAIN)
        .order_by("sample_id")
        .values_list("sample_id", "value", "weight")
    )
    texts = queries.texts_of(sample_ids=[sample_id for sample_id, _, _ in rows])
    kept = [row for row in rows if row[0] in texts]
    return TrainingData(
        texts=[texts[sample_id] for sample_id, _, _ in kept],
        values=[value for _, value, _ in kept],
        weights=[weight for _, _, weight in kept],
        n_erased=len(rows) - len(kept),
    )


def items_digest(items: Iterable[Item]) -> str:
    """SHA-256, hexadecimal, over (sample, text hash, value, weight, split) by split and sample."""
    digest = hashlib.sha256()
    for item in sorted(items, key=lambda item: (item.split, item.sample_id)):
        row = [item.sample_id, text_hash(item.text), item.value, item.weight, item.split]
        digest.update(json.dumps(row).encode() + b"\n")
    return digest.hexdigest()


def text_hash(text: str) -> str:
    """SHA-256 of a text, hexadecimal; half surrogate pairs are hashed as they stand."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _items(rows: Iterable[Any], split: str) -> list[Item]:
    return [
        Item(
            sample_id=row.sample_id,
            label_id=row.label_id,
            text=row.text,
            value=row.value,
            weight=row.quality,
            origin=row.origin,
            split=split,
        )
        for row in rows
    ]


def _refuse_leaks(items: Sequence[Item]) -> None:
    """The queries already select by split; this asks the clusters a second time, by sample."""
    train = [item.sample_id for item in items if item.split == Split.TRAIN]
    leaked = queries.outside_split(sample_ids=train, split=Split.TRAIN)
    if leaked:
        raise TestLeak(
            f"{len(leaked)} samples outside the train split stood among the training labels, "
            f"such as {leaked[0]}; nothing was frozen."
        )


def _counts(items: Sequence[Item]) -> dict[str, Any]:
    def of(split: str) -> dict[str, Any]:
        chosen = [item for item in items if item.split == split]
        return {
            "n": len(chosen),
            "labels": dict(sorted(Counter(item.value for item in chosen).items())),
            "origins": dict(sorted(Counter(item.origin for item in chosen).items())),
        }

    return {split: of(split) for split in (Split.TRAIN.value, Split.TEST.value)}


def _insert(snapshot: Snapshot, items: Sequence[Item]) -> None:
    execute(
        SQL["insert_items"],
        {
            "snapshot_id": snapshot.pk,
            "sample_ids": [item.sample_id for item in items],
            "label_ids": [item.label_id for item in items],
            "values": [item.value for item in items],
            "weights": [item.weight for item in items],
            "splits": [item.split for item in items],
        },
    )
