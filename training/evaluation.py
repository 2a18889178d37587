"""Judging a candidate: champion and candidate answer the same test labels, the gates decide.

An evaluation, its gate results and the version's new status are written together or not at all.
"""

import hashlib
import json
import logging
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from curation import queries
from feedbackhub.core.transitions import StaleTransition, move
from training import registry
from training.artifacts import BadArtifact
from training.gates import (
    GATES,
    Claim,
    Gate,
    GateInput,
    GateOutcome,
    GatePolicy,
    GateStatus,
    Verdict,
    VerdictStatus,
    required_gates,
    verdict,
)
from training.metrics import BadAnswers, align, measure
from training.models import Evaluation, GateResult, ModelVersion, TrainingPolicy, TrainingRun
from training.snapshots import text_hash

logger = logging.getLogger(__name__)
Status = ModelVersion.Status
ACTOR = "training"

# Versions whose verdict can still change.
JUDGED = (Status.CANDIDATE, Status.INSUFFICIENT, Status.BLESSED)
# Asked of every model besides the test texts: what real traffic also holds.
PROBES = ("", " ", "ok", "😀", "12345", "!!!", "a" * 1000, "ÄÖÜ ß é", "не", "the the the")
N_TEST_PROBES = 10
# An insufficient version is looked at again after this growth of the test labels. Every look is a
# chance to pass by luck, so looks are kept few.
MIN_GROWTH, GROWTH_SHARE = 25, 0.10
# Trouble with measuring, as on a busy machine, is tried again on the same labels this often.
RETRY_AFTER, MAX_TRIES = timedelta(minutes=2), 5


class NotJudged(Exception):
    """The version's status no longer depends on its gates; nothing was written."""


class _ChampionChanged(Exception):
    """Another version went live during the exam, which says nothing about that one."""


@dataclass(frozen=True)
class _Exam:
    """Both models' answers to the test labels of one moment."""

    version: ModelVersion
    champion: ModelVersion | None
    given: GateInput
    trouble: dict[str, str]
    """Gates that cannot be asked, and why, as sentences."""
    test_digest: str
    origins: dict[str, int]
    """Test labels by whose word they rest on."""


def evaluate(*, version: ModelVersion, now: datetime) -> Evaluation:
    """Judge a version against the live one on the test labels of this moment.

    Raises :class:`NotJudged` when the version is live, superseded, rejected or quarantined.
    """
    while True:
        try:
            return _judge(version, now=now)
        except _ChampionChanged:
            # Hours lie between two changes: the second exam is the last in all but name.
            logger.info("The champion of %s changed while it was judged; again", version)
            version.refresh_from_db()


def _judge(version: ModelVersion, *, now: datetime) -> Evaluation:
    if version.status not in JUDGED:
        raise NotJudged(f"{version} is {version.get_status_display()}.")
    before = version.evaluations.first()
    exam = _sit(version, registry.live_version(project_id=version.project_id))
    required = required_gates(has_champion=exam.champion is not None)
    outcomes = [_ask(gate, exam) for gate in GATES.values()]
    return _record(exam, outcomes, verdict(outcomes, required), before, now=now)


def due(*, now: datetime) -> list[int]:
    """Versions to judge (again): never judged, the champion changed, or the evidence grew."""
    versions = (
        ModelVersion.objects.filter(status__in=JUDGED)
        .exclude(run__status__in=[TrainingRun.Status.QUEUED, TrainingRun.Status.RUNNING])
        .select_related("project__training_policy")
        .order_by("id")
    )
    return [version.pk for version in versions if _is_surely_due(version, now)]


def gate_policy(policy: TrainingPolicy) -> GatePolicy:
    """The thresholds a project's policy sets; the rest are the gates' own."""
    return GatePolicy(
        delta=policy.delta,
        min_test_labels=policy.min_test_labels,
        macro_f1_floor=policy.macro_f1_floor,
        recall_floor=policy.recall_floor,
    )


def _is_surely_due(version: ModelVersion, now: datetime) -> bool:
    """Whether it is due; False when that cannot be told, so that the others are judged."""
    try:
        with transaction.atomic():
            return _is_due(version, now)
    except Exception:
        logger.exception("Whether %s is to be judged could not be told", version)
        return False


