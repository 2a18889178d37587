"""One sample with its whole life: from the events that brought it to the versions it taught.

The answer crosses the rooms of curation and training, so it is put together above both.
"""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from curation.explorer.life import BOUND, Life, life_of
from curation.explorer.views import curated_project
from curation.models import Label, ReviewItem
from curation.models.review import Queue
from curation.models.sample import Split
from curation.review.services import expose
from feedbackhub.core.clock import utcnow
from training.models import SnapshotItem
from training.queries import snapshots_of_sample

USES = {
    Split.TRAIN: "models may learn from it",
    Split.CALIBRATE: "confidences are calibrated on it, no model learns from it",
    Split.TEST: "candidates are judged on it, no model learns from it",
}


@dataclass(frozen=True)
class Taught:
    """A snapshot the sample stands in, and what was trained from it."""

    item: SnapshotItem
    versions: list[str]
    """Names of the versions; empty when no run from it succeeded."""


@login_required
@never_cache
@require_safe
def sample_page(request: HttpRequest, project: str, sample: int) -> HttpResponse:
    """What is known of one sample; whoever opens it is never asked about it blind again."""
    found, user = curated_project(request, project)
    life = life_of(project=found, sample_id=sample)
    if life is None:
        raise Http404("This project has no such sample.")
    expose(sample_ids=[life.sample.pk], user=user, now=utcnow())
    taught = [
        Taught(item, [run.version.name for run in item.snapshot.runs.all() if _has_version(run)])
        for item in snapshots_of_sample(project=found, sample_id=life.sample.pk)
    ]
    context: dict[str, Any] = {
        "project": found,
        "life": life,
        "sentence": _sentence(life, taught),
        "use": USES[Split(life.split)] if life.split else "",
        "disagreement": _disagreement(life),
        "taught": taught,
        "is_bounded": life.n_served >= BOUND,
        "queues": dict(Queue.choices),
    }
    return render(request, "samples/sample.html", context)


def _has_version(run: Any) -> bool:
    return hasattr(run, "version")


def _sentence(life: Life, taught: list[Taught]) -> str:
    if life.sample.text is None:
        return "Its text was erased; what is left are statistics."
    return " ".join([_belief(life), *_waiting(life), *_lesson(taught)])


def _belief(life: Life) -> str:
    if life.label is None:
        return "Nobody has said yet what it is."
    words = {
        Label.Origin.IMPORT: "an import",
        Label.Origin.FEEDBACK: "thumbs",
        Label.Origin.ANNOTATION: "annotators",
    }
    grounds = words[Label.Origin(life.label.origin)]
    return f"Believed to be {life.label.value} by {grounds}, quality {life.label.quality:.2f}."


def _waiting(life: Life) -> list[str]:
    queues = [
        str(Queue(item.queue).label).lower()
        for item in life.items
        if item.status == ReviewItem.Status.OPEN
    ]
    return [f"It waits for an answer ({', '.join(queues)})."] if queues else []


def _lesson(taught: list[Taught]) -> list[str]:
    names = [name for each in taught if each.item.split == Split.TRAIN for name in each.versions]
    if not names:
        return []
    if len(names) > 3:
        return [f"It taught {len(names)} versions, {names[0]} the latest."]
    return [f"It taught {', '.join(reversed(names))}."]


def _disagreement(life: Life) -> list[tuple[str, str]]:
    """Each kind in words with its evidence."""
    record = life.disagreement
    if record is None:
        return []
    return [
        (name, _told(record.evidence.get(kind, {})))
        for kind, name in zip(record.kinds, record.kind_names(), strict=True)
    ]


def _told(evidence: Any) -> str:
    if not isinstance(evidence, dict):
        return str(evidence)
    return ", ".join(
        f"{name.replace('_', ' ')}: {_value(value)}" for name, value in evidence.items()
    )


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{count} {name}" for name, count in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)
