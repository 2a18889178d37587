"""Keeps annotators' records, and the labels weighed by them, up with the answers.

Level-triggered: a tick notices which projects have news, works their records out anew, and, when
those moved, weighs the labels that rest on several answers, window by window. Twice or late does
no harm; without news it costs three queries.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from django.db import connection, transaction
from django.db.models import Max, Q

from curation.models import AgreementState, Project
from curation.review.agreement.annotators import skills
from curation.review.agreement.dawid_skene import UNKNOWN, Answers, Floats, Ints
from curation.review.agreement.records import Record, records
from curation.review.agreement.reweighing import reweigh_window
from curation.review.agreement.skill import PRIOR_ACCURACY
from curation.review.engine import SENIOR_ROLES
from feedbackhub.core.sql import execute, fetch, statements

SQL = statements(Path(__file__).with_name("refresh.sql"))
# Transactions are over by then: what is older was seen by whoever looked.
SETTLED_AFTER = timedelta(minutes=1)
# The newest answers tell how right people are now, and bound the work.
MOST_ANSWERS = 500_000
# Smaller moves of an accuracy change no label worth rewriting.
MOVED_BY = 0.02
# Labels that annotators agreed on meanwhile have not been held to the model's view.
WEIGH_AGAIN_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class Refreshed:
    """What one tick did."""

    projects: int = 0
    """Projects whose records were worked out anew."""
    labels: int = 0
    """Labels that changed their value, or their quality by more than a little."""


@dataclass(frozen=True)
class Annotator:
    """Someone with blind answers that stand."""

    user_id: int
    n: int
    is_senior: bool


def refresh(*, now: datetime) -> Refreshed:
    """Do what is due in every project; one that another tick is working on is passed over."""
    _notice(now)
    busy = AgreementState.objects.filter(Q(is_due=True) | Q(weighed_to__isnull=False))
    worked_out, changed = 0, 0
    for project in Project.objects.filter(agreement_state__in=busy).order_by("pk"):
        worked_out += _catch_up(project, now)
        changed += _weigh_on(project, now)
    return Refreshed(projects=worked_out, labels=changed)


def _notice(now: datetime) -> None:
    seen = AgreementState.objects.aggregate(id=Max("seen_annotation_id"), at=Max("seen_at"))
    params = {
        "seen_id": seen["id"] or 0,
        "seen_at": seen["at"] or datetime.min.replace(tzinfo=UTC),
        "settled": now - SETTLED_AFTER,
    }
    execute(SQL["notice"], params)


def _catch_up(project: Project, now: datetime) -> bool:
    """Work the records out if they are due and nobody else is at it; whether they were."""
    with transaction.atomic():
        due = AgreementState.objects.select_for_update(skip_locked=True)
        state = due.filter(pk=project.pk, is_due=True).first()
        if state is None:
            return False
        _start_weighing(state, _work_out(project, now), now)
        state.is_due = False
        state.save(update_fields=["is_due", "weighed_by", "weighed_to", "weighed_at"])
    return True


def _weigh_on(project: Project, now: datetime) -> int:
    """Weigh the next window of labels, if one is left; how many changed.

    Outside any transaction: samples stay locked no longer than one batch takes. Two ticks at the
    same window weigh it twice, to the same end, and one of them moves on.
    """
    states = AgreementState.objects.filter(pk=project.pk)
    after = states.values_list("weighed_to", flat=True).first()
    if after is None:
        return 0
    window = reweigh_window(project=project, after=after, now=now)
    states.filter(weighed_to=after).update(weighed_to=window.weighed_to)
    return window.changed


def _work_out(project: Project, now: datetime) -> dict[str, float]:
    """Write the records anew; the accuracy each annotator's answers are weighed by, by id."""
    labels = project.label_names()
    params = {"project": project.pk, "senior_roles": SENIOR_ROLES}
    people = fetch(SQL["annotators"], params, into=Annotator)
    seniors = {each.user_id for each in people if each.is_senior}
    found = _records(_shared(project, labels), seniors, len(labels))
    _write(project, people, found, labels, now)
    known = skills(project_id=project.pk, user_ids=[each.user_id for each in people])
    return {
        str(each.user_id): round(known[each.user_id].accuracy(is_senior=each.is_senior), 4)
        for each in people
    }


def _shared(project: Project, labels: Sequence[str]) -> Ints:
    """Answers to learn from (n, 4): text, annotator, what was said, and the truth or UNKNOWN."""
    with connection.cursor() as cursor:
        cursor.execute(
            SQL["shared_answers"],
            {"project": project.pk, "labels": [*labels], "most": MOST_ANSWERS},
        )
        return np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, 4)


def _records(shared: Ints, seniors: Collection[int], n_labels: int) -> dict[int, Record]:
    """The records of those who can be compared, by annotator."""
    if not len(shared):
        return {}
    samples, items = np.unique(shared[:, 0], return_inverse=True)
    users, annotators = np.unique(shared[:, 1], return_inverse=True)
    known = np.full(len(samples), UNKNOWN, dtype=np.int64)
    known[items] = shared[:, 3]
    found = records(
        Answers(items, annotators, shared[:, 2], len(samples), len(users), n_labels),
        is_senior=[int(user) in seniors for user in users],
        known=known,
    )
    return {int(user): record for user, record in zip(users, found, strict=True)}


def _write(
    project: Project,
    people: Sequence[Annotator],
    found: Mapping[int, Record],
    labels: Sequence[str],
    now: datetime,
) -> None:
    nothing = Record(0, 0, 0.0, None, None, None, np.zeros((len(labels), len(labels))))
    rows = [(each, found.get(each.user_id, nothing)) for each in people]
    execute(
        SQL["write_records"],
        {
            "project": project.pk,
            "users": [each.user_id for each, _ in rows],
            "answers": [each.n for each, _ in rows],
            "compared": [record.n_compared for _, record in rows],
            "gold": [record.n_gold for _, record in rows],
            "effective": [record.n_effective for _, record in rows],
            "accuracies": [record.accuracy for _, record in rows],
            "lows": [record.low for _, record in rows],
            "highs": [record.high for _, record in rows],
            "confusions": [json.dumps(_named(record.confusion, labels)) for _, record in rows],
            "now": now,
        },
    )


def _named(confusion: Floats, labels: Sequence[str]) -> dict[str, dict[str, float]]:
    """Counts by name, to two decimals, without those that are none."""
    named = {
        truth: {
            said: round(float(count), 2)
            for said, count in zip(labels, row, strict=True)
            if count >= 0.005
        }
        for truth, row in zip(labels, confusion, strict=True)
    }
    return {truth: row for truth, row in named.items() if row}


def _start_weighing(state: AgreementState, accuracies: dict[str, float], now: datetime) -> None:
    """Weigh all labels again when the records moved, or have not been for long.

    One that is under way ends first: a label is weighed once a round, whatever happens meanwhile.
    """
    if state.weighed_to is not None:
        return
    # Who is new was taken for an average annotator.
    before = state.weighed_by
    has_moved = any(
        abs(accuracy - before.get(user, PRIOR_ACCURACY)) >= MOVED_BY
        for user, accuracy in accuracies.items()
    )
    if has_moved or state.weighed_at is None or now - state.weighed_at >= WEIGH_AGAIN_AFTER:
        state.weighed_by, state.weighed_to, state.weighed_at = accuracies, 0, now
