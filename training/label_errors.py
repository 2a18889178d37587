"""Labels that are likely wrong: found after a version is made, asked about, and counted.

A look trains models of the version's own recipe on parts of its snapshot and lets each judge the
labels it was not taught. The worst go to the label-error queue, a bounded number a version, and
stay as they are until a person has answered; what people said of them is counted per version.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from curation import queries
from curation.models import Project
from curation.models.review import Queue
from curation.models.sample import Split
from curation.review.services import Pick, close_untouched, open_items
from curation.services import record_support
from training import confident, estimators
from training.metrics import Interval, wilson
from training.models import LabelErrorFlag, LabelErrorScan, ModelVersion

MOST_TEXTS = 100_000
MOST_QUEUED = 50
# A look that took longer than this has died; another may begin it anew.
GIVEN_UP_AFTER = timedelta(hours=2)


@dataclass(frozen=True)
class Outcome:
    """What became of the labels one version's models doubted."""

    version: ModelVersion
    scan: LabelErrorScan
    confirmed: int
    """A person said something else: the label was wrong."""
    refuted: int
    """A person said the same: the label was right."""
    waiting: int
    """Nobody has answered yet."""

    @property
    def precision(self) -> Interval | None:
        """95 % interval of the share of doubts that were right; None before an answer."""
        return wilson(self.confirmed, self.confirmed + self.refuted)

    @property
    def precision_words(self) -> str:
        """The share with its interval, or that nothing is known yet."""
        interval, n = self.precision, self.confirmed + self.refuted
        if interval is None:
            return "nobody has answered yet"
        share = self.confirmed / n
        return f"{share:.0%} ({interval.low:.0%} to {interval.high:.0%})"


@dataclass(frozen=True)
class _Row:
    """One label of the snapshot."""

    sample_id: int
    label_id: int
    value: str
    weight: float
    cluster_id: int
    text: str


def due(*, now: datetime) -> list[int]:
    """The newest version of each project, where nobody has looked at its labels yet; ids.

    One query. An old version is not looked at once there is a newer one.
    """
    newer = ModelVersion.objects.filter(project=OuterRef("project"), number__gt=OuterRef("number"))
    unseen = Q(label_error_scan__isnull=True) | Q(
        label_error_scan__finished_at=None,
        label_error_scan__started_at__lt=now - GIVEN_UP_AFTER,
    )
    found = ModelVersion.objects.filter(unseen, ~Exists(newer), run__snapshot__isnull=False)
    return list(found.order_by("pk").values_list("pk", flat=True))


def look(*, version_id: int, clock: Callable[[], datetime]) -> LabelErrorScan | None:
    """Look at the labels a version was taught; None when somebody else does, or has.

    The labels themselves are never changed: their quality follows what the models say, and the
    worst are queued.
    """
    scan = _claim(version_id, clock())
    if scan is None:
        return None
    started = time.perf_counter()
    rows = _rows(scan.version)
    try:
        judged = _judge(scan.version, rows)
    except (confident.TooLittle, estimators.CannotFit) as refusal:
        return _finish(scan, now=clock(), note=str(refusal), n_labels=len(rows))
    support = {
        rows[position].label_id: float(chance)
        for position, chance in zip(judged.judged, judged.support, strict=True)
    }
    record_support(support=support, model_version=scan.version.name, now=clock())
    with transaction.atomic():
        flags = _flags(scan, rows, judged)
        LabelErrorFlag.objects.bulk_create(flags)
        _ask(scan.version, flags, now=clock())
        return _finish(
            scan,
            now=clock(),
            n_labels=len(rows),
            n_judged=int(judged.judged.size),
            n_suspect=int(judged.suspects.size),
            n_queued=len(flags),
            temperature=round(judged.temperature, 3),
            seconds=round(time.perf_counter() - started, 1),
        )


def outcomes(*, project: Project, until: int | None = None, limit: int = 5) -> list[Outcome]:
    """What became of the doubts of the newest versions that were looked at, the newest first.

    ``until`` leaves out versions of higher numbers. Counted from what people say today: an answer
    that is undone is waited for again.
    """
    looked = Q(version__project=project, finished_at__isnull=False)
    if until is not None:
        looked &= Q(version__number__lte=until)
    scans = list(
        LabelErrorScan.objects.filter(looked)
        .select_related("version")
        .order_by("-version__number")[:limit]
    )
    flags = list(LabelErrorFlag.objects.filter(scan__in=scans))
    said = queries.annotated_values(sample_ids=[flag.sample_id for flag in flags])
    counts = {scan.pk: Counter[str]() for scan in scans}
    for flag in flags:
        counts[flag.scan_id][_outcome(flag, said.get(flag.sample_id))] += 1
    return [
        Outcome(
            version=scan.version,
            scan=scan,
            confirmed=counts[scan.pk]["confirmed"],
            refuted=counts[scan.pk]["refuted"],
            waiting=counts[scan.pk]["waiting"],
        )
        for scan in scans
    ]


