"""Which samples go into the disputed and audit queues, and which need not (any more)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from curation.digest.contradiction import USER_ANNOTATOR, USER_MODEL, Contradiction
from curation.digest.quality import dispute_priority
from curation.digest.spoken import Spoken
from curation.digest.supersession import EventId
from curation.models import Project
from curation.models.review import Queue
from curation.review.items import Pick, close_untouched, lock_items, open_items
from feedbackhub.core.sql import fetch, statements

SQL = statements(Path(__file__).with_name("digest.sql"))
# So many subjects must contradict an annotator before another one is asked.
VOICES_AGAINST_ANNOTATOR = 2
AUDIT_SENTENCE = "Part of the audit: a random share of all predictions, labelled blind."


@dataclass(frozen=True)
class Audited:
    """An audited prediction of a batch, with its sample."""

    sample_id: int
    prediction_id: EventId
    model_version: str
    share: float
    """The policy's share of predictions that are audited."""


@dataclass(frozen=True)
class _State:
    sample_id: int
    is_audited: bool
    is_asked: bool
    is_dismissed: bool


@dataclass(frozen=True)
class Queued:
    """How many items were opened or refreshed."""

    audited: int = 0
    disputed: int = 0


def queue_samples(
    *,
    project: Project,
    audited: Sequence[Audited],
    spoken: Mapping[int, Sequence[Spoken]],
    found: Mapping[int, Contradiction],
    now: datetime,
) -> Queued:
    """Open audit items, open or refresh disputes, and close those that are none any more.

    What is disputed the records say: ``found`` holds those of the samples in ``spoken``.

    A text is asked about once: while it waits in the audit queue no dispute opens for it, and one
    nobody has looked at gives way. Were disputes answered first, the audit labels at hand would
    overrepresent the model's mistakes. ``spoken`` holds each sample with new feedback, even if no
    voice about it counts. Its caller has locked the samples.
    """
    touched = sorted({*spoken, *(each.sample_id for each in audited)})
    lock_items(sample_ids=touched)
    states = {
        row.sample_id: row for row in fetch(SQL["review_state"], {"samples": touched}, into=_State)
    }
    audits = {
        each.sample_id: _audit_pick(each) for each in audited if not states[each.sample_id].is_asked
    }
    for queue in (Queue.DISPUTED, Queue.UNCERTAIN):
        close_untouched(
            sample_ids=list(audits), queue=queue, reason="Asked in the audit queue.", now=now
        )
    disputed = {sample_id: each for sample_id, each in found.items() if _dispute(each)}
    calm = [sample_id for sample_id in spoken if sample_id not in disputed]
    close_untouched(
        sample_ids=calm, queue=Queue.DISPUTED, reason="No user contradicts it any more.", now=now
    )
    disputes = [
        _dispute_pick(sample_id, each, spoken[sample_id])
        for sample_id, each in disputed.items()
        if sample_id not in audits and _is_worth_asking(states[sample_id], each)
    ]
    return Queued(
        audited=open_items(project=project, picks=list(audits.values()), now=now),
        disputed=open_items(project=project, picks=disputes, now=now),
    )


def _dispute(found: Contradiction) -> Mapping[str, Any] | None:
    """The evidence of users who contradict the model, or annotators who had been asked."""
    return found.evidence.get(USER_ANNOTATOR) or found.evidence.get(USER_MODEL)


def _is_worth_asking(state: _State, found: Contradiction) -> bool:
    if state.is_audited or state.is_dismissed:
        return False
    if USER_ANNOTATOR in found.evidence:
        against = found.evidence[USER_ANNOTATOR]["contradicting"]
        return bool(against >= VOICES_AGAINST_ANNOTATOR)
    return True


def _audit_pick(each: Audited) -> Pick:
    # All of equal priority: any order but that of arrival would bias the labels at hand.
    return Pick(
        sample_id=each.sample_id,
        queue=Queue.AUDIT,
        priority=0.0,
        why={"sentence": AUDIT_SENTENCE},
        prediction_id=each.prediction_id,
        model_version=each.model_version,
        inclusion_probability=each.share,
    )


def _dispute_pick(sample_id: int, found: Contradiction, spoken: Sequence[Spoken]) -> Pick:
    evidence = _dispute(found)
    assert evidence is not None
    # Who opposes annotators may well have agreed with the model.
    latest = next((each for each in spoken if each.contradicts), spoken[0])
    return Pick(
        sample_id=sample_id,
        queue=Queue.DISPUTED,
        priority=dispute_priority(contradicting=evidence["weight"], confidence=latest.confidence),
        why=_why(evidence, latest),
        prediction_id=latest.prediction_id,
        model_version=latest.model_version,
    )


def _why(evidence: Mapping[str, Any], latest: Spoken) -> dict[str, Any]:
    n = evidence["contradicting"]
    who = "1 subject contradicts" if n == 1 else f"{n} subjects contradict"
    if annotated := evidence.get("annotated"):
        sentence = f"{who} “{annotated}”, which annotators had agreed on"
    else:
        sure = "" if latest.confidence is None else f", {latest.confidence:.0%} sure"
        sentence = f"{who} the model's “{latest.predicted}” ({latest.model_version}{sure})"
    instead = " or ".join(f"“{label}”" for label in evidence["suggestions"])
    return {
        **evidence,
        "sentence": f"{sentence}; instead: {instead}." if instead else f"{sentence}.",
        "predicted": latest.predicted,
        "confidence": latest.confidence,
        "model_version": latest.model_version,
    }
