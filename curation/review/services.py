"""Use cases of review: reserve, answer, skip, take back, and say why there is nothing to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from curation import labels
from curation.digest.voices import reweigh
from curation.labels import Belief
from curation.models import Annotation, Label, Project
from curation.models.review import Queue, SkipReason
from curation.review import engine
from curation.review.consensus import UNBLIND_QUALITY, consensus
from curation.review.emptiness import Empty, why_empty
from curation.review.engine import HeldLease, QueueDepth, Reserved, Reveal
from curation.review.items import Pick, close_untouched, open_items
from curation.review.mixing import SHARES, draw
from feedbackhub.core.models import User
from feedbackhub.core.roles import Can

__all__ = [
    "Pick",
    "claim",
    "close_untouched",
    "expose",
    "heartbeat",
    "open_items",
    "queue_depths",
    "release",
    "skip",
    "submit",
    "sweep",
    "undo",
]


class ReviewRefused(Exception):
    """An answer or a claim cannot be taken; the message tells the annotator what to do."""


class NoSuchItem(ReviewRefused):
    """The project has no item with this id."""


class NotALabel(ReviewRefused):
    """The answer is not one of the project's labels, or not a reason to skip."""


class AlreadyAnswered(ReviewRefused):
    """The annotator's answer to this item stands; it must be undone before another is taken."""


class KeyReused(ReviewRefused):
    """The submission key belongs to something else the annotator sent before."""


class NothingToUndo(ReviewRefused):
    """None of the annotator's recent answers stands."""


@dataclass(frozen=True)
class Claimed:
    """What an annotator holds now; ``empty`` says why when that is nothing."""

    items: list[Reserved]
    empty: Empty | None
    depth: int
    """Items free to claim beside these, counted up to a thousand."""


@dataclass(frozen=True)
class Submitted:
    """What became of an answer, and what may be seen after it."""

    item_id: int
    annotation_id: int
    value: str
    is_blind: bool
    is_extra: bool
    """Kept as a further opinion: no slot was free any more."""
    reveal: Reveal


@dataclass(frozen=True)
class Skipped:
    """What became of a skip."""

    item_id: int
    annotation_id: int
    reason: str
    is_closed: bool


@dataclass(frozen=True)
class Undone:
    """What was taken back, and the item to answer again."""

    item: Reserved
    kind: str
    value: str
    reason: str
    note: str
    is_blind: bool
    """Whether a new answer would still be blind: only a skip reveals nothing."""


def claim(
    *, project: Project, user: User, now: datetime, queue: str | None = None, limit: int = 5
) -> Claimed:
    """Reserve up to ``limit`` items for ``user``, those they hold already first.

    Without a ``queue`` they are drawn from all. Who asks for one knows why a text waits before
    they answer: the edges let nobody without :attr:`Can.REVIEW_SENIOR` ask. Raises
    ``PermissionDenied`` without :attr:`Can.REVIEW`, and ``ValueError`` for an unknown queue. When
    nothing is found, leases that ran out are swept and it is tried once more.
    """
    project.require(user, Can.REVIEW)
    queues = [*SHARES] if queue is None else [str(Queue(queue))]
    most = max(1, min(limit, engine.MOST_CLAIMED))
    items = _claim(project, user, queues, most, now)
    if not items and engine.sweep(now=now):
        items = _claim(project, user, queues, most, now)
    if not items:
        return Claimed(
            items=[], empty=why_empty(project=project, user=user, queues=queues), depth=0
        )
    return Claimed(
        items=items, empty=None, depth=engine.depth(project_id=project.pk, queues=queues)
    )


def submit(
    *,
    project: Project,
    user: User,
    item_id: int,
    value: str,
    submission_key: UUID,
    now: datetime,
    note: str = "",
    seconds_spent: float | None = None,
) -> Submitted:
    """Take an answer and show what was hidden; the same key again gives the same answer.

    An answer is never thrown away: without a slot it is kept as an extra opinion, after an undo as
    an unblinded one. Raises :class:`ReviewRefused` as one of its kinds, and ``PermissionDenied``.
    """
    project.require(user, Can.REVIEW)
    with transaction.atomic():
        _lock(project, user, item_id)
        answer = engine.submit(
            project_id=project.pk,
            item_id=item_id,
            user_id=user.pk,
            value=value,
            note=note,
            key=submission_key,
            seconds=seconds_spent,
            now=now,
        )
        if answer is None:
            return _submitted_before(project, user, item_id, value, submission_key, now)
        is_settled = _conclude(answer, item_id, value, now)
        reveal = engine.reveal(
            item_id=item_id,
            user_id=user.pk,
            settled_sample=answer.sample_id if is_settled else None,
            now=now,
        )
    return Submitted(
        item_id=item_id,
        annotation_id=answer.annotation_id,
        value=value,
        is_blind=answer.is_blind,
        is_extra=answer.is_extra,
        reveal=reveal,
    )


