"""``manage.py import_samples FILE --project … --text Review --label Liked --map 0=negative,…``"""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from curation.intake.files import CannotImport, Row, read_rows, size
from curation.intake.importing import Columns, Tally, import_rows, parse_mapping
from curation.models import Project
from feedbackhub.core.clock import utcnow

SHOWN = 20


class Command(BaseCommand):
    """Import texts, labelled or not, from a file."""

    help = (
        "Import texts, labelled or not, from a TSV, CSV, JSONL or Parquet file or from Label "
        "Studio's JSON export. Importing a file again changes nothing; a bad line is reported and "
        "costs only itself."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--project", required=True, help="Slug of the project.")
        parser.add_argument("--text", required=True, help="Column of the text.")
        parser.add_argument("--label", help="Column of the label; without it none is imported.")
        parser.add_argument(
            "--map",
            default="",
            help="What label values mean, such as 0=negative,1=positive. A value that means "
            "nothing (`3=`) leaves its rows out.",
        )
        parser.add_argument(
            "--quotes",
            choices=["on", "off"],
            help="Whether quotes enclose cells; by default on for CSV and off for TSV.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Import the file and say in one line what came of it."""
        started = perf_counter()
        project = _project(options["project"])
        columns = Columns(
            text=options["text"],
            label=options["label"],
            mapping=_mapping(options["map"], project.label_names()),
        )
        quotes = options["quotes"]
        try:
            total, unit = size(options["file"])
            rows = read_rows(
                options["file"],
                columns=[columns.text, *([columns.label] if columns.label else [])],
                is_quoted=None if quotes is None else quotes == "on",
            )
            with tqdm(total=total, unit=unit, unit_scale=True, file=self.stderr) as bar:
                tally = self._import(project, columns, rows, bar)
        except CannotImport as error:
            raise CommandError(str(error)) from None
        if tally.rejected > SHOWN:
            self.stderr.write(f"… and {tally.rejected - SHOWN:,} more lines like these.")
        self.stdout.write(_summary(tally, perf_counter() - started))

    def _import(
        self, project: Project, columns: Columns, rows: Iterator[Row], bar: "tqdm[Any]"
    ) -> Tally:
        shown = 0

        def report(number: int, error: str) -> None:
            nonlocal shown
            shown += 1
            if shown <= SHOWN:
                bar.write(f"line {number}: {error}", file=self.stderr)

        return import_rows(
            project=project,
            rows=_watched(rows, bar),
            columns=columns,
            now=utcnow(),
            report=report,
        )


def _watched(rows: Iterator[Row], bar: "tqdm[Any]") -> Iterator[Row]:
    for row in rows:
        bar.update(row.position - bar.n)
        yield row


def _project(slug: str) -> Project:
    project = Project.objects.filter(slug=slug).first()
    if project is None:
        known = ", ".join(Project.objects.values_list("slug", flat=True)[:20]) or "none yet"
        raise CommandError(f"There is no project `{slug}`; there are: {known}.")
    return project


def _mapping(text: str, labels: list[str]) -> dict[str, str]:
    try:
        return parse_mapping(text, labels=labels)
    except CannotImport as error:
        raise CommandError(f"--map: {error}") from None


def _summary(tally: Tally, seconds: float) -> str:
    parts = [
        f"{tally.new:,} new samples",
        f"{tally.known:,} with a known text",
        f"{tally.labelled:,} with a label",
        *([f"{tally.left_out:,} left out"] if tally.left_out else []),
        f"{tally.rejected:,} rejected",
    ]
    return f"Read {tally.rows:,} rows in {seconds:.1f} s: {', '.join(parts)}."
