"""Keeps annotators' records, and the labels weighed by them, up with the answers.

Level-triggered: a tick notices which projects have news, works their records out anew, and, when
those moved, weighs the labels that rest on several answers, window by window. Twice or late does
no harm; without news it costs two queries.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from django.db import transaction

from curation.models import AgreementState, Project
from curation.review.agreement.annotators import skills
from curation.review.agreement.dawid_skene import UNKNOWN, Answers, Floats
from curation.review.agreement.records import Record, records
from curation.review.agreement.reweighing import reweigh_window
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


@dataclass(frozen=True)
class Shared:
    """One answer that something can be learned from."""

    sample_id: int
    user_id: int
    value: str
    known: str | None
    """The truth, where it was known before the answer."""


def refresh(*, now: datetime) -> Refreshed:
    """Do what is due in every project; one that another tick is working on is passed over."""
    execute(SQL["notice"], {"settled": now - SETTLED_AFTER})
    busy = AgreementState.objects.filter(is_due=True) | AgreementState.objects.filter(
        weighed_to__isnull=False
    )
    done = [_refresh(project_id, now) for project_id in busy.values_list("pk", flat=True)]
    return Refreshed(
        projects=sum(each.projects for each in done), labels=sum(each.labels for each in done)
    )


def _refresh(project_id: int, now: datetime) -> Refreshed:
    with transaction.atomic():
        locked = AgreementState.objects.select_for_update(skip_locked=True)
        state = locked.select_related(None).filter(pk=project_id).first()
        if state is None:
            return Refreshed()
        project = Project.objects.get(pk=project_id)
        was_due = state.is_due
        if was_due:
            _start_weighing(state, _work_out(project, now), now)
            state.is_due = False
        changed = 0
        if state.weighed_to is not None:
            window = reweigh_window(project=project, after=state.weighed_to, now=now)
            changed, state.weighed_to = window.changed, window.weighed_to
        state.save(update_fields=["is_due", "weighed_by", "weighed_to", "weighed_at"])
    return Refreshed(projects=int(was_due), labels=changed)


def _work_out(project: Project, now: datetime) -> dict[str, float]:
    """Write the records anew; the accuracy each annotator's answers are weighed by, by id."""
    params = {"project": project.pk, "senior_roles": SENIOR_ROLES, "most": MOST_ANSWERS}
    people = fetch(SQL["annotators"], params, into=Annotator)
    shared = fetch(SQL["shared_answers"], params, into=Shared)
    labels = project.label_names()
    found = _records(people, shared, labels)
    _write(project, people, found, labels, now)
    known = skills(project_id=project.pk, user_ids=[each.user_id for each in people])
    return {
        str(each.user_id): round(known[each.user_id].accuracy(is_senior=each.is_senior), 4)
        for each in people
    }


def _records(
    people: Sequence[Annotator], shared: Sequence[Shared], labels: Sequence[str]
) -> dict[int, Record]:
    """The records of those who can be compared."""
    at = {name: position for position, name in enumerate(labels)}
    usable = [each for each in shared if each.value in at and each.known in (None, *at)]
    if not usable:
        return {}
    samples, items = np.unique([each.sample_id for each in usable], return_inverse=True)
    users, annotators = np.unique([each.user_id for each in usable], return_inverse=True)
    known = np.full(len(samples), UNKNOWN, dtype=np.int64)
    for item, each in zip(items, usable, strict=True):
        if each.known is not None:
            known[item] = at[each.known]
    is_senior = {each.user_id: each.is_senior for each in people}
    found = records(
        Answers(
            items=items,
            annotators=annotators,
            said=np.array([at[each.value] for each in usable]),
            n_items=len(samples),
            n_annotators=len(users),
            n_labels=len(labels),
        ),
        is_senior=[is_senior.get(int(user), False) for user in users],
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
    before = state.weighed_by
    has_moved = any(
        abs(accuracy - before.get(user, accuracy + 1)) >= MOVED_BY
        for user, accuracy in accuracies.items()
    )
    if has_moved or state.weighed_at is None or now - state.weighed_at >= WEIGH_AGAIN_AFTER:
        state.weighed_by, state.weighed_to, state.weighed_at = accuracies, 0, now
