"""``manage.py rotate_key PREFIX [--grace-hours 24]``"""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from curation.intake.sources import GRACE, CannotRotate, rotate_key
from feedbackhub.core.clock import utcnow


class Command(BaseCommand):
    """Replace an API key without downtime."""

    help = (
        "Print a successor of an API key, once. The old key stays valid for the grace period, in "
        "which its users change over."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("prefix", help="The key's beginning, up to the dot.")
        parser.add_argument("--grace-hours", type=float, default=GRACE / timedelta(hours=1))

    def handle(self, *args: Any, **options: Any) -> None:
        """The key alone on standard output, for scripts; what it means on standard error."""
        hours = options["grace_hours"]
        if not 0 <= hours <= 24 * 365:
            raise CommandError("--grace-hours: between 0 and a year.")
        # The whole key, pasted, is understood too.
        prefix = options["prefix"].partition(".")[0]
        try:
            key = rotate_key(prefix=prefix, now=utcnow(), grace=timedelta(hours=hours))
        except CannotRotate as error:
            raise CommandError(str(error)) from None
        self.stdout.write(key)
        self.stderr.write(f"This is shown once. The old key ends in {hours:g} hours at the latest.")