def _outcome(flag: LabelErrorFlag, said: queries.AnnotatedValue | None) -> str:
    if said is None or said.at <= flag.flagged_at:
        return "waiting"
    return "refuted" if said.value == flag.given else "confirmed"


def _claim(version_id: int, now: datetime) -> LabelErrorScan | None:
    version = ModelVersion.objects.filter(pk=version_id, run__snapshot__isnull=False).first()
    if version is None:
        return None
    scan, is_new = LabelErrorScan.objects.get_or_create(
        version=version, defaults={"started_at": now}
    )
    if is_new:
        return scan
    # One that died on the way is begun anew, by one of those who try.
    stale = LabelErrorScan.objects.filter(
        pk=scan.pk, finished_at=None, started_at__lt=now - GIVEN_UP_AFTER
    )
    return scan if stale.update(started_at=now) else None


def _finish(scan: LabelErrorScan, *, now: datetime, **found: Any) -> LabelErrorScan:
    for name, value in {**found, "finished_at": now}.items():
        setattr(scan, name, value)
    scan.save(update_fields=[*found, "finished_at"])
    return scan


def _rows(version: ModelVersion) -> list[_Row]:
    """The labels the version was taught, as far as their texts are there; a sample of many."""
    snapshot, seed = version.run.snapshot, version.run.seed
    assert snapshot is not None
    items = list(
        snapshot.items.filter(split=Split.TRAIN)
        .order_by("sample_id")
        .values_list("sample_id", "label_id", "value", "weight")
    )
    if len(items) > MOST_TEXTS:
        items = random.Random(seed).sample(items, MOST_TEXTS)  # noqa: S311 nothing is kept secret
    ids = [sample_id for sample_id, *_ in items]
    texts, clusters = queries.texts_of(sample_ids=ids), queries.clusters_of(sample_ids=ids)
    return [
        _Row(sample_id, label_id, value, weight, clusters[sample_id], texts[sample_id])
        for sample_id, label_id, value, weight in items
        if sample_id in texts and sample_id in clusters
    ]


def _judge(version: ModelVersion, rows: Sequence[_Row]) -> confident.Judged:
    run = version.run
    return confident.judge(
        confident.Texts(
            texts=[row.text for row in rows],
            values=[row.value for row in rows],
            weights=[row.weight for row in rows],
            clusters=[row.cluster_id for row in rows],
        ),
        make=lambda: estimators.build(run.estimator, params=run.parameters, seed=run.seed),
        seed=run.seed,
    )


def _flags(
    scan: LabelErrorScan, rows: Sequence[_Row], judged: confident.Judged
) -> list[LabelErrorFlag]:
    """The worst suspects, up to a number; those that people have looked at before are left out."""
    settled = _settled(scan.version.project)
    flags: list[LabelErrorFlag] = []
    for suspect in judged.suspects:
        row = rows[judged.judged[suspect]]
        best = int(judged.probabilities[suspect].argmax())
        if judged.classes[best] == row.value or (row.sample_id, row.value) in settled:
            continue
        flags.append(
            LabelErrorFlag(
                scan=scan,
                sample_id=row.sample_id,
                label_id=row.label_id,
                given=row.value,
                suggested=judged.classes[best],
                support=round(float(judged.support[suspect]), 4),
                probability=round(float(judged.probabilities[suspect][best]), 4),
                flagged_at=scan.started_at,
            )
        )
        if len(flags) == MOST_QUEUED:
            break
    return flags


def _settled(project: Project) -> set[tuple[int, str]]:
    """Samples that were doubted before, and the label a person has given them since."""
    doubted = LabelErrorFlag.objects.filter(scan__version__project=project)
    flagged_at = dict(doubted.order_by("flagged_at").values_list("sample_id", "flagged_at"))
    said = queries.annotated_values(sample_ids=list(flagged_at))
    return {(pk, each.value) for pk, each in said.items() if each.at > flagged_at[pk]}


def _ask(version: ModelVersion, flags: Sequence[LabelErrorFlag], *, now: datetime) -> None:
    """Queue what is doubted now, and close what earlier versions doubted and this one does not."""
    earlier = LabelErrorFlag.objects.filter(scan__version__project=version.project).exclude(
        sample_id__in=[flag.sample_id for flag in flags]
    )
    close_untouched(
        sample_ids=sorted(set(earlier.values_list("sample_id", flat=True))),
        queue=Queue.LABEL_ERROR,
        reason=f"The models of {version.name} doubt it no more.",
        now=now,
    )
    open_items(project=version.project, picks=[_pick(version, flag) for flag in flags], now=now)


def _pick(version: ModelVersion, flag: LabelErrorFlag) -> Pick:
    sentence = (
        f"The models trained without it say “{flag.suggested}” ({_percent(flag.probability)}); "
        f"its label is “{flag.given}” ({_percent(flag.support)})."
    )
    return Pick(
        sample_id=flag.sample_id,
        queue=Queue.LABEL_ERROR,
        priority=flag.probability - flag.support,
        why={
            "sentence": sentence,
            "given": flag.given,
            "suggested": flag.suggested,
            "model_version": version.name,
        },
        model_version=version.name,
    )


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"
