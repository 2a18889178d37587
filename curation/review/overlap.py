"""How many annotators an item needs, and when a senior has to decide. Pure.

One answer is enough where nothing speaks against it. A dispute, or an answer against what was
believed, asks a second annotator; a split asks a third; then a senior decides. Skips that agree
go to a senior too. Nobody more is asked than the answers given make necessary.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from curation.review.agreement.skill import Skill
from curation.review.consensus import (
    MOST_ANSWERS,
    OPPOSITION_COST,
    QUALITY_CAP,
    Answer,
    Consensus,
    consensus,
)

# A record of fewer comparisons is mostly what is assumed of anyone.
RECORD_OF = 20
# Skips for the same reason that an item takes a way for, and skips for any reason.
SKIPS_ALIKE = 2
MOST_SKIPS = 3


@dataclass(frozen=True)
class Ballot:
    """An answer to weigh, and what is known of who gave it."""

    annotation_id: int
    answer: Answer
    skill: Skill


@dataclass(frozen=True)
class Skip:
    """An annotator passed the item on."""

    annotation_id: int
    reason: str
    is_senior: bool


@dataclass(frozen=True)
class Standing:
    """All that decides where an item stands."""

    item_id: int
    sample_id: int
    queue: str
    is_opened_for_senior: bool
    overlap: int
    dispute_overlap: int
    confident_posterior: float
    confident_model: float
    labels: Sequence[str]
    done: int
    """Answers to the item itself that count."""
    ballots: Sequence[Ballot]
    """Blind answers to its text that count, by age; those in other queues are among them."""
    skips: Sequence[Skip]
    believed: str | None
    """The sample's label before this item, if it is good enough to train on."""
    predicted: str
    """The model's answer; empty without one."""
    confidence: float | None
    is_annotated: bool
    """Whether an annotator's word is the sample's label already."""
    has_others: bool
    """Whether the project has a reviewer who may still answer blind."""


@dataclass(frozen=True)
class Decision:
    """Where an item goes."""

    status: str
    """``open``, ``done`` or ``closed``."""
    needed: int = 1
    """Answers to its text it waits for while it is open."""
    for_senior: bool = False
    routed: str = ""
    """A value of ``Routed``: why it took another way than to the next annotator."""
    agreed: Consensus | None = None
    """What to believe."""
    grounds: Sequence[int] = ()
    """Ids of the annotations that the label, or its end, rests on."""
    saved: int = 0
    """Answers that were not needed after all."""
    is_spam: bool = False
    """A senior called it spam: its label counts no longer."""
    asks_about_spam: bool = False
    """Two annotators called it spam: a senior is asked."""


def decide(standing: Standing) -> Decision:
    """Where the item goes, given all its answers and skips; the same whatever came last.

    Examples are in ``tests/curation/test_overlap.py``.
    """
    if standing.queue == "gold":
        return Decision("done" if standing.done else "open")
    # What was answered elsewhere counts, but something made it worth asking again.
    agreed = _consensus(standing, standing.ballots) if standing.done else None
    routed = _route(standing, agreed)
    if not routed:
        return _ask_annotators(standing, agreed)
    return _ask_senior(standing, agreed, routed)


def _consensus(standing: Standing, ballots: Sequence[Ballot]) -> Consensus | None:
    return consensus(
        [ballot.answer for ballot in ballots],
        labels=standing.labels,
        skills={ballot.answer.user_id: ballot.skill for ballot in ballots},
    )


def _route(standing: Standing, agreed: Consensus | None) -> str:
    """Why annotators alone do not settle it; empty if they may."""
    alike = Counter(skip.reason for skip in standing.skips)
    if standing.is_opened_for_senior:
        return "opened"
    for reason in ("spam", "unclear", "language"):
        if alike[reason] >= SKIPS_ALIKE:
            return reason
    if len(standing.skips) >= MOST_SKIPS:
        return "passed"
    return "split" if _is_split(standing, agreed) else ""


def _is_split(standing: Standing, agreed: Consensus | None) -> bool:
    """Whether annotators disagree and no further one is asked: there are enough, or no more.

    What seniors said is left out: they are the way out of a split.
    """
    seniors = _seniors(standing)
    others = [ballot for ballot in standing.ballots if ballot not in seniors]
    if not standing.done or len(standing.ballots) < 2:
        return False
    if seniors:
        return agreed is None or (len(others) > 1 and _consensus(standing, others) is None)
    enough = len(others) >= max(standing.overlap, MOST_ANSWERS)
    return agreed is None and (enough or not standing.has_others)


