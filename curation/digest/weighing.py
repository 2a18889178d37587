"""What follows when anything is said about a sample: its record, its voices' trust, its queue.

The digest weighs what it has just read. Everything else that changes what is said about a sample
(an answer, an undo, an import, somebody's trust) only leaves a row in ``WeighingDue``, in its own
transaction, and the digest's next look catches up with it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from django.db import connection, transaction

from curation.digest import disagreement, trust
from curation.digest.disputes import Audited, Queued, queue_samples
from curation.digest.spoken import Spoken
from curation.digest.voices import reweigh
from curation.models import Project
from feedbackhub.core.sql import execute, statements

SQL = statements(Path(__file__).with_name("weighing.sql"))
DIGEST_SQL = statements(Path(__file__).with_name("digest.sql"))
DUE_AT_ONCE = 500


def weigh(
    *,
    project: Project,
    audited: Sequence[Audited],
    spoken: Mapping[int, Sequence[Spoken]],
    now: datetime,
) -> Queued:
    """Note who contradicts whom, count whose voice proved right, and queue what is to be asked.

    ``spoken`` holds each sample with something new, with all its voices, after its label was
    weighed. Its caller has locked the samples.
    """
    noted = disagreement.note(spoken=spoken, now=now)
    judged = {sample_id: spoken[sample_id] for sample_id in noted.adjudicated}
    if judged:
        trust.judge(project_id=project.pk, spoken=judged, adjudicated=noted.adjudicated, now=now)
    return queue_samples(
        project=project, audited=audited, spoken=spoken, found=noted.found, now=now
    )


def catch_up(*, now: datetime, limit: int = DUE_AT_ONCE) -> int:
    """Weigh anew what is due, up to ``limit`` rows; how many samples that named, gone ones too.

    One query when nothing is due. What is due is taken and done in one transaction.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SQL["claim_due"], {"limit": limit})
        due = sorted({sample_id for (sample_id,) in cursor.fetchall()})
        if not due:
            return 0
        cursor.execute(SQL["projects_of"], {"samples": due})
        samples: dict[int, list[int]] = defaultdict(list)
        for sample_id, project_id in cursor.fetchall():
            samples[project_id].append(sample_id)
        execute(DIGEST_SQL["lock_samples"], {"samples": due})
        projects = Project.objects.in_bulk(samples)
        for project_id, ids in sorted(samples.items()):
            _catch_up(projects[project_id], ids, now)
        return len(due)


def _catch_up(project: Project, sample_ids: Sequence[int], now: datetime) -> None:
    said = reweigh(sample_ids=sample_ids, now=now)
    spoken = {sample_id: said.get(sample_id, []) for sample_id in sample_ids}
    noted = disagreement.note(spoken=spoken, now=now)
    # All of them: an adjudication that is gone is to be taken back.
    trust.judge(project_id=project.pk, spoken=spoken, adjudicated=noted.adjudicated, now=now)
    queue_samples(project=project, audited=[], spoken=spoken, found=noted.found, now=now)
