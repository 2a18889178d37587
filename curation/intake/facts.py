"""What intake must know of a project, read at most once a second in each process."""

import time
from dataclasses import dataclass

from curation.models import CurationPolicy, Project

SECONDS_FRESH = 1.0


@dataclass(frozen=True)
class ProjectFacts:
    """A project as intake and serving see it; at most a second old."""

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
    project = Project.objects.get(pk=project_id)
    policy = CurationPolicy.objects.filter(project=project).first()
    facts = ProjectFacts(
        project=project,
        labels=tuple(project.label_names()),
        policy=policy or CurationPolicy(project=project),
    )
    _known[project_id] = (moment + SECONDS_FRESH, facts)
    return facts


def masks(project_id: int) -> bool:
    """Whether the project's texts are masked before they are stored."""
    return project_facts(project_id).policy.mask_personal_data


def forget() -> None:
    """Read everything anew, as after a second."""
    _known.clear()
