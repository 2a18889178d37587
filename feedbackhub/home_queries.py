"""What the home page knows of each project's loop; a fixed number of cheap questions a project."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q

from curation.models import Feedback, Landed, Project, ReviewItem
from curation.models.event import Rating
from curation.models.review import Queue
from feedbackhub.core.ids import uuid7_floor
from feedbackhub.core.roles import CAPABILITIES, Can, Role
from feedbackhub.navigation import Seat
from rollout.models import Rollout
from training import queries as training_queries
from training.models import ModelVersion, TrainingRun

# The digest looks every few seconds; events that lie this long say that nobody is digesting.
STALE_AFTER = timedelta(minutes=2)


@dataclass(frozen=True)
class Thumbs:
    """Feedback received since midnight (UTC)."""

    up: int = 0
    down: int = 0

    @property
    def total(self) -> int:
        """Thumbs in both directions."""
        return self.up + self.down


@dataclass(frozen=True)
class Loop:
    """One project's loop as its home card shows it."""

    project: Project
    role: Role
    thumbs: Thumbs
    has_feedback: bool
    """Whether any feedback ever arrived."""
    waiting: Sequence[tuple[str, int]]
    """Open review items by queue, the fullest first."""
    champion: str
    """Name of the live version, empty when there is none."""
    run: TrainingRun | None
    """The run under way, else the last one."""
    outlook: str
    """What training does next, as a sentence; empty while a run is under way."""
    rollout: Rollout | None
    """The rollout that is active or waits to start."""
    stale_since: datetime | None
    """When the oldest undigested event came, if that is too long ago."""

    @property
    def n_waiting(self) -> int:
        """Open review items in all queues."""
        return sum(n for _, n in self.waiting)

    @property
    def is_training(self) -> bool:
        """Whether a run is queued or running."""
        return self.run is not None and not self.outlook

    def can(self, capability: Can) -> bool:
        """Whether the reader's role allows it."""
        return capability in CAPABILITIES[self.role]


def loops(*, seats: Sequence[Seat], now: datetime) -> list[Loop]:
    """The loop of each project, in the order given."""
    ids = [seat.project.pk for seat in seats]
    thumbs = _thumbs_today(ids, now)
    waiting = _waiting(ids)
    oldest = _oldest_landed(ids)
    champions = {
        v.project_id: v for v in ModelVersion.objects.filter(project__in=ids, status="live")
    }
    rollouts = _rollouts(ids)
    runs = _last_runs(ids)
    found = []
    for seat in seats:
        key = seat.project.pk
        run, champion = runs.get(key), champions.get(key)
        is_active = run is not None and run.status in ("queued", "running")
        landed = oldest.get(key)
        found.append(
            Loop(
                project=seat.project,
                role=seat.role,
                thumbs=thumbs.get(key, Thumbs()),
                has_feedback=key in thumbs or Feedback.objects.filter(project_id=key).exists(),
                waiting=waiting.get(key, []),
                champion=champion.name if champion else "",
                run=run,
                outlook=""
                if is_active
                else training_queries.outlook(project=seat.project, now=now),
                rollout=rollouts.get(key),
                stale_since=landed if landed and now - landed > STALE_AFTER else None,
            )
        )
    return found


def _thumbs_today(ids: Sequence[int], now: datetime) -> Mapping[int, Thumbs]:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    # The time stands in the id, and the id prunes the partitions.
    rows = (
        Feedback.objects.filter(project_id__in=ids, id__gte=uuid7_floor(midnight))
        .order_by()
        .values_list("project_id")
        .annotate(up=Count("id", filter=Q(rating=Rating.UP)), n=Count("id"))
    )
    return {key: Thumbs(up=up, down=n - up) for key, up, n in rows}


def _waiting(ids: Sequence[int]) -> Mapping[int, list[tuple[str, int]]]:
    rows = (
        ReviewItem.objects.filter(project__in=ids, status=ReviewItem.Status.OPEN)
        # Gold is served among the rest; it is nothing that waits to be done.
        .exclude(queue=Queue.GOLD)
        .order_by()
        .values_list("project_id", "queue")
        .annotate(n=Count("id"))
        .order_by("-n", "queue")
    )
    waiting: dict[int, list[tuple[str, int]]] = {}
    for key, queue, n in rows:
        waiting.setdefault(key, []).append((str(Queue(queue).label), n))
    return waiting


def _oldest_landed(ids: Sequence[int]) -> Mapping[int, datetime]:
    rows = (
        Landed.objects.filter(project_id__in=ids, retry_at=None)
        .order_by()
        .values_list("project_id")
    )
    return dict(rows.annotate(oldest=Min("received_at")))


def _rollouts(ids: Sequence[int]) -> Mapping[int, Rollout]:
    asked = Rollout.objects.filter(
        project__in=ids, status__in=[*Rollout.ACTIVE, Rollout.Status.WAITING]
    )
    # Active ones last, so that they win the place.
    ordered = asked.select_related("candidate").order_by("-status", "created_at", "id")
    found: dict[int, Rollout] = {}
    for rollout in ordered:
        found[rollout.project_id] = rollout
    return found


def _last_runs(ids: Sequence[int]) -> Mapping[int, TrainingRun]:
    newest = TrainingRun.objects.filter(project__in=ids).order_by(
        "project_id", "-created_at", "-id"
    )
    return {run.project_id: run for run in newest.distinct("project_id")}
