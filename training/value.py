"""Which queue's labels moved the last model: retrained without them, judged on the same test set.

Leaving a queue's new labels out and fitting again is the plain answer to "what did they do?". An
estimate from the gradients would be cheaper and is only exact near the fitted weights, which new
words are not. So that it stays affordable, large training sets are sampled: all new labels stay,
and of the others as many as fit. Every model that is compared is fitted on the same sample.

The parts do not add up to the whole: labels of two queues can say the same.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Exists, OuterRef

from curation import lineage, queries
from curation.models import Project
from curation.models.review import Queue
from curation.models.sample import Split
from training import estimators
from training.models import (
    Evaluation,
    ModelVersion,
    QueueValue,
    SnapshotItem,
    TrainingRun,
    VersionValue,
)
from training.worth import Gain, gain

logger = logging.getLogger(__name__)

ALL, THUMBS, IMPORT = "all", "thumbs", "import"
TITLES: Mapping[str, str] = {
    **dict(Queue.choices),
    THUMBS: "Thumbs of users",
    IMPORT: "Imported",
    ALL: "All new labels together",
}
# Fewer test labels than this tell nothing of one queue.
MIN_TEST = 30
# Labels that each refit learns from: a few seconds with any recipe.
MOST_FITTED = 20_000


@dataclass(frozen=True)
class QueueWorth:
    """What one queue's labels did for one version."""

    version: str
    predecessor: str
    queue: str
    """A review queue, ``thumbs``, ``import``, or ``all`` for all together."""
    title: str
    """The queue as people say it."""
    n_labels: int
    """New or changed since the predecessor learned."""
    delta: float | None
    """Accuracy with these labels minus without, in shares of 1; None when not measured."""
    low: float | None
    """Of a 95 % interval."""
    high: float | None
    n_test: int
    method: str
    """What it rests on, as a sentence."""
    measured_at: datetime

    @property
    def is_sure(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


@dataclass(frozen=True)
class _Label:
    sample_id: int
    label_id: int
    value: str
    weight: float


class _CannotTell(Exception):
    """There is nothing to measure; the message says why, as a sentence."""


def queue_value(*, project: Project, versions: int = 5) -> list[QueueWorth]:
    """What the labels of each queue did for the newest versions that were measured.

    Newest version first; in it all labels together, then the most valuable queue first.
    """
    measured = VersionValue.objects.filter(version__project=project, queues__isnull=False)
    newest = measured.distinct().order_by("-version__number").values_list("pk", flat=True)
    rows = (
        QueueValue.objects.filter(value__in=list(newest[:versions]))
        .select_related("value__version", "value__predecessor")
        .order_by("-value__version__number", "queue")
    )
    return sorted(map(_worth, rows), key=_by_worth)


def notes(*, project: Project) -> str:
    """Why the newest version that was looked at has no values; empty when it has."""
    newest = VersionValue.objects.filter(version__project=project).order_by("-version__number")
    return newest.values_list("note", flat=True).first() or ""


def due() -> list[int]:
    """The newest judged version of each project, where its labels were not looked at yet."""
    newer = ModelVersion.objects.filter(project=OuterRef("project"), number__gt=OuterRef("number"))
    at_work = (TrainingRun.Status.QUEUED, TrainingRun.Status.RUNNING)
    newest = ModelVersion.objects.filter(~Exists(newer), value__isnull=True)
    judged = Evaluation.objects.filter(version=OuterRef("pk"))
    waiting = newest.filter(Exists(judged)).exclude(run__status__in=at_work)
    return list(waiting.order_by("id").values_list("id", flat=True))


def appraise(*, version: ModelVersion, now: datetime) -> VersionValue | None:
    """Measure what each queue's new labels did for a version, and keep it.

    None when another worker was faster. Minutes of work on large projects: for the training worker.
    """
    predecessor = _predecessor(version)
    value = VersionValue(version=version, predecessor=predecessor, created_at=now)
    found: list[QueueValue] = []
    try:
        found = _measure(value)
    except _CannotTell as reason:
        value.note = str(reason)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.exception("The labels of %s could not be valued", version)
        value.note = f"It could not be measured: {type(error).__name__}: {error}."
    try:
        with transaction.atomic():
            value.save()
            for row in found:
                row.value = value
            QueueValue.objects.bulk_create(found)
    except IntegrityError:
        return None
    return value


def _measure(value: VersionValue) -> list[QueueValue]:
    version, predecessor = value.version, value.predecessor
    if predecessor is None:
        raise _CannotTell(f"{version.name} is the first version: there is none to compare it with.")
    now_taught, before = _taught(version), _taught(predecessor)
    parts = _parts(now_taught, before)
    if not parts:
        raise _CannotTell(f"{version.name} learned no label that {predecessor.name} had not.")
    tests = queries.test_labels(project=version.project)
    value.n_test = len(tests)
    if len(tests) < MIN_TEST:
        raise _CannotTell(
            f"There are {len(tests)} test labels; {MIN_TEST} are needed to tell queues apart."
        )
    fitted = _sampled(now_taught, keep=parts[ALL], seed=version.number)
    value.method = _method(len(fitted), len(now_taught), predecessor)
    exam = _Exam(
        version,
        queries.texts_of(sample_ids=[label.sample_id for label in fitted]),
        [row.text for row in tests],
        [row.value for row in tests],
    )
    whole = exam.right(fitted)
    if whole is None:
        raise _CannotTell("The labels cannot teach the estimator; nothing can be compared.")
    rows = []
    for queue, samples in parts.items():
        part = exam.right(_without(fitted, samples, before))
        worth = None if part is None else gain(whole, part, seed=version.number)
        rows.append(_row(queue, len(samples), worth))
    return rows


@dataclass(frozen=True)
class _Exam:
    """One version's recipe, fitted again and again, and the test labels it is asked."""

    version: ModelVersion
    texts: Mapping[int, str]
    """Of the training samples; erased ones are missing."""
    test_texts: Sequence[str]
    test_values: Sequence[str]

    def right(self, labels: Sequence[_Label]) -> list[bool] | None:
        """Whether a model taught by ``labels`` answers each test text rightly; None if none is."""
        run = self.version.run
        known = [label for label in labels if label.sample_id in self.texts]
        pipeline = estimators.build(run.estimator, params=run.parameters, seed=run.seed)
        try:
            estimators.fit(
                pipeline,
                texts=[self.texts[label.sample_id] for label in known],
                labels=[label.value for label in known],
                weights=[label.weight for label in known],
            )
        except estimators.CannotFit:
            return None
        answers = np.asarray(pipeline.predict(list(self.test_texts))).tolist()
        return [said == true for said, true in zip(answers, self.test_values, strict=True)]


def _predecessor(version: ModelVersion) -> ModelVersion | None:
    """The champion it was first judged against, or else the version before it."""
    first = version.evaluations.order_by("created_at", "id").first()
    if first is not None and first.champion is not None:
        return first.champion
    earlier = ModelVersion.objects.filter(project=version.project, number__lt=version.number)
    return earlier.exclude(run__snapshot=None).order_by("-number").first()


def _taught(version: ModelVersion) -> dict[int, _Label]:
    """What a version learned from, by sample."""
    rows = SnapshotItem.objects.filter(snapshot=version.run.snapshot_id, split=Split.TRAIN)
    named = rows.order_by("sample_id").values_list("sample_id", "label_id", "value", "weight")
    return {row[0]: _Label(*row) for row in named.iterator()}


def _parts(taught: Mapping[int, _Label], before: Mapping[int, _Label]) -> dict[str, set[int]]:
    """The samples whose label is new or another than before, by where it was given."""
    new = [
        label
        for sample_id, label in taught.items()
        if sample_id not in before or before[sample_id].value != label.value
    ]
    asked = lineage.queues_of(label_ids=[label.label_id for label in new])
    thumbs = lineage.labels_of_thumbs(label_ids=[label.label_id for label in new])
    parts: dict[str, set[int]] = defaultdict(set)
    for label in new:
        told = THUMBS if label.label_id in thumbs else IMPORT
        parts[asked.get(label.label_id, told)].add(label.sample_id)
        parts[ALL].add(label.sample_id)
    return dict(parts)


def _sampled(taught: Mapping[int, _Label], *, keep: Collection[int], seed: int) -> list[_Label]:
    """All of them, or the new ones and a random draw of the others, by sample."""
    if len(taught) <= MOST_FITTED:
        return list(taught.values())
    rng = np.random.default_rng(seed)
    new = rng.permutation(sorted(keep))[: MOST_FITTED // 2].tolist()
    others = rng.permutation(sorted(set(taught) - set(keep)))[: MOST_FITTED - len(new)].tolist()
    return [taught[sample_id] for sample_id in sorted([*new, *others])]


def _without(
    labels: Sequence[_Label], samples: Collection[int], before: Mapping[int, _Label]
) -> list[_Label]:
    """As if these samples had kept the labels they had before, if any."""
    kept = [before.get(each.sample_id) if each.sample_id in samples else each for each in labels]
    return [label for label in kept if label is not None]


def _method(n_fitted: int, n_taught: int, predecessor: ModelVersion) -> str:
    on = f"all {n_taught:,} labels"
    if n_fitted < n_taught:
        on = f"{n_fitted:,} of {n_taught:,} labels, the new ones first"
    return (
        f"Retrained on {on} without those of the queue that are new since {predecessor.name}, and "
        "judged on the same test labels; paired bootstrap, 95 %."
    )


def _row(queue: str, n_labels: int, worth: Gain | None) -> QueueValue:
    if worth is None:
        return QueueValue(queue=queue, n_labels=n_labels)
    return QueueValue(
        queue=queue, n_labels=n_labels, delta=worth.delta, low=worth.low, high=worth.high
    )


def _worth(row: QueueValue) -> QueueWorth:
    before = row.value.predecessor
    return QueueWorth(
        version=row.value.version.name,
        predecessor=before.name if before else "",
        queue=row.queue,
        title=TITLES.get(row.queue, row.queue),
        n_labels=row.n_labels,
        delta=row.delta,
        low=row.low,
        high=row.high,
        n_test=row.value.n_test,
        method=row.value.method,
        measured_at=row.value.created_at,
    )


def _by_worth(row: QueueWorth) -> tuple[int, bool, float, str]:
    number = int(row.version.removeprefix("v"))
    return (-number, row.queue != ALL, -(row.delta if row.delta is not None else -1.0), row.queue)
