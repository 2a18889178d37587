"""Use cases of review: reserve, answer, skip, take back, and say why there is nothing to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Sum

from curation.models import Annotation, Project, ReviewItem
from curation.models.review import Queue, SkipReason
from curation.review import answering, conclusions, deciding, engine
from curation.review.emptiness import Empty, why_empty
from curation.review.engine import Asking, HeldLease, QueueDepth, Reserved, Reveal
from curation.review.items import Pick, close_untouched, open_items
from curation.review.mixing import GOLD, SHARES, draw
from feedbackhub.core.models import User
from feedbackhub.core.roles import CAPABILITIES, Can, Role

__all__ = [
    "Pick",
    "claim",
    "close_untouched",
    "expose",
    "heartbeat",
    "labels_saved",
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
    """Others gave the same reason: no annotator will be asked again."""
    routed: str
    """A value of ``Routed``: where the skips sent the item; empty while others are asked."""


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
    seat = engine.seat(project_id=project.pk, user_id=user.pk)
    asking = Asking(
        project_id=project.pk,
        user_id=user.pk,
        is_senior=Can.REVIEW_SENIOR in _capabilities(project, user, seat.role),
        queues=[*SHARES, GOLD] if queue is None else [str(Queue(queue))],
        limit=max(1, min(limit, engine.MOST_CLAIMED)),
    )
    mix = (seat.random_share, seat.gold_share) if queue is None else (0.0, 0.0)
    items = _claim(asking, mix, now)
    if not items and engine.sweep(now=now):
        items = _claim(asking, mix, now)
    if not items:
        deciding.adopt(project_id=project.pk, now=now)
        return Claimed(items=[], empty=why_empty(asking=asking), depth=0)
    return Claimed(items=items, empty=None, depth=engine.depth(asking=asking))


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
    with transaction.atomic():
        is_senior = _lock(project, user, item_id)
        answer = answering.submit(
            project_id=project.pk,
            item_id=item_id,
            user_id=user.pk,
            is_senior=is_senior,
            value=value,
            note=note,
            key=submission_key,
            seconds=seconds_spent,
            now=now,
        )
        if answer is None:
            return _submitted_before(project, user, item_id, value, submission_key)
        reveal = _take_in(answer, user, item_id, value, now)
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
    """Pass an item on to others. Reveals nothing.

    Two who call it spam end it, and a senior annotator says whether it is; two who find it unclear
    or in another language, or three skips, pass it on to a senior. A senior who skips it again ends
    it, and spam takes its label with it. Raises as :func:`submit`.
    """
    with transaction.atomic():
        _lock(project, user, item_id)
        if reason not in SkipReason.values:
            raise NotALabel(f"Skip for one of these reasons: {', '.join(SkipReason.values)}.")
        skipped = answering.skip(
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
            return _skipped_before(project, user, item_id, reason, submission_key)
        decision = conclusions.settle(project=project, item_id=item_id, now=now)
    is_closed = decision.status == ReviewItem.Status.CLOSED
    return Skipped(item_id, skipped.annotation_id, reason, is_closed, decision.routed)


def undo(
    *, project: Project, user: User, now: datetime, submission_key: UUID | None = None
) -> Undone:
    """Take back the user's newest standing answer or skip, or the one with this key.

    The last 20 of the last day can be taken back. The item is open again and the label that rested
    on the answer is withdrawn. Since an answer reveals what was hidden, its slot goes to someone
    else, and answering again is kept unblinded. The same key again gives the same answer.
    Raises :class:`NothingToUndo`.
    """
    with transaction.atomic():
        project.require(user, Can.REVIEW)
        last = answering.last(project_id=project.pk, user_id=user.pk, key=submission_key, now=now)
        if last is None:
            raise NothingToUndo("There is nothing of the last day to take back.")
        is_senior = _lock(project, user, last.item_id)
        taken = answering.undo(annotation_id=last.annotation_id, user_id=user.pk, now=now)
        if taken is not None:
            _withdraw(project, user, taken, is_senior, now)
        annotation = Annotation.objects.get(pk=last.annotation_id)
        item = answering.undone_item(project_id=project.pk, item_id=last.item_id, user_id=user.pk)
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


def _claim(asking: Asking, mix: tuple[float, float], now: datetime) -> list[Reserved]:
    """What they hold, and what is drawn beside it: ``mix`` is the share by lot and that of gold."""
    found = engine.free(asking=asking, now=now)
    held = sum(each.held for each in found)
    free = {each.queue: each.free for each in found}
    # What was drawn by lot may go to someone else this moment; then the queues have more.
    for random_share, gold_share in (mix, (0.0, 0.0)):
        drawn = draw(
            free=free,
            slots=asking.limit - held,
            user_id=asking.user_id,
            now=now,
            random_share=random_share,
            gold_share=gold_share,
        )
        if not (held or drawn.queues or drawn.lots):
            break
        with transaction.atomic():
            if items := engine.claim(asking=asking, drawn=drawn, now=now):
                return items
    return []


def _capabilities(project: Project, user: User, role: str | None) -> frozenset[Can]:
    """What the person may do here; raises ``PermissionDenied`` unless they may review."""
    known = Role.ADMIN if user.is_superuser else role
    may = CAPABILITIES[Role(known)] if known and user.is_active else frozenset[Can]()
    if Can.REVIEW not in may:
        raise PermissionDenied(f"Your role in {project.name} does not allow: {Can.REVIEW}.")
    return may


def _lock(project: Project, user: User, item_id: int) -> bool:
    """Lock the annotator and the item's sample; whether the annotator is a senior."""
    locked = answering.lock(project_id=project.pk, item_id=item_id, user_id=user.pk)
    may = _capabilities(project, user, locked.role)
    if not locked.is_there:
        raise NoSuchItem("This sample is gone from the project; nothing needs to be done.")
    return Can.REVIEW_SENIOR in may


