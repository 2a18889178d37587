"""Rows as JSON Lines, CSV or Parquet, chunk by chunk: what has been written is forgotten. Pure."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

import msgspec

# pyarrow takes long to import: only those who write Parquet pay.
if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["whole", "number", "text", "moment", "json"]
Columns = Mapping[str, Kind]
Row = Mapping[str, Any]


class Format(StrEnum):
    """A kind of file, by its extension."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


CONTENT_TYPES: Mapping[Format, str] = {
    Format.JSONL: "application/x-ndjson",
    Format.CSV: "text/csv; charset=utf-8",
    Format.PARQUET: "application/vnd.apache.parquet",
}


def encode(
    chunks: Iterable[Sequence[Row]], *, columns: Columns, file_format: Format
) -> Iterator[bytes]:
    """The bytes of a file with these columns; the same rows give the same bytes."""
    writers = {Format.JSONL: _jsonl, Format.CSV: _csv, Format.PARQUET: _parquet}
    return writers[file_format](chunks, columns)


def _jsonl(chunks: Iterable[Sequence[Row]], columns: Columns) -> Iterator[bytes]:
    for chunk in chunks:
        yield b"".join(
            msgspec.json.encode({name: row[name] for name in columns}) + b"\n" for row in chunk
        )


def _csv(chunks: Iterable[Sequence[Row]], columns: Columns) -> Iterator[bytes]:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    for chunk in chunks:
        writer.writerows(
            [_cell(row[name], kind) for name, kind in columns.items()] for row in chunk
        )
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    if rest := buffer.getvalue():
        yield rest.encode()


def _cell(value: Any, kind: Kind) -> Any:
    if value is None:
        return ""
    if kind == "json":
        return msgspec.json.encode(value).decode()
    return value.isoformat() if isinstance(value, datetime) else value


def _parquet(chunks: Iterable[Sequence[Row]], columns: Columns) -> Iterator[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema(columns)
    sink = _Sink()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for chunk in chunks:
            arrays = {
                name: [_value(row[name], kind) for row in chunk] for name, kind in columns.items()
            }
            writer.write_table(pa.table(arrays, schema=schema))
            yield sink.taken()
    yield sink.taken()


def _schema(columns: Columns) -> "pa.Schema":
    import pyarrow as pa

    kinds = {
        "whole": pa.int64(),
        "number": pa.float64(),
        "text": pa.string(),
        "moment": pa.timestamp("us", tz="UTC"),
        "json": pa.string(),
    }
    return pa.schema([(name, kinds[kind]) for name, kind in columns.items()])


def _value(value: Any, kind: Kind) -> Any:
    return msgspec.json.encode(value).decode() if kind == "json" and value is not None else value


class _Sink(io.RawIOBase):
    """A file that is only ever written to, and gives up what it holds."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._at = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        written = bytes(data)
        self._held += written
        self._at += len(written)
        return len(written)

    def tell(self) -> int:
        return self._at

    def taken(self) -> bytes:
        taken = bytes(self._held)
        self._held.clear()
        return taken
