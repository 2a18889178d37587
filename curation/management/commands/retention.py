"""``manage.py retention``: drop what is past its time now, or say what that would be."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from curation.privacy.retention import plan, retire
from feedbackhub.core.clock import utcnow


class Command(BaseCommand):
    """What beat does every six hours, at once."""

    help = "Drop event months, keys, rejected input and counts past their retention."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to only look."""
        parser.add_argument("--dry-run", action="store_true", help="Say what would go; drop none.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look, or do it."""
        if options["dry_run"]:
            self._look()
            return
        done = retire(now=utcnow())
        self.stdout.write(f"Dropped: {', '.join(done.months) or 'no month'}.")
        if done.held:
            self.stdout.write(f"Held back, not digested or in use: {', '.join(done.held)}.")
        self.stdout.write(
            f"{done.keys:,} keys, {done.rejected:,} rejected events, {done.minutes:,} counts and "
            f"{done.moves:,} steps of quarantine deleted; "
            f"{done.blanked:,} events outside monthly partitions blanked."
        )

    def _look(self) -> None:
        due = plan(now=utcnow())
        for month in due.months:
            state = "stays: not digested yet" if month.is_awaited else "would be dropped"
            self.stdout.write(f"{month.name}  {month.bytes / 1e6:,.1f} MB  {state}")
        if not due.months:
            self.stdout.write("No month is past its time.")
        self.stdout.write(
            f"{due.keys:,} keys, {due.rejected:,} rejected events and {due.minutes:,} counts are."
        )
