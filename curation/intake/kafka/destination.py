"""Whose feedback a topic carries: one project and one source, named by the operator."""

import logging
from collections.abc import Sequence

from django.db import InterfaceError, OperationalError, close_old_connections

from curation.intake.facts import project_facts
from curation.intake.kafka.dead_letters import DeadLetters
from curation.intake.kafka.records import Clock, Landing, Record, land_records
from curation.intake.rejects import keep_rejected
from curation.models import Project, Source

logger = logging.getLogger(__name__)


class NoDestination(Exception):
    """Nothing may land there now; the message says why."""


class Destination:
    """Lands batches for a project as a source; used by one thread, which owns the connection."""

    def __init__(self, *, project: str, source: str, dead_letters: DeadLetters, clock: Clock):
        """Nothing is looked up yet: the database may be away."""
        self._project = project
        self._source = source
        self._dead_letters = dead_letters
        self._clock = clock

    def land(self, records: Sequence[Record]) -> Landing:
        """Return when the batch is durable: events, rejected events, and confirmed dead letters.

        Raises what stands in the way; doing it again is safe.
        """
        close_old_connections()
        project_id, source_id = find(project=self._project, source=self._source, clock=self._clock)
        landing = land_records(
            facts=project_facts(project_id),
            source_id=source_id,
            records=records,
            clock=self._clock,
        )
        if landing.refused:
            refused = landing.refused
            keep_rejected(
                project_id=project_id, source_id=source_id, refused=refused, now=self._clock()
            )
            self._dead_letters.send(refused=refused, records=records, project_id=project_id)
        return landing


def find(*, project: str, source: str, clock: Clock) -> tuple[int, int]:
    """Ids of a project and its source, which is made when it is new; raises `NoDestination`."""
    project_id = Project.objects.filter(slug=project).values_list("id", flat=True).first()
    if project_id is None:
        known = ", ".join(Project.objects.values_list("slug", flat=True)[:20]) or "none yet"
        raise NoDestination(f"There is no project `{project}`; there are: {known}.")
    found, _ = Source.objects.get_or_create(
        project_id=project_id, name=source, defaults={"created_at": clock()}
    )
    if not found.is_active:
        raise NoDestination(f"The source `{source}` is switched off.")
    return project_id, found.pk


def is_unreachable(error: BaseException) -> bool:
    """Whether the database is away, rather than something being wrong."""
    return isinstance(error, OperationalError | InterfaceError)
