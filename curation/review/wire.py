"""Each use case of review between the shapes that page and REST API send and get.

A refusal is a problem document; what was typed stays with its sender, whose key makes sending it
again safe.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from curation import rankings
from curation.models import Project
from curation.models.review import Queue
from curation.review import engine, precedents, services, shapes
from curation.review.anchoring import Shown, show_first
from curation.review.guideline_versions import newest_guideline
from curation.review.guidelines import guideline_html
from curation.review.keymap import BadKeys
from curation.review.preferences import keep_preference
from curation.review.services import (
    AlreadyAnswered,
    KeyReused,
    NoSuchItem,
    NotALabel,
    NothingToUndo,
    ReviewRefused,
)
from feedbackhub.core.models import User
from feedbackhub.core.problems import Problem
from feedbackhub.core.roles import Can

STATUS: dict[type[ReviewRefused], int] = {
    NoSuchItem: 404,
    NotALabel: 400,
    AlreadyAnswered: 409,
    KeyReused: 409,
    NothingToUndo: 409,
}
NEUTRAL_REASON = "Selected for review"


def claim(
    *, project: Project, user: User, body: shapes.ClaimBody, now: datetime
) -> shapes.ClaimAnswer:
    """Reserve items. Naming a queue is for seniors: it tells why a text waits before the answer."""
    if body.queue is not None:
        project.require(user, Can.REVIEW_SENIOR)
    claimed = services.claim(
        project=project, user=user, queue=body.queue, limit=body.count, now=now
    )
    held = [item.id for item in claimed.items]
    shown = show_first(project=project, user=user, item_ids=held, now=now)
    empty = claimed.empty
    return shapes.ClaimAnswer(
        items=[_item(item, shown.get(item.id)) for item in claimed.items],
        depth=claimed.depth,
        empty=None if empty is None else shapes.EmptyAnswer(**vars(empty)),
    )


def submit(
    *, project: Project, user: User, item: int, body: shapes.SubmitBody, now: datetime
) -> shapes.SubmitAnswer:
    """Take an answer and reveal what was hidden."""
    with _refusals("value"):
        done = services.submit(
            project=project,
            user=user,
            item_id=item,
            value=body.value,
            submission_key=body.submission_key,
            note=body.note,
            seconds_spent=body.seconds_spent,
            now=now,
        )
    kept = "extra" if done.is_extra else "accepted"
    alike = precedents.show_precedents(project=project, user=user, item_id=item, now=now)
    is_ranked = done.reveal.queue == Queue.UNCERTAIN
    ranking = rankings.ranking_status(project=project) if is_ranked else None
    return shapes.SubmitAnswer(
        id=item,
        annotation=done.annotation_id,
        value=done.value,
        status="unblinded" if not done.is_blind else kept,  # type: ignore[arg-type]
        reveal=_revealed(done.reveal, alike, ranking.said(now=now) if ranking else ""),
    )


def skip(
    *, project: Project, user: User, item: int, body: shapes.SkipBody, now: datetime
) -> shapes.SkipAnswer:
    """Pass an item on."""
    with _refusals("reason"):
        skipped = services.skip(
            project=project,
            user=user,
            item_id=item,
            reason=body.reason,
            submission_key=body.submission_key,
            note=body.note,
            seconds_spent=body.seconds_spent,
            now=now,
        )
    return shapes.SkipAnswer(
        id=item,
        annotation=skipped.annotation_id,
        reason=skipped.reason,
        is_closed=skipped.is_closed,
        routed=skipped.routed,
    )


def undo(
    *, project: Project, user: User, body: shapes.UndoBody, now: datetime
) -> shapes.UndoAnswer:
    """Take an answer or a skip back."""
    with _refusals("submission_key"):
        undone = services.undo(
            project=project, user=user, submission_key=body.submission_key, now=now
        )
    return shapes.UndoAnswer(
        item=_item(undone.item),
        kind=undone.kind,  # type: ignore[arg-type]
        value=undone.value,
        reason=undone.reason,
        note=undone.note,
        is_blind=undone.is_blind,
    )


def heartbeat(
    *, project: Project, user: User, body: shapes.ItemsBody, now: datetime
) -> shapes.HeartbeatAnswer:
    """Keep leases alive."""
    kept = services.heartbeat(project=project, user=user, items=body.items, now=now)
    return shapes.HeartbeatAnswer(
        items=[shapes.LeaseAnswer(id=lease.id, expires_at=lease.expires_at) for lease in kept]
    )


def release(
    *, project: Project, user: User, body: shapes.ItemsBody, now: datetime
) -> shapes.ReleaseAnswer:
    """Give leases back."""
    return shapes.ReleaseAnswer(
        released=services.release(project=project, user=user, items=body.items)
    )


def preferences(
    *, project: Project, user: User, body: shapes.PreferencesBody, now: datetime
) -> shapes.PreferencesAnswer:
    """Keep how the person likes to review, in this project and every other."""
    project.require(user, Can.REVIEW)
    try:
        kept = keep_preference(user=user, keys=body.keys, daily_goal=body.daily_goal, now=now)
    except BadKeys as bad:
        errors = [{"field": name, "message": message} for name, message in bad.errors.items()]
        raise Problem(400, str(bad), errors) from bad
    return shapes.PreferencesAnswer(keys=kept.keys, daily_goal=kept.daily_goal)


def guideline(*, project: Project, user: User) -> shapes.GuidelineAnswer:
    """The guidelines in force, for a page that was opened under earlier ones."""
    project.require(user, Can.REVIEW)
    newest = newest_guideline(project=project)
    if newest is None:
        return shapes.GuidelineAnswer(number=0, html="")
    return shapes.GuidelineAnswer(number=newest.number, html=guideline_html(text=newest.text))


@contextmanager
def _refusals(field: str) -> Iterator[None]:
    """Turn a refusal into the problem it is on the wire."""
    try:
        yield
    except ReviewRefused as refused:
        status = STATUS[type(refused)]
        errors = [{"field": field, "message": str(refused)}] if status == 400 else []
        raise Problem(status, str(refused), errors) from refused


def _item(item: engine.Reserved, shown: Shown | None = None) -> shapes.ReservedItem:
    return shapes.ReservedItem(
        id=item.id,
        text=item.text or "",
        reason=NEUTRAL_REASON,
        guideline=item.guideline,
        expires_at=item.expires_at,
        shown=None
        if shown is None
        else shapes.RevealedPrediction(
            label=shown.label,
            confidence=shown.confidence,
            model_version=shown.model_version or None,
        ),
    )


def _revealed(
    reveal: engine.Reveal, alike: Sequence[precedents.AnsweredText], ranked: str
) -> shapes.RevealAnswer:
    thumbs = {"up": 0, "down": 0}
    suggestions: dict[str, int] = {}
    for rating, label, count in reveal.votes:
        thumbs[rating] += count
        if label:
            suggestions[label] = suggestions.get(label, 0) + count
    prediction = None
    if reveal.predicted is not None:
        prediction = shapes.RevealedPrediction(
            label=reveal.predicted,
            confidence=reveal.confidence,
            model_version=reveal.model_version,
        )
    return shapes.RevealAnswer(
        prediction=prediction,
        votes=shapes.Votes(up=thumbs["up"], down=thumbs["down"], suggestions=suggestions),
        queue=reveal.queue,
        why=_sentence(reveal.queue, reveal.why),
        ranked=ranked,
        peers=[shapes.Peer(annotator=name, value=value) for name, value in reveal.peers],
        precedents=[shapes.AnsweredText(text=each.text, value=each.value) for each in alike],
    )


def _sentence(queue: str, why: dict[str, Any]) -> str:
    return str(why.get("sentence") or f"It was in the {Queue(queue).label.lower()} queue.")