def _earlier(project: Project, user: User, item_id: int, key: UUID) -> answering.Earlier | None:
    before = answering.earlier(project_id=project.pk, item_id=item_id, user_id=user.pk, key=key)
    if before is not None and not before.is_same_key:
        said = before.value or f"skipped ({before.skip_reason})"
        raise AlreadyAnswered(f"Your earlier answer stands: {said}. Undo it to answer again.")
    return before if before is not None and before.item_id == item_id else None


def labels_saved(*, project: Project) -> int:
    """How many answers were not asked for because what was said was sure enough."""
    total = ReviewItem.objects.filter(project=project).aggregate(n=Sum("saved"))["n"]
    return total or 0


def _submitted_before(
    project: Project, user: User, item_id: int, value: str, key: UUID
) -> Submitted:
    before = _earlier(project, user, item_id, key)
    if before is None and value not in (names := project.label_names()):
        raise NotALabel(f"“{value}” is not a label of this project; these are: {', '.join(names)}.")
    if before is None or before.value != value:
        raise KeyReused("This was sent before as another answer; reload the page.")
    reveal = engine.reveal(item_id=item_id, user_id=user.pk)
    return Submitted(
        item_id=item_id,
        annotation_id=before.annotation_id,
        value=value,
        is_blind=before.is_blind,
        is_extra=before.is_extra,
        reveal=reveal,
    )


def _skipped_before(project: Project, user: User, item_id: int, reason: str, key: UUID) -> Skipped:
    before = _earlier(project, user, item_id, key)
    if before is None or before.skip_reason != reason:
        raise KeyReused("This was sent before as something else; reload the page.")
    is_closed = before.status == ReviewItem.Status.CLOSED
    return Skipped(item_id, before.annotation_id, reason, is_closed, before.routed)


def _take_in(
    answer: answering.Answer, user: User, item_id: int, value: str, now: datetime
) -> Reveal:
    """Conclude what the answer leads to, and say what was hidden."""
    standing = deciding.standing(item_id=item_id)
    if not answer.is_blind:
        conclusions.believe_unblind(
            standing=standing, value=value, annotation_id=answer.annotation_id, now=now
        )
    if not answer.is_blind or answer.is_extra:
        return engine.reveal(item_id=item_id, user_id=user.pk)
    decision = conclusions.conclude(standing=standing, now=now)
    placing = deciding.statement(of=standing, decision=decision, now=now)
    return engine.reveal(item_id=item_id, user_id=user.pk, after=placing.sql, given=placing.params)


def _withdraw(
    project: Project, user: User, taken: answering.TakenBack, is_senior: bool, now: datetime
) -> None:
    conclusions.withdraw(project=project, item_id=taken.item_id, sample_id=taken.sample_id, now=now)
    if taken.kind == Annotation.Kind.SKIP:
        answering.lease_again(
            project_id=project.pk,
            item_id=taken.item_id,
            user_id=user.pk,
            is_senior=is_senior,
            now=now,
        )
