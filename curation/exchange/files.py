"""The files a project's labels can be taken along in."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from curation.exchange import formats, label_studio
from curation.exchange.formats import CONTENT_TYPES, Columns, Format
from curation.exchange.labels import TakenLabel, Wanted, answers, chunks

LABEL_STUDIO = "label-studio.json"
COLUMNS: Columns = {
    "sample_id": "whole",
    "content_hash": "text",
    "text": "text",
    "label": "text",
    "quality": "number",
    "origin": "text",
    "reasons": "json",
    "split": "text",
    "cluster_id": "whole",
    "language": "text",
    "metadata": "json",
    "labelled_at": "moment",
}


def names() -> list[str]:
    """The names of the files there are."""
    return [*(f"labels.{each}" for each in Format), LABEL_STUDIO]


def content_type(*, name: str) -> str:
    """What a file of this name holds."""
    return label_studio.CONTENT_TYPE if name == LABEL_STUDIO else CONTENT_TYPES[_format(name)]


def stream(*, project_id: int, name: str, wanted: Wanted) -> Iterator[bytes]:
    """The bytes of the file with this name, read from the database as they are sent."""
    taken = chunks(project_id=project_id, wanted=wanted)
    if name == LABEL_STUDIO:
        return label_studio.encode(_tasks(chunk) for chunk in taken)
    rows = ([asdict(each) for each in chunk] for chunk in taken)
    return formats.encode(rows, columns=COLUMNS, file_format=_format(name))


def _format(name: str) -> Format:
    return Format(name.partition(".")[2])


def _tasks(chunk: Sequence[TakenLabel]) -> list[dict[str, object]]:
    said = answers(sample_ids=[each.sample_id for each in chunk])
    return [
        label_studio.task(
            sample_id=each.sample_id,
            text=each.text,
            label=each.label,
            origin=each.origin,
            quality=each.quality,
            answers=[
                (one.value, one.submitted_at, one.seconds_spent)
                for one in said.get(each.sample_id, ())
            ],
            meta={
                "content_hash": each.content_hash,
                "label": each.label,
                "quality": each.quality,
                "origin": each.origin,
                "split": each.split,
                "language": each.language,
                "metadata": each.metadata,
            },
        )
        for each in chunk
    ]
