"""Bulk actions: asked for, previewed, applied and taken back, in batches that may be interrupted.

Each batch is one transaction that holds the action's row: two workers never do the same batch, and
what a crash stopped is done again from the last batch that was finished. What was previewed is a
list of samples; only these are touched, and each is looked at once more before it is.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from curation.explorer.bulk_kinds import KINDS, OPEN_QUEUES
from curation.explorer.bulk_rows import SQL, Facts, Row, facts_of, settle
from curation.explorer.filters import SampleFilter, UnknownFilter, filter_from
from curation.explorer.search import Search
from curation.models import BulkAction, BulkKind, BulkRow, Project
from feedbackhub.core.models import User
from feedbackhub.core.roles import Can
from feedbackhub.core.sql import execute, fetch
from feedbackhub.core.transitions import move, record

MOST_SAMPLES = 100_000
BATCH = 500
# Each of these locks and weighs one sample at a time.
SLOW_BATCH = 50
SLOW = (BulkKind.RETRACT_SOURCE, BulkKind.RETRACT_ANNOTATOR)
WORKER = "bulk"
Status, State = BulkAction.Status, BulkRow.State
DUE = (Status.COLLECTING, Status.APPLYING, Status.UNDOING)
# A step: rows in the first state are taken, and when none is left the action has the second status.
STEPS = {
    Status.COLLECTING: (State.FOUND, Status.READY),
    Status.APPLYING: (State.PLANNED, Status.APPLIED),
    Status.UNDOING: (State.APPLIED, Status.UNDONE),
}


class BulkRefused(Exception):
    """A bulk action cannot be asked for as it was; the message says what is wrong."""


@dataclass(frozen=True)
class Count:
    """How many samples of an action stand where, for one reason."""

    state: str
    why: str
    n: int


@dataclass(frozen=True)
class _Number:
    n: int


def ask_for(
    *,
    project: Project,
    kind: str,
    target: str,
    given: SampleFilter,
    reason: str,
    user: User,
    now: datetime,
) -> BulkAction:
    """Write down what is to be done to every sample that fits; a worker collects them.

    Raises :class:`BulkRefused`, and ``PermissionDenied`` without :attr:`Can.CURATE`.
    """
    project.require(user, Can.CURATE)
    if kind not in BulkKind.values:
        raise BulkRefused("Choose what is to be done.")
    if not reason.strip():
        raise BulkRefused("Say why: whoever comes after you will ask.")
    _check_target(project, kind, target)
    with transaction.atomic():
        action = BulkAction.objects.create(
            project=project,
            kind=kind,
            target=target,
            filters=given.as_json(),
            reason=reason.strip(),
            requested_by=user.username,
            created_at=now,
        )
        record(
            action,
            from_status="",
            to=Status.COLLECTING,
            actor=user.username,
            now=now,
            reason=reason,
        )
    return action


def _check_target(project: Project, kind: str, target: str) -> None:
    if kind == BulkKind.LABEL and target not in project.label_names():
        raise BulkRefused("Choose one of the project's labels.")
    if kind == BulkKind.QUEUE and target not in OPEN_QUEUES:
        raise BulkRefused("Choose a queue; audit and gold are drawn, not chosen.")
    number = int(target) if target.isascii() and target.isdigit() and len(target) < 19 else 0
    sources = project.sources.filter(pk=number)
    if kind == BulkKind.RETRACT_SOURCE and not sources.exists():
        raise BulkRefused("Choose a source.")
    if kind == BulkKind.RETRACT_ANNOTATOR and not annotators(project=project, only=number):
        raise BulkRefused("Choose an annotator who has answered something here.")


def annotators(*, project: Project, only: int | None = None) -> list[User]:
    """Who has ever answered in a project, by name; ``only`` this one if they have."""
    found = User.objects.filter(annotations__item__project=project)
    found = found if only is None else found.filter(pk=only)
    return list(found.distinct().order_by("username"))


def apply(*, action: BulkAction, user: User, now: datetime) -> None:
    """Let a worker do what was previewed. Raises ``StaleTransition`` when it is not ready."""
    _move(action, expected=Status.READY, to=Status.APPLYING, user=user, now=now)


def cancel(*, action: BulkAction, user: User, expected: str, now: datetime) -> None:
    """Give it up untouched. Raises as :func:`apply`, and ``ForbiddenTransition``."""
    _move(action, expected=expected, to=Status.CANCELLED, user=user, now=now)


def undo(*, action: BulkAction, user: User, expected: str, now: datetime, reason: str = "") -> None:
    """Let a worker take back what was done, as far as nobody has changed it since.

    Half-way through, the rest is not done any more. Raises as :func:`cancel`.
    """
    _move(action, expected=expected, to=Status.UNDOING, user=user, now=now, reason=reason)


def _move(
    action: BulkAction, *, expected: str, to: str, user: User, now: datetime, reason: str = ""
) -> None:
    action.project.require(user, Can.CURATE)
    move(
        action,
        moves=BulkAction.MOVES,
        expected=expected,
        to=to,
        actor=user.username,
        now=now,
        reason=reason,
        evidence={"counts": _tally(action)},
    )


def counts(*, action: BulkAction) -> list[Count]:
    """How many samples stand where and why, the most frequent reason first."""
    return fetch(SQL["counts"], {"action": action.pk}, into=Count)


def touched_truth(*, action: BulkAction) -> int:
    """How many of its samples candidates are judged or calibrated on."""
    return fetch(SQL["truth"], {"action": action.pk}, into=_Number)[0].n


def advance(*, now: datetime, seconds: float) -> int:
    """Do the batches that are due, the oldest action first, for so long; how many were done.

    One query when nothing is due.
    """
    deadline = time.monotonic() + seconds
    done = 0
    for pk in list(
        BulkAction.objects.filter(status__in=DUE).order_by("id").values_list("pk", flat=True)
    ):
        while time.monotonic() < deadline and _batch(pk, now):
            done += 1
    return done


def _batch(pk: int, now: datetime) -> bool:
    """One batch of one action; False when nothing is left to do, or someone else does it."""
    with transaction.atomic():
        held = BulkAction.objects.select_for_update(skip_locked=True, of=("self",))
        action = held.select_related("project").filter(pk=pk, status__in=DUE).first()
        if action is None:
            return False
        if action.status == Status.COLLECTING and not action.is_frozen:
            _freeze(action, now)
            return True
        taken, finished = STEPS[Status(action.status)]
        rows = _take(action, taken)
        if not rows:
            _finish(action, finished, now)
            return False
        _STEP[Status(action.status)](action, rows, now)
    return True


def _freeze(action: BulkAction, now: datetime) -> None:
    """Write down which samples fit, all at once: a list, not a filter, is what is approved."""
    try:
        given = filter_from(project=action.project, given=action.filters)
    except UnknownFilter as unknown:
        _fail(action, str(unknown), now)
        return
    ids, params = Search(project=action.project, given=given, is_bounded=False).ids()
    sql = SQL["freeze"].replace("{ids}", ids)
    n = execute(sql, {**params, "action": action.pk, "most": MOST_SAMPLES + 1})
    if n > MOST_SAMPLES:
        BulkRow.objects.filter(action=action).delete()
        _fail(action, f"More than {MOST_SAMPLES:,} samples fit; narrow the filter.", now)
        return
    BulkAction.objects.filter(pk=action.pk).update(is_frozen=True)


def _fail(action: BulkAction, why: str, now: datetime) -> None:
    move(
        action,
        moves=BulkAction.MOVES,
        expected=Status.COLLECTING,
        to=Status.FAILED,
        actor=WORKER,
        now=now,
        reason=why,
        failure=why,
    )


def _take(action: BulkAction, state: str) -> list[Row]:
    limit = SLOW_BATCH if action.kind in SLOW else BATCH
    params: dict[str, str | int] = {"action": action.pk, "state": str(state), "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(SQL["take"], params)
        return [
            Row(pk, label, json.loads(change) if isinstance(change, str) else change)
            for pk, label, change in cursor.fetchall()
        ]


def _judge(action: BulkAction, rows: Sequence[Row], now: datetime) -> None:
    """Of each sample that fits: whether it would be touched, and if not, why."""
    facts = facts_of(sample_ids=[row.sample_id for row in rows])
    whys = KINDS[action.kind].leaves_out(action, facts)
    states = {
        row.sample_id: State.LEFT_OUT if row.sample_id in whys else State.PLANNED for row in rows
    }
    settle(action=action, states=states, whys=whys)


def _apply(action: BulkAction, rows: Sequence[Row], now: datetime) -> None:
    facts = _locked(rows)
    whys = KINDS[action.kind].leaves_out(action, facts)
    ids = [each.sample_id for each in facts if each.sample_id not in whys]
    done = KINDS[action.kind].apply(action, ids, now) if ids else {}
    missed = {pk: "It had changed since the preview." for pk in ids if pk not in done}
    whys = {pk: f"Since the preview: {why}" for pk, why in whys.items()} | missed
    states = {row.sample_id: State.APPLIED if row.sample_id in done else State.KEPT for row in rows}
    settle(action=action, states=states, whys=whys, done=done)


def _undo(action: BulkAction, rows: Sequence[Row], now: datetime) -> None:
    _locked(rows)
    stuck = KINDS[action.kind].undo(action, rows, now)
    states = {
        row.sample_id: State.STUCK if row.sample_id in stuck else State.UNDONE for row in rows
    }
    settle(action=action, states=states, whys=stuck)


def _locked(rows: Sequence[Row]) -> list[Facts]:
    """The facts of these samples, which nobody changes until the batch is done."""
    ids = [row.sample_id for row in rows]
    execute(SQL["lock_samples"], {"samples": ids})
    return facts_of(sample_ids=ids)


_STEP = {Status.COLLECTING: _judge, Status.APPLYING: _apply, Status.UNDOING: _undo}


def _finish(action: BulkAction, status: str, now: datetime) -> None:
    move(
        action,
        moves=BulkAction.MOVES,
        expected=action.status,
        to=status,
        actor=WORKER,
        now=now,
        evidence={"counts": _tally(action)},
    )


def _tally(action: BulkAction) -> dict[str, Any]:
    """How many rows stand in each state."""
    tally: dict[str, int] = {}
    for count in counts(action=action):
        tally[count.state] = tally.get(count.state, 0) + count.n
    return tally