def skip(
    *,
    project: Project,
    user: User,
    item_id: int,
    reason: str,
    submission_key: UUID,
    now: datetime,
    note: str = "",
    seconds_spent: float | None = None,
) -> Skipped:
    """Pass an item on to others; two spam or two unclear close it. Reveals nothing.

    Raises as :func:`submit`.
    """
    project.require(user, Can.REVIEW)
    if reason not in SkipReason.values:
        raise NotALabel(f"Skip for one of these reasons: {', '.join(SkipReason.values)}.")
    with transaction.atomic():
        _lock(project, user, item_id)
        skipped = engine.skip(
            project_id=project.pk,
            item_id=item_id,
            user_id=user.pk,
            reason=reason,
            note=note,
            key=submission_key,
            seconds=seconds_spent,
            now=now,
        )
        if skipped is None:
            before = _earlier(project, user, item_id, submission_key)
            if before is None or before.skip_reason != reason:
                raise KeyReused("This was sent before as something else; reload the page.")
            return Skipped(item_id, before.annotation_id, reason, before.status == "closed")
    return Skipped(item_id, skipped.annotation_id, reason, skipped.is_closed)


def undo(
    *, project: Project, user: User, now: datetime, submission_key: UUID | None = None
) -> Undone:
    """Take back the user's newest standing answer or skip, or the one with this key.

    The last 20 of the last day can be taken back. The item is open again and the label that rested
    on the answer is withdrawn. Since an answer reveals what was hidden, its slot goes to someone
    else, and answering again is kept unblinded. The same key again gives the same answer.
    Raises :class:`NothingToUndo`.
    """
    project.require(user, Can.REVIEW)
    with transaction.atomic():
        last = engine.last(project_id=project.pk, user_id=user.pk, key=submission_key, now=now)
        if last is None:
            raise NothingToUndo("There is nothing of the last day to take back.")
        _lock(project, user, last.item_id)
        taken = engine.undo(annotation_id=last.annotation_id, user_id=user.pk, now=now)
        if taken is not None:
            _withdraw(project, user, taken, now)
        annotation = Annotation.objects.get(pk=last.annotation_id)
        item = engine.undone_item(project_id=project.pk, item_id=last.item_id, user_id=user.pk)
    return Undone(
        item=item,
        kind=annotation.kind,
        value=annotation.value,
        reason=annotation.skip_reason,
        note=annotation.note,
        is_blind=annotation.kind == Annotation.Kind.SKIP,
    )


def heartbeat(
    *, project: Project, user: User, items: Sequence[int], now: datetime
) -> list[HeldLease]:
    """Keep leases alive, none longer than half an hour; those missing in the answer are lost."""
    return engine.heartbeat(project_id=project.pk, user_id=user.pk, items=items, now=now)


def release(*, project: Project, user: User, items: Sequence[int]) -> int:
    """Give leases back, as when the page is left; how many there were."""
    return engine.release(project_id=project.pk, user_id=user.pk, items=items)


def expose(*, sample_ids: Sequence[int], user: User, now: datetime) -> None:
    """``user`` looked at pages of these samples that show predictions or votes.

    From now on the queues never serve them these texts, what they hold of them goes to someone
    else, and an answer they send all the same is kept unblinded. Unknown ids are passed over.
    """
    if sample_ids:
        with transaction.atomic():
            engine.expose(sample_ids=sample_ids, user_id=user.pk, now=now)


def sweep(*, now: datetime) -> int:
    """Free the slots of leases that ran out, in every project; how many items changed."""
    return engine.sweep(now=now)


