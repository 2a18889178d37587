"""Rows of TSV, CSV, JSONL, Parquet and Label Studio files, streamed, each with its place."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.intake.label_studio import NotTasks, read_tasks

# Far above the longest text; an unclosed quote would otherwise swallow the rest of the file.
MAX_CELL = 128 * 1024
DELIMITERS = {".tsv": "\t", ".tab": "\t", ".csv": ","}
JSON_LINES = (".jsonl", ".ndjson")
PARQUET = (".parquet", ".pq")
# A list of tasks as Label Studio exports it.
TASKS = ".json"
KNOWN = (*DELIMITERS, *JSON_LINES, *PARQUET, TASKS)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class CannotImport(Exception):
    """The file as a whole cannot be imported; the message is one line for a person."""


@dataclass(frozen=True)
class Row:
    """One row of a file: where it stands, how much of the file is read, what it says."""

    number: int
    """The line it ends on, from 1; of a Parquet file, the row; of Label Studio's, the task."""
    position: int
    """Units of :func:`size` read so far."""
    values: Mapping[str, Any] | None
    """By column; None when the row cannot be read."""
    error: str = ""
    """Why it cannot be read."""


def size(path: Path) -> tuple[int, str]:
    """How much there is to read, and in which unit; raises :class:`CannotImport`."""
    _check(path)
    if path.suffix.lower() in PARQUET:
        return _open_parquet(path).metadata.num_rows, " rows"
    return path.stat().st_size, "B"


def read_rows(
    path: Path, *, columns: Sequence[str], is_quoted: bool | None = None
) -> Iterator[Row]:
    """The rows of a file by its extension; raises :class:`CannotImport`, also for a lost column.

    ``columns`` are that of the text and, where labels are wanted, that of the label.
    ``is_quoted`` says whether quotes enclose cells: by default in CSV they do and in TSV, whose
    dumps hold quotes as plain characters, they do not.
    """
    _check(path)
    suffix = path.suffix.lower()
    if suffix in PARQUET:
        return _parquet_rows(path, columns)
    if suffix in JSON_LINES:
        return _json_rows(path, columns)
    if suffix == TASKS:
        return _task_rows(path, *columns)
    quoted = suffix == ".csv" if is_quoted is None else is_quoted
    return _table_rows(path, columns, delimiter=DELIMITERS[suffix], is_quoted=quoted)


def _check(path: Path) -> None:
    if path.suffix.lower() not in KNOWN:
        raise CannotImport(
            f"{path.name}: cannot read this kind of file; known: {', '.join(KNOWN)}."
        )
    try:
        with path.open("rb") as file:
            head = file.read(2)
    except OSError as error:
        raise CannotImport(f"{path}: {error.strerror}.") from None
    if head in _UTF16:
        raise CannotImport(f"{path.name} is UTF-16; save it as UTF-8.")


class _Lines:
    """The lines of a file as text, counting bytes; bytes that are no UTF-8 become surrogates."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.position = 0

    def __iter__(self) -> Iterator[str]:
        with self._path.open("rb") as file:
            for raw in file:
                line = raw if self.position else raw.removeprefix(b"\xef\xbb\xbf")
                self.position += len(raw)
                yield line.decode("utf-8", "surrogateescape")


def _table_rows(
    path: Path, columns: Sequence[str], *, delimiter: str, is_quoted: bool
) -> Iterator[Row]:
    csv.field_size_limit(MAX_CELL)
    lines = _Lines(path)
    reader = csv.reader(
        lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if is_quoted else csv.QUOTE_NONE
    )
    header = next(reader, None)
    if header is None:
        raise CannotImport(f"{path.name} is empty.")
    _require(path, columns, header)
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield Row(reader.line_num, lines.position, None, f"cannot be read: {error}")
            continue
        if cells is None:
            return
        if cells:
            yield _table_row(cells, header, reader.line_num, lines.position)


def _table_row(cells: list[str], header: list[str], number: int, position: int) -> Row:
    if len(cells) > len(header):
        error = f"has {len(cells)} cells, the header has {len(header)}"
        return Row(number, position, None, error)
    return Row(number, position, dict(zip(header, cells, strict=False)))


def _json_rows(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    lines = _Lines(path)
    is_checked = False
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield Row(number, lines.position, None, f"is not JSON: {error}")
            continue
        if not isinstance(values, dict):
            yield Row(number, lines.position, None, "is not an object")
            continue
        if not is_checked:
            _require(path, columns, list(values))
            is_checked = True
        yield Row(number, lines.position, values)


def _task_rows(path: Path, text: str, choice: str | None = None) -> Iterator[Row]:
    with path.open("rb") as file:
        try:
            for number, values, error in read_tasks(file, text=text, choice=choice):
                yield Row(number, file.tell(), values, error)
        except NotTasks as error:
            raise CannotImport(
                f"{path.name}: {error}. Export from Label Studio as JSON or JSON-MIN, or save "
                "one object a line as .jsonl."
            ) from None


def _parquet_rows(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    file = _open_parquet(path)
    _require(path, columns, file.schema_arrow.names)
    number = 0
    for batch in file.iter_batches(batch_size=1_000, columns=list(columns)):
        for values in batch.to_pylist():
            number += 1
            yield Row(number, number, values)


def _open_parquet(path: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except pa.ArrowInvalid:
        raise CannotImport(f"{path.name} is not a Parquet file.") from None


def _require(path: Path, columns: Sequence[str], found: Sequence[str]) -> None:
    for name in columns:
        if name not in found:
            raise CannotImport(
                f"{path.name} has no column `{name}`; it has: {', '.join(found[:20])}."
            )
