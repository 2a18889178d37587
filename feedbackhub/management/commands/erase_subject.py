"""``manage.py erase_subject``: everything of one subject, at once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from curation.models import Erasure, Project
from curation.privacy.erasure import request_erasure
from feedbackhub.core.clock import utcnow
from feedbackhub.privacy import erase


class Command(BaseCommand):
    """Erase a subject and say what that came to; run it again if it was interrupted."""

    help = "Erase everything a subject sent to a project; statistics stay. Cannot be undone."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where, and who."""
        parser.add_argument("--project", required=True, help="The project's slug.")
        parser.add_argument("--reason", default="", help="Kept with the erasure; name nobody.")
        parser.add_argument("subject", help="The name the frontend sends for the end user.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask for it and carry it out."""
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project {options['project']}.")
        erasure = request_erasure(
            project=project,
            subject=options["subject"],
            requested_by="command line",
            reason=options["reason"],
            now=utcnow(),
        )
        self._report(erase(erasure=erasure, now=utcnow()))

    def _report(self, erasure: Erasure) -> None:
        for name, count in erasure.counts.items():
            self.stdout.write(f"{name.replace('_', ' '):>20}  {count:,}")
        learned = ", ".join(erasure.versions) or "none"
        self.stdout.write(f"Versions trained on erased texts: {learned}.")