def _ask_annotators(standing: Standing, agreed: Consensus | None) -> Decision:
    n = len(standing.ballots)
    wanted = _wanted(standing, agreed)
    if agreed is None:
        # Nobody has answered, or those who did are split.
        return Decision("open", needed=max(wanted, n + 1) if standing.done else wanted)
    # Nobody is left to confirm what only this item's own doubts ask to have confirmed.
    is_alone = not standing.has_others and n >= standing.overlap
    if n >= wanted or is_alone or _is_sure(standing, agreed):
        because = ("Nobody else could be asked.",) if is_alone and n < wanted else ()
        saved = max(0, wanted - n) if not is_alone else 0
        return replace(_settled(standing, agreed, extra=because), saved=saved)
    return Decision("open", needed=wanted)


def _ask_senior(standing: Standing, agreed: Consensus | None, routed: str) -> Decision:
    verdict = _consensus(standing, _seniors(standing))
    if verdict is not None and standing.done:
        return replace(_settled(standing, _against_others(standing, verdict)), routed=routed)
    dismissed = [skip for skip in standing.skips if skip.is_senior and skip.reason != "other"]
    if dismissed:
        last = dismissed[-1]
        is_spam = last.reason == "spam"
        grounds = (last.annotation_id,) if is_spam else ()
        return Decision("closed", routed=last.reason, is_spam=is_spam, grounds=grounds)
    if routed == "spam":
        return Decision("closed", routed=routed, asks_about_spam=True)
    if agreed is not None and routed != "opened" and _is_sure(standing, agreed):
        return replace(_settled(standing, agreed), routed=routed)
    return Decision("open", needed=len(standing.ballots) + 1, for_senior=True, routed=routed)


def _wanted(standing: Standing, agreed: Consensus | None) -> int:
    """How many answers are asked for.

    The audit asks everyone alike: were only answers against the model checked again, its errors
    would be counted with more care than what it got right, and its accuracy would look too good.
    """
    if standing.queue == "audit":
        return standing.overlap
    if standing.queue == "disputed" or (agreed and _contradicts(standing, agreed.value)):
        return max(standing.overlap, standing.dispute_overlap)
    return standing.overlap


def _contradicts(standing: Standing, value: str) -> bool:
    if standing.believed is not None and standing.believed != value:
        return True
    is_confident = (standing.confidence or 0.0) >= standing.confident_model
    return is_confident and standing.predicted not in ("", value)


def _is_sure(standing: Standing, agreed: Consensus) -> bool:
    """Whether the answers leave too little doubt to ask on.

    A lone answer does so only by its annotator's record: what is assumed of anyone must not save
    the answer that would tell.
    """
    supporters = [each for each in standing.ballots if each.answer.value == agreed.value]
    is_known = len(supporters) > 1 or any(each.skill.n >= RECORD_OF for each in supporters)
    return is_known and agreed.posterior >= standing.confident_posterior


def _against_others(standing: Standing, verdict: Consensus) -> Consensus:
    """The senior's verdict, worth less the more annotators see it otherwise."""
    opposed = sum(each.answer.value != verdict.value for each in standing.ballots)
    if not opposed:
        return verdict
    cost = OPPOSITION_COST * opposed / len(standing.ballots)
    return replace(
        verdict,
        quality=round(min(verdict.posterior * (1 - cost), QUALITY_CAP), 2),
        reasons=(f"A senior annotator decided against {opposed} of {len(standing.ballots)}.",),
    )


def _settled(standing: Standing, agreed: Consensus, *, extra: tuple[str, ...] = ()) -> Decision:
    grounds = [each.annotation_id for each in standing.ballots if each.answer.value == agreed.value]
    agreed = replace(agreed, reasons=(*agreed.reasons, *extra))
    return Decision("done", agreed=agreed, grounds=grounds)


def _seniors(standing: Standing) -> list[Ballot]:
    return [ballot for ballot in standing.ballots if ballot.answer.is_senior]
