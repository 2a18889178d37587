"""Bringing labelled texts in, from files and from the API.

Files are streamed. Importing is idempotent: a text is one sample however often it comes, and
importing a file again changes nothing. A bad line is reported with its number and costs nothing
but itself.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec
from django.db import transaction

from curation.digest.samples import NewSample, upsert_samples
from curation.intake.facts import masks
from curation.intake.files import CannotImport, Row
from curation.intake.masking import mask_within
from curation.intake.schemas import SampleRequest, object_faults
from curation.labels import IMPORT_QUALITY, Belief, believe
from curation.models import Label, Project, Sample

BATCH = 1_000
# Bytes that are no UTF-8, as the reader passes them on.
_NO_UTF8 = re.compile("[\udc80-\udcff]")
IMPORTED = "Imported with its label."
# What a row may be mapped to instead of a label: leave it out on purpose.
LEAVE_OUT = ""


@dataclass(frozen=True)
class Columns:
    """Where a file keeps text and label, and what its label values mean."""

    text: str
    label: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    """From value to label; empty: values are labels. To ``""``: the row is left out."""


@dataclass
class Tally:
    """What an import has done so far."""

    rows: int = 0
    new: int = 0
    """Samples made."""
    known: int = 0
    """Rows whose text was there already: in the project, or earlier in the file."""
    labelled: int = 0
    """Rows that came with a label."""
    left_out: int = 0
    """Rows that the mapping leaves out."""
    rejected: int = 0


def parse_mapping(text: str, *, labels: Sequence[str]) -> dict[str, str]:
    """The mapping that ``0=negative,1=positive`` writes; raises :class:`CannotImport`."""
    mapping = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        value, equals, label = (part.strip() for part in pair.partition("="))
        if not equals:
            raise CannotImport(f"`{pair}` is not of the form value=label.")
        if label and label not in labels:
            raise CannotImport(
                f"`{label}` is not a label of the project; these are: {', '.join(labels)}."
            )
        mapping[value] = label
    return mapping


Report = Callable[[int, str], None]


def import_rows(
    *,
    project: Project,
    rows: Iterable[Row],
    columns: Columns,
    now: datetime,
    report: Report,
    tally: Tally | None = None,
    on_batch: Callable[[], None] = lambda: None,
) -> Tally:
    """Import rows batch by batch, each durable by itself; ``report`` hears of each bad line.

    ``on_batch`` is called within the transaction of each batch, when it is counted in ``tally``.
    """
    tally = tally or Tally()
    labels = project.label_names()
    stream = iter(rows)
    while batch := list(islice(stream, BATCH)):
        samples = []
        for row in batch:
            tally.rows += 1
            sample, error = _judge(row, columns, labels)
            if error:
                tally.rejected += 1
                report(row.number, error)
            elif sample is None:
                tally.left_out += 1
            else:
                samples.append(sample)
        with transaction.atomic():
            made = import_samples(project=project, samples=samples, now=now)
            tally.new += made
            tally.known += len(samples) - made
            tally.labelled += sum(1 for sample in samples if sample.label)
            on_batch()
    return tally


def import_samples(*, project: Project, samples: Sequence[SampleRequest], now: datetime) -> int:
    """Make samples of checked texts and believe their labels; how many samples are new."""
    if not samples:
        return 0
    if masks(project.pk):
        samples = [
            msgspec.structs.replace(
                sample, text=mask_within(sample.text), metadata=mask_within(sample.metadata)
            )
            for sample in samples
        ]
    newest = Sample.objects.order_by("-id").values_list("id", flat=True).first() or 0
    ids = upsert_samples(
        project=project,
        samples=[
            NewSample(text=sample.text, origin=Sample.Origin.IMPORT, metadata=sample.metadata)
            for sample in samples
        ],
        now=now,
    )
    beliefs = [
        Belief(
            sample_id=sample_id,
            value=sample.label,
            origin=Label.Origin.IMPORT,
            quality=IMPORT_QUALITY,
            reasons=[IMPORTED],
        )
        for sample_id, sample in zip(ids, samples, strict=True)
        if sample.label
    ]
    believe(beliefs=beliefs, now=now)
    return len({sample_id for sample_id in ids if sample_id > newest})


def _judge(row: Row, columns: Columns, labels: Sequence[str]) -> tuple[SampleRequest | None, str]:
    """The sample of a row, or why there is none; neither for one left out."""
    if row.values is None:
        return None, row.error
    text = row.values.get(columns.text)
    if text is None or (isinstance(text, str) and not text.strip()):
        return None, f"{columns.text} is empty"
    if isinstance(text, str) and _NO_UTF8.search(text):
        return None, f"{columns.text} is not UTF-8"
    label, error = _label(row.values, columns, labels)
    if error:
        return None, error
    if label == LEAVE_OUT:
        return None, ""
    if faults := object_faults({"text": text, "label": label}, SampleRequest):
        return None, f"{columns.text} {faults[0]['message']}"
    return SampleRequest(text=text, label=label), ""


def _label(
    values: Mapping[str, Any], columns: Columns, labels: Sequence[str]
) -> tuple[str | None, str]:
    """The label of a row (None: it has none), or why its value is no label."""
    value = values.get(columns.label) if columns.label else None
    if value is None or str(value).strip() == "":
        return None, ""
    name = _plain(value)
    if columns.mapping:
        if name not in columns.mapping:
            return None, f"{columns.label} `{name[:60]}` is not in --map"
        return columns.mapping[name], ""
    if name not in labels:
        return None, f"{columns.label} `{name[:60]}` is not a label of the project"
    return name, ""


def _plain(value: Any) -> str:
    """A value as it is written in a mapping: 1 for 1, 1.0 and True."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
