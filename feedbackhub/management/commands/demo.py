"""``manage.py demo``: an empty hub becomes one with a past, told by simulated people."""

from argparse import ArgumentParser
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from curation.intake.files import CannotImport
from feedbackhub.core.clock import utcnow
from feedbackhub.core.partitions import ensure_partitions
from feedbackhub.demo import bootstrap, facts, texts
from feedbackhub.demo.stillness import reconcilers_at_rest
from feedbackhub.demo.story import NoFirstChampion, Story, is_told

SEED = 7


class Command(BaseCommand):
    """Make the demo project and tell its past, or go on where an earlier run stopped."""

    help = (
        "Make the demo project: users, an API key, imported reviews, a first champion, and some "
        "days of simulated guests and annotators. Running it again changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "--dump",
            type=Path,
            help="A restaurant dump (TSV with Review and Liked) in place of generated reviews.",
        )
        parser.add_argument(
            "--alone",
            action="store_true",
            help="No worker runs beside this: there are no schedules to pause meanwhile.",
        )
        parser.add_argument(
            "--seed", type=int, default=SEED, help="Of the reviews and the people (default: 7)."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Tell the story from where it stands to its end."""
        started, now = monotonic(), utcnow()
        corpus = self._texts(options["dump"], options["seed"])
        ensure_partitions(now=now)
        _commit_lazily()
        try:
            project = bootstrap.found_project(
                test_share=corpus.test_share, now=now - facts.PLOT.length
            )
        except bootstrap.NameTaken as taken:
            raise CommandError(str(taken)) from None
        if is_told(project) and bootstrap.is_handed_out():
            self._say(f"The demo is there already: project `{project.slug}`. Nothing was done.")
            return
        story = Story(project=project, texts=corpus, seed=options["seed"], say=self._say)
        try:
            with nullcontext() if options["alone"] else reconcilers_at_rest(say=self._say):
                story.tell(until=now)
        except NoFirstChampion as refusal:
            raise CommandError(str(refusal)) from None
        papers = bootstrap.hand_out(project=project, now=utcnow())
        took = timedelta(seconds=round(monotonic() - started))
        self._say(f"The demo is ready after {took.seconds} s; see {papers}")

    def _texts(self, dump: Path | None, seed: int) -> texts.Texts:
        stream = facts.PLOT.ticks * facts.PLOT.predictions
        if dump is None:
            return texts.generated(imported=facts.PLOT.imported, stream=stream, seed=seed)
        try:
            return texts.dumped(dump, stream=stream, seed=seed)
        except CannotImport as error:
            raise CommandError(str(error)) from None

    def _say(self, line: str) -> None:
        self.stdout.write(f"  {line}")
        self.stdout.flush()


def _commit_lazily() -> None:
    """Do not wait for the disk at every one of thousands of commits.

    A crash of the machine may cost the last of them, in order: the demo then goes on from there.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO off")