def queue_depths(*, project: Project) -> list[QueueDepth]:
    """Open items by queue."""
    return engine.depths(project_id=project.pk)


def _claim(
    project: Project, user: User, queues: list[str], limit: int, now: datetime
) -> list[Reserved]:
    found = engine.free(project_id=project.pk, user_id=user.pk, queues=queues, limit=limit, now=now)
    held = sum(each.held for each in found)
    drawn = draw(
        free={each.queue: each.free for each in found},
        slots=limit - held,
        user_id=user.pk,
        now=now,
    )
    if not held and not drawn:
        return []
    with transaction.atomic():
        return engine.claim(
            project_id=project.pk,
            user_id=user.pk,
            queues=queues,
            drawn=drawn,
            limit=limit,
            now=now,
        )


def _lock(project: Project, user: User, item_id: int) -> None:
    if not engine.lock(project_id=project.pk, item_id=item_id, user_id=user.pk):
        raise NoSuchItem("This sample is gone from the project; nothing needs to be done.")


def _earlier(project: Project, user: User, item_id: int, key: UUID) -> engine.Earlier | None:
    before = engine.earlier(project_id=project.pk, item_id=item_id, user_id=user.pk, key=key)
    if before is not None and not before.is_same_key:
        said = before.value or f"skipped ({before.skip_reason})"
        raise AlreadyAnswered(f"Your earlier answer stands: {said}. Undo it to answer again.")
    return before if before is not None and before.item_id == item_id else None


def _submitted_before(
    project: Project, user: User, item_id: int, value: str, key: UUID, now: datetime
) -> Submitted:
    before = _earlier(project, user, item_id, key)
    if before is None and value not in (names := project.label_names()):
        raise NotALabel(f"“{value}” is not a label of this project; these are: {', '.join(names)}.")
    if before is None or before.value != value:
        raise KeyReused("This was sent before as another answer; reload the page.")
    reveal = engine.reveal(item_id=item_id, user_id=user.pk, settled_sample=None, now=now)
    return Submitted(
        item_id=item_id,
        annotation_id=before.annotation_id,
        value=value,
        is_blind=before.is_blind,
        is_extra=before.is_extra,
        reveal=reveal,
    )


def _conclude(answer: engine.Answer, item_id: int, value: str, now: datetime) -> bool:
    """Believe what annotators agree on; ask one more when they are split. Whether it is settled."""
    if not answer.is_blind:
        _believe_unblind(answer, value, now)
        return False
    if not answer.is_done:
        return False
    agreed = consensus(
        [ballot.answer for ballot in answer.ballots],
        labels=answer.labels,
        skills={ballot.answer.user_id: ballot.skill for ballot in answer.ballots},
    )
    if agreed is None:
        engine.widen(item_id=item_id)
        return False
    supporters = [
        ballot.annotation_id for ballot in answer.ballots if ballot.answer.value == agreed.value
    ]
    belief = Belief(
        sample_id=answer.sample_id,
        value=agreed.value,
        origin=Label.Origin.ANNOTATION,
        quality=agreed.quality,
        reasons=agreed.reasons,
        annotation_ids=supporters,
    )
    labels.believe(beliefs=[belief], now=now)
    return True


def _believe_unblind(answer: engine.Answer, value: str, now: datetime) -> None:
    # A second thought after the reveal is worth something, but never against a blind answer.
    annotated: dict[str, Any] = {"is_current": True, "origin": Label.Origin.ANNOTATION}
    if Label.objects.filter(sample_id=answer.sample_id, **annotated).exists():
        return
    belief = Belief(
        sample_id=answer.sample_id,
        value=value,
        origin=Label.Origin.ANNOTATION,
        quality=UNBLIND_QUALITY,
        reasons=["An annotator said so after the prediction was shown."],
        annotation_ids=[answer.annotation_id],
    )
    labels.believe(beliefs=[belief], now=now)


def _withdraw(project: Project, user: User, taken: engine.TakenBack, now: datetime) -> None:
    if taken.kind == Annotation.Kind.SKIP:
        engine.lease_again(project_id=project.pk, item_id=taken.item_id, user_id=user.pk, now=now)
        return
    labels.withdraw(sample_ids=[taken.sample_id], origin=Label.Origin.ANNOTATION, now=now)
    reweigh(sample_ids=[taken.sample_id], now=now)
