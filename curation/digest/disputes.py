"""Which samples go into the disputed and audit queues, and which need not (any more)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from curation.digest.quality import dispute_priority, opposes
from curation.digest.supersession import EventId
from curation.digest.voices import Spoken
from curation.models import Project
from curation.models.review import Queue
from curation.review.items import Pick, close_untouched, lock_items, open_items
from feedbackhub.core.ids import uuid7_time
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
    annotated: str | None
    annotated_at: datetime | None


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
    now: datetime,
) -> Queued:
    """Open audit items, open or refresh disputes, and close those that are none any more.

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
    calm = [sample_id for sample_id, voices in spoken.items() if not _contradicting(voices)]
    close_untouched(
        sample_ids=calm, queue=Queue.DISPUTED, reason="No user contradicts it any more.", now=now
    )
    disputes = [
        _dispute_pick(sample_id, voices)
        for sample_id, voices in spoken.items()
        if sample_id not in audits and _is_worth_asking(states[sample_id], voices)
    ]
    return Queued(
        audited=open_items(project=project, picks=list(audits.values()), now=now),
        disputed=open_items(project=project, picks=disputes, now=now),
    )


def _contradicting(voices: Sequence[Spoken]) -> list[Spoken]:
    return [each for each in voices if each.contradicts]


def _is_worth_asking(state: _State, voices: Sequence[Spoken]) -> bool:
    if state.is_audited or state.is_dismissed or not _contradicting(voices):
        return False
    if state.annotated is None or state.annotated_at is None:
        return True
    against = [
        each
        for each in voices
        if opposes(each.voice, state.annotated)
        and uuid7_time(UUID(each.feedback_id)) > state.annotated_at
    ]
    return len(against) >= VOICES_AGAINST_ANNOTATOR


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


def _dispute_pick(sample_id: int, voices: Sequence[Spoken]) -> Pick:
    contradicting = _contradicting(voices)
    latest = contradicting[0]
    return Pick(
        sample_id=sample_id,
        queue=Queue.DISPUTED,
        priority=dispute_priority(contradicting=len(contradicting), confidence=latest.confidence),
        why=_evidence(contradicting, agreeing=len(voices) - len(contradicting)),
        prediction_id=latest.prediction_id,
        model_version=latest.model_version,
    )


def _evidence(contradicting: Sequence[Spoken], *, agreeing: int) -> dict[str, Any]:
    latest = contradicting[0]
    suggested = Counter(each.suggested for each in contradicting if each.suggested)
    who = (
        "1 subject contradicts"
        if len(contradicting) == 1
        else (f"{len(contradicting)} subjects contradict")
    )
    sure = "" if latest.confidence is None else f", {latest.confidence:.0%} sure"
    instead = " or ".join(f"“{label}”" for label in sorted(suggested))
    sentence = f"{who} the model's “{latest.predicted}” ({latest.model_version}{sure})"
    return {
        "sentence": f"{sentence}; instead: {instead}." if instead else f"{sentence}.",
        "predicted": latest.predicted,
        "confidence": latest.confidence,
        "model_version": latest.model_version,
        "contradicting": len(contradicting),
        "agreeing": agreeing,
        "suggestions": dict(sorted(suggested.items())),
    }