def _is_due(version: ModelVersion, now: datetime) -> bool:
    latest = version.evaluations.first()
    if latest is None:
        return True
    live = registry.live_version(project_id=version.project_id)
    if latest.champion_id != (live.pk if live else None):
        return True
    if version.status == Status.BLESSED:
        return False
    if latest.policy != asdict(gate_policy(version.project.training_policy)):
        return True
    n_now = queries.test_label_count(project=version.project)
    if n_now - latest.n_test >= labels_until_next_look(latest):
        return True
    return now >= latest.created_at + RETRY_AFTER and is_tried_again(latest)


def labels_until_next_look(evaluation: Evaluation) -> int:
    """By how many the test labels must grow before an insufficient version is judged again."""
    growth = max(MIN_GROWTH, math.ceil(GROWTH_SHARE * evaluation.n_test))
    needs = [gate.needs for gate in _undecided(evaluation) if gate.needs is not None]
    return min(growth, max(needs)) if needs else growth


def is_tried_again(latest: Evaluation) -> bool:
    """Whether measuring failed and is tried again on the same labels, after a while."""
    if not any(_is_trouble(gate) for gate in _undecided(latest)):
        return False
    same = Evaluation.objects.filter(version=latest.version_id, test_digest=latest.test_digest)
    return same.count() < MAX_TRIES


def _undecided(evaluation: Evaluation) -> list[GateResult]:
    return [
        gate
        for gate in evaluation.gate_results.all()
        if gate.is_required and gate.status == GateStatus.INSUFFICIENT
    ]


def _is_trouble(gate: GateResult) -> bool:
    """Whether measuring failed, rather than labels lacking: the artifact gate needs no labels."""
    return "trouble" in gate.evidence or gate.gate == "artifact"


def _sit(version: ModelVersion, champion: ModelVersion | None) -> _Exam:
    rows = list(queries.test_labels(project=version.project))
    texts, labels = [row.text for row in rows], [row.value for row in rows]
    names = [*version.project.label_names(), *version.classes, *labels]
    classes = list(dict.fromkeys([*names, *(champion.classes if champion else [])]))
    probe_texts = (*texts[:N_TEST_PROBES], *PROBES)
    trouble: dict[str, str] = {}
    candidate = _answers(version, texts, classes, trouble, "floor", "non_inferior")
    theirs = _answers(champion, texts, classes, trouble, "non_inferior") if champion else None
    given = GateInput(
        labels=labels,
        classes=classes,
        candidate=candidate,
        champion=theirs,
        policy=gate_policy(version.project.training_policy),
        candidate_artifact=_claim(version),
        champion_artifact=_claim(champion) if champion else None,
        look=version.evaluations.count() + 1,
        probe_texts=probe_texts,
        probe_answers=_probe_answers(version, probe_texts),
    )
    return _Exam(
        version=version,
        champion=champion,
        given=given,
        trouble=trouble,
        test_digest=_test_digest(rows),
        origins=dict(sorted(Counter(str(row.origin) for row in rows).items())),
    )


def _answers(
    version: ModelVersion,
    texts: Sequence[str],
    classes: Sequence[str],
    trouble: dict[str, str],
    *gates: str,
) -> NDArray[np.float64]:
    """Probabilities (n_samples, n_classes); none, and a note for ``gates``, from a broken model."""
    nothing = np.empty((0, len(classes)))
    if not texts:
        return nothing
    try:
        raw = registry.load_pipeline(version).predict_proba(texts)
        return align(raw, known=version.classes, classes=classes)
    except BadArtifact as error:
        said = f"{version.name} cannot be loaded: {error}"
    except Exception as error:
        logger.exception("%s cannot answer", version)
        said = f"{version.name} cannot answer: {type(error).__name__}: {error}"
    trouble.update(dict.fromkeys(gates, said))
    return nothing


def _probe_answers(version: ModelVersion, texts: Sequence[str]) -> NDArray[np.float64]:
    try:
        return np.asarray(registry.load_pipeline(version).predict_proba(texts))
    except Exception:
        # The artifact gate meets the same file, and says what is wrong with it.
        return np.zeros((len(texts), len(version.classes)))


def _claim(version: ModelVersion) -> Claim:
    return Claim(registry.artifact_file(version), version.artifact_sha256, version.fingerprint)


