"""A frozen snapshot as a file: asked for by its hash, it holds the same rows for ever."""

from collections.abc import Iterator, Sequence
from typing import Any

from curation import queries
from curation.exchange.formats import Columns, Format, encode
from training.models import Snapshot

CHUNK = 2_000
COLUMNS: Columns = {
    "sample_id": "whole",
    "text": "text",
    "label": "text",
    "weight": "number",
    "split": "text",
}


def stream(snapshot: Snapshot, *, file_format: Format) -> Iterator[bytes]:
    """The rows by split and sample, as the hash reads them; the text of an erased one is null."""
    return encode(_chunks(snapshot), columns=COLUMNS, file_format=file_format)


def _chunks(snapshot: Snapshot) -> Iterator[Sequence[dict[str, Any]]]:
    for split in sorted(set(snapshot.items.values_list("split", flat=True))):
        after = 0
        while chunk := list(
            snapshot.items.filter(split=split, sample_id__gt=after)
            .order_by("sample_id")
            .values_list("sample_id", "value", "weight")[:CHUNK]
        ):
            texts = queries.texts_of(sample_ids=[sample_id for sample_id, _, _ in chunk])
            yield [
                {
                    "sample_id": sample_id,
                    "text": texts.get(sample_id),
                    "label": value,
                    "weight": weight,
                    "split": split,
                }
                for sample_id, value, weight in chunk
            ]
            after = chunk[-1][0]
