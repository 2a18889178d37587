"""Uploaded files: kept in the hub's home, read by a worker, forgotten when they are in.

A file is read again from where the last durable batch ended, however its worker died: a batch and
the count of its rows are one transaction, and a text that comes twice is one sample.
"""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO
from uuid import uuid4

from django.conf import settings
from django.db import connection

from curation.intake.files import CannotImport, Row, read_rows, size
from curation.intake.importing import Columns, Tally, import_rows
from curation.models import FileImport, Project
from feedbackhub.core.models import User

logger = logging.getLogger(__name__)

MOST_FAULTS = 100
# The first of the two numbers of an advisory lock: this kind of lock, apart from all others.
LOCK = 0x696D70
Status = FileImport.Status


def folder() -> Path:
    """Where uploaded files wait."""
    return Path(settings.HOME) / "imports"


def accept(
    *,
    project: Project,
    file: IO[bytes],
    name: str,
    columns: Columns,
    created_by: User,
    now: datetime,
) -> FileImport:
    """Keep an uploaded file for the worker, once its first rows could be read.

    Raises :class:`CannotImport` with one line for whoever uploads it.
    """
    stored = folder() / f"{uuid4().hex}{Path(name).suffix.lower()}"
    stored.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with stored.open("wb") as target:
            shutil.copyfileobj(file, target)
        total, _ = size(stored)
        next(_rows(stored, columns), None)
        return FileImport.objects.create(
            project=project,
            name=name[-200:],
            stored_as=stored.name,
            text_column=columns.text,
            label_column=columns.label or "",
            mapping=dict(columns.mapping),
            total=total,
            created_by=created_by,
            created_at=now,
        )
    except CannotImport as error:
        stored.unlink(missing_ok=True)
        # Its name in the hub's home tells nobody anything.
        said = str(error).replace(str(stored), name).replace(stored.name, name)
        raise CannotImport(said) from None
    except BaseException:
        stored.unlink(missing_ok=True)
        raise


def work(*, now: datetime) -> int:
    """Read the files that wait and that no other worker is reading; how many came to an end."""
    ended = 0
    for each in FileImport.objects.filter(status=Status.WAITING).order_by("id"):
        with _alone(each) as is_mine:
            if is_mine:
                ended += _look(each, now)
    return ended


def _look(job: FileImport, now: datetime) -> bool:
    job.refresh_from_db()
    if job.status != Status.WAITING:
        return False
    try:
        _read(job, now)
    except Exception:
        # What is in stays in; the next look goes on from there, and other files do not wait.
        logger.exception("The import of %s stopped", job.name)
        return False
    return True


def _read(job: FileImport, now: datetime) -> None:
    path = folder() / job.stored_as
    tally = Tally(**job.tally)
    done = tally.rows

    def report(number: int, error: str) -> None:
        if len(job.faults) < MOST_FAULTS:
            job.faults.append([number, error])

    def save() -> None:
        job.tally = asdict(tally)
        job.save(update_fields=["tally", "faults", "position"])

    columns = Columns(job.text_column, job.label_column or None, job.mapping)
    try:
        import_rows(
            project=job.project,
            rows=_watched(islice(_rows(path, columns), done, None), job),
            columns=columns,
            now=now,
            report=report,
            tally=tally,
            on_batch=save,
        )
    except CannotImport as error:
        job.status, job.error = Status.FAILED, str(error)[:500]
    else:
        job.status, job.position = Status.DONE, job.total
    job.finished_at = now
    job.save(update_fields=["status", "error", "position", "finished_at"])
    path.unlink(missing_ok=True)


def _rows(path: Path, columns: Columns) -> Iterator[Row]:
    return read_rows(path, columns=[columns.text, *([columns.label] if columns.label else [])])


def _watched(rows: Iterator[Row], job: FileImport) -> Iterator[Row]:
    for row in rows:
        job.position = min(row.position, job.total)
        yield row


@contextmanager
def _alone(job: FileImport) -> Iterator[bool]:
    """Whether no other worker reads this file; the lock ends with its connection at the latest."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK, job.pk % 2**31])
        is_mine = bool(cursor.fetchone()[0])
    try:
        yield is_mine
    finally:
        if is_mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK, job.pk % 2**31])
