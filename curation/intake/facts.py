"""What intake must know of a project, read at most once a second in each process."""

import time
from dataclasses import dataclass

from curation.models import CurationPolicy, Project

SECONDS_FRESH = 1.0
# What a thread that begins to read has before another begins, too.
SECONDS_SPARED = 0.1


@dataclass(frozen=True)
class ProjectFacts:
    """A project as intake and serving see it; at most a second old, and the time of a look."""

    project: Project
    labels: tuple[str, ...]
    """In display order."""
    policy: CurationPolicy
    """Its stored policy, or the defaults when there is none."""


_known: dict[int, tuple[float, ProjectFacts]] = {}


def project_facts(project_id: int) -> ProjectFacts:
    """The facts of a project; raises ``Project.DoesNotExist``."""
    moment = time.monotonic()
    known = _known.get(project_id)
    if known is not None and known[0] > moment:
        return known[1]
    if known is not None and known[0] + SECONDS_FRESH > moment:
        # The other threads go on with what is known while one of them reads.
        _known[project_id] = (moment + SECONDS_SPARED, known[1])
    try:
        facts = _read(project_id)
    except BaseException:
        _known.pop(project_id, None)
        raise
    _known[project_id] = (moment + SECONDS_FRESH, facts)
    return facts


def _read(project_id: int) -> ProjectFacts:
    project = Project.objects.get(pk=project_id)
    policy = CurationPolicy.objects.filter(project=project).first()
    return ProjectFacts(
        project=project,
        labels=tuple(project.label_names()),
        policy=policy or CurationPolicy(project=project),
    )


def masks(project_id: int) -> bool:
    """Whether the project's texts are masked before they are stored."""
    return project_facts(project_id).policy.mask_personal_data


def forget() -> None:
    """Read everything anew, as after a second."""
    _known.clear()
