"""What would be trained on at each threshold of label quality, and the change of the threshold."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction

from curation.models import CurationPolicy, Label, Project
from feedbackhub.core.models import StatusChange
from feedbackhub.core.sql import fetch, statements
from feedbackhub.core.transitions import StaleTransition, history, record

SQL = statements(Path(__file__).with_name("preview.sql"))
ORIGINS = tuple(str(origin) for origin in Label.Origin)
STEP = 5


class NotAThreshold(ValueError):
    """The threshold is no number in [0, 1], or the reason is missing; the message says which."""


@dataclass(frozen=True)
class Counted:
    """Labels of one quality, origin and value."""

    percent: int
    """The quality, in hundredths."""
    origin: str
    value: str
    n: int


@dataclass(frozen=True)
class Kept:
    """What a threshold lets through."""

    percent: int
    """The threshold, in hundredths."""
    n: int
    by_origin: tuple[int, ...]
    """In the order of the preview's origins."""
    by_value: tuple[int, ...]
    """In the order of the preview's values."""

    @property
    def threshold(self) -> float:
        """In [0, 1]."""
        return self.percent / 100


@dataclass(frozen=True)
class Preview:
    """Every threshold there could be, in hundredths."""

    origins: tuple[str, ...]
    values: tuple[str, ...]
    kept: tuple[Kept, ...]
    """One a hundredth, from 0 to 100."""

    @property
    def total(self) -> int:
        """All labels that a threshold of nothing would let through."""
        return self.kept[0].n

    def at(self, threshold: float) -> Kept:
        """What a threshold in [0, 1] lets through."""
        return self.kept[min(max(round(threshold * 100), 0), 100)]

    def steps(self) -> tuple[Kept, ...]:
        """Every twentieth, for a table."""
        return self.kept[::STEP]


def preview(*, project: Project) -> Preview:
    """Count what each threshold would let through, in one statement."""
    return preview_of(fetch(SQL["qualities"], {"project": project.pk}, into=Counted), project)


def preview_of(counted: Sequence[Counted], project: Project) -> Preview:
    """The cumulative counts, from the highest quality down."""
    values = tuple(
        dict.fromkeys([*project.label_names(), *sorted({each.value for each in counted})])
    )
    at: dict[int, list[Counted]] = defaultdict(list)
    for each in counted:
        at[each.percent].append(each)
    by_origin, by_value = dict.fromkeys(ORIGINS, 0), dict.fromkeys(values, 0)
    kept = []
    for percent in range(100, -1, -1):
        for each in at[percent]:
            by_origin[each.origin] += each.n
            by_value[each.value] += each.n
        kept.append(
            Kept(
                percent=percent,
                n=sum(by_value.values()),
                by_origin=tuple(by_origin.values()),
                by_value=tuple(by_value.values()),
            )
        )
    return Preview(origins=ORIGINS, values=values, kept=tuple(reversed(kept)))


def threshold_of(*, project: Project) -> float:
    """The threshold in force, in [0, 1]."""
    policy = CurationPolicy.objects.filter(project=project).first() or CurationPolicy()
    return policy.min_label_quality


def set_threshold(
    *,
    project: Project,
    threshold: float,
    expected: float,
    actor: str,
    reason: str,
    now: datetime,
) -> None:
    """Train from now on labels of at least this quality, and write down who decided so and why.

    Raises :class:`NotAThreshold`, and :class:`StaleTransition` when it is not ``expected`` any
    more: somebody else has set it meanwhile. The next snapshot follows; frozen ones do not change.
    """
    if not 0 <= threshold <= 1:
        raise NotAThreshold("The threshold is a number from 0 to 1.")
    if not reason.strip():
        raise NotAThreshold("Say why, for whoever wonders later what was trained on.")
    with transaction.atomic():
        policy, _ = CurationPolicy.objects.get_or_create(project=project)
        changed = CurationPolicy.objects.filter(pk=policy.pk, min_label_quality=expected).update(
            min_label_quality=threshold
        )
        if not changed:
            raise StaleTransition(
                f"The threshold is {policy.min_label_quality:.2f} by now, and no longer "
                f"{expected:.2f}; look again."
            )
        record(
            policy,
            from_status=f"{expected:.2f}",
            to=f"{threshold:.2f}",
            actor=actor,
            now=now,
            reason=reason.strip(),
            evidence={"field": "min_label_quality"},
        )


def changes(*, project: Project, limit: int = 10) -> list[StatusChange]:
    """Who set the threshold, when and why; the latest first."""
    policy = CurationPolicy.objects.filter(project=project).first()
    if policy is None:
        return []
    return list(history(policy).order_by("-at", "-id")[:limit])