def _ask(gate: Gate, exam: _Exam) -> GateOutcome:
    """The gate's answer; what cannot be measured is insufficient evidence, never a pass."""
    if gate.name in exam.trouble:
        summary = exam.trouble[gate.name]
        return GateOutcome(gate.name, GateStatus.INSUFFICIENT, summary, {"trouble": summary})
    try:
        return gate(exam.given)
    except Exception as error:
        logger.exception("The %s gate broke on %s", gate.name, exam.version)
        summary = f"The {gate.name} gate could not measure: {type(error).__name__}: {error}"
        return GateOutcome(gate.name, GateStatus.INSUFFICIENT, summary, {"trouble": summary})


def _record(
    exam: _Exam,
    outcomes: Sequence[GateOutcome],
    said: Verdict,
    before: Evaluation | None,
    *,
    now: datetime,
) -> Evaluation:
    with transaction.atomic():
        registry.lock(project_id=exam.version.project_id)
        version = ModelVersion.objects.select_for_update(no_key=True).get(pk=exam.version.pk)
        latest = version.evaluations.first()
        if latest is not None and latest != before:
            return latest  # Someone else judged it meanwhile, on labels as fresh as ours.
        if version.status not in JUDGED:
            raise NotJudged(f"{version} is {version.get_status_display()}.")
        if registry.live_version(project_id=version.project_id) != exam.champion:
            raise _ChampionChanged
        evaluation = Evaluation.objects.create(
            version=version,
            champion=exam.champion,
            verdict=said.status,
            summary=_summary(said, outcomes),
            n_test=len(exam.given.labels),
            test_digest=exam.test_digest,
            metrics=_metrics(exam),
            policy=asdict(exam.given.policy),
            created_at=now,
        )
        _record_gates(evaluation, outcomes, has_champion=exam.champion is not None)
        if version.status != said.status:
            move(
                version,
                moves=ModelVersion.MOVES,
                expected=version.status,
                to=said.status,
                actor=ACTOR,
                now=now,
                reason=evaluation.summary,
                evidence={"evaluation": evaluation.pk},
            )
        if said.status != VerdictStatus.REJECTED:
            _supersede_older(version, now=now)
    return evaluation


def _record_gates(
    evaluation: Evaluation, outcomes: Sequence[GateOutcome], *, has_champion: bool
) -> None:
    required = required_gates(has_champion=has_champion)
    GateResult.objects.bulk_create(
        GateResult(
            evaluation=evaluation,
            gate=outcome.name,
            status=outcome.status,
            is_required=outcome.name in required,
            summary=outcome.summary,
            evidence=outcome.evidence,
            needs=outcome.needs,
        )
        for outcome in outcomes
    )


def _supersede_older(version: ModelVersion, *, now: datetime) -> None:
    """A newer candidate knows more labels: the older undecided ones are not waited for."""
    older = ModelVersion.objects.filter(
        project=version.project_id, status=Status.INSUFFICIENT, number__lt=version.number
    )
    for old in older.order_by("id"):
        try:
            reason = f"{version.name} is newer, and the evidence never sufficed."
            registry.supersede(version=old, actor=ACTOR, reason=reason, now=now)
        except StaleTransition:
            continue


def _summary(said: Verdict, outcomes: Sequence[GateOutcome]) -> str:
    if said.status != VerdictStatus.BLESSED:
        return said.reason
    passed = {outcome.name: outcome for outcome in outcomes if outcome.status == "passed"}
    strongest = passed.get("non_inferior") or passed["floor"]
    return f"It passed every gate. {strongest.summary}"


def _metrics(exam: _Exam) -> dict[str, Any]:
    def of(probabilities: NDArray[np.float64] | None) -> dict[str, Any] | None:
        if probabilities is None:
            return None
        try:
            given = exam.given
            measured = measure(
                labels=given.labels, probabilities=probabilities, classes=given.classes
            )
        except BadAnswers:
            return None
        return measured.as_json()

    return {
        "classes": list(exam.given.classes),
        "candidate": of(exam.given.candidate),
        "champion": of(exam.given.champion),
        "test_origins": exam.origins,
    }


def _test_digest(rows: Sequence[Any]) -> str:
    digest = hashlib.sha256()
    for row in sorted(rows, key=lambda row: row.sample_id):
        line = json.dumps([row.sample_id, text_hash(row.text), row.value])
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()
