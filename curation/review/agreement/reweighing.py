"""Labels that rest on several answers, weighed anew as more is known of who gave them.

A label moves when another value became likelier or its quality moved by a step; what it rests on,
and what was believed before, stay in its history. Only answers move it: the model's view is noted
among its reasons.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from django.db import transaction

from curation import labels
from curation.labels import Belief
from curation.models import Label, Project
from curation.review.agreement.annotators import skills
from curation.review.agreement.crowdlab import MISSING, check
from curation.review.agreement.skill import Skill
from curation.review.consensus import Answer, Consensus, consensus, weight_of
from curation.review.engine import SENIOR_ROLES
from feedbackhub.core.sql import execute, fetch, statements

SQL = statements(Path(__file__).with_name("refresh.sql"))
# Labels looked at in one tick, and samples locked at once: submitters wait for those.
WINDOW = 5_000
LOCKED_AT_ONCE = 200
# A quality that moved by less is left: each rewrite is a row of history.
STEP = 0.05


@dataclass(frozen=True)
class Window:
    """What became of one stretch of labels."""

    changed: int
    weighed_to: int | None
    """The last sample looked at; None when it was the project's last."""


@dataclass(frozen=True)
class _Counted:
    sample_id: int
    n_answers: int


@dataclass(frozen=True)
class _Believed:
    """A row of the statement of the same name."""

    sample_id: int
    value: str
    word: float
    """What the answers were worth when they made the label; age and models' support are apart."""
    given: str
    """JSON: (annotation, user, value, whether of a senior) of each answer."""
    grounds: list[int]
    was_value: str | None
    was_crowd_value: str | None
    probabilities: str | None
    model_version: str

    def answers(self) -> dict[int, Answer]:
        """By annotation, by age."""
        return {
            annotation_id: Answer(user_id=user_id, value=value, is_senior=is_senior)
            for annotation_id, user_id, value, is_senior in json.loads(self.given)
        }


@dataclass(frozen=True)
class _View:
    """What CROWDLAB makes of answers and model together."""

    value: str
    quality: float
    model_version: str


NO_VIEW = _View("", 0.0, "")


@dataclass(frozen=True)
class _Weighed:
    """A sample's consensus now, and whether its label follows."""

    row: _Believed
    agreed: Consensus
    answers: Mapping[int, Answer]
    view: _View
    moves: bool


def reweigh_window(*, project: Project, after: int, now: datetime) -> Window:
    """Weigh the next labels anew, from the sample after ``after``; a bounded number of them."""
    params = {"project": project.pk, "after": after, "limit": WINDOW}
    seen = fetch(SQL["window"], params, into=_Counted)
    shared = [each.sample_id for each in seen if each.n_answers >= 2]
    names = project.label_names()
    views = _views(_read(shared), names)
    changed = 0
    for start in range(0, len(shared), LOCKED_AT_ONCE):
        changed += _reweigh(project, shared[start : start + LOCKED_AT_ONCE], names, views, now)
    return Window(changed, seen[-1].sample_id if len(seen) == WINDOW else None)


def _read(sample_ids: Sequence[int]) -> list[_Believed]:
    params = {"samples": list(sample_ids), "senior_roles": SENIOR_ROLES}
    return fetch(SQL["believed"], params, into=_Believed) if sample_ids else []


def _reweigh(
    project: Project,
    sample_ids: Sequence[int],
    names: Sequence[str],
    views: Mapping[int, _View],
    now: datetime,
) -> int:
    with transaction.atomic():
        execute(SQL["lock_samples"], {"samples": list(sample_ids)})
        rows = [row for row in _read(sample_ids) if _rests_on_answers(row)]
        users = {answer.user_id for row in rows for answer in row.answers().values()}
        known = skills(project_id=project.pk, user_ids=users)
        weighed = [_weigh(row, names, known, views.get(row.sample_id, NO_VIEW)) for row in rows]
        moving = [each for each in weighed if each.moves]
        labels.believe(beliefs=[_belief(each) for each in moving], now=now)
        _write([each for each in weighed if each.moves or _is_news(each)], now)
    return len(moving)


def _rests_on_answers(row: _Believed) -> bool:
    """Whether blind answers made the label: others' words are not weighed here."""
    answers = row.answers()
    return len(answers) >= 2 and bool(row.grounds) and set(row.grounds) <= answers.keys()


def _weigh(
    row: _Believed, names: Sequence[str], known: Mapping[int, Skill], view: _View
) -> _Weighed:
    answers = row.answers()
    seniors = {key: each for key, each in answers.items() if each.is_senior}
    # Seniors decide what others are split on, however sure those are.
    deciding = seniors if seniors and len({a.value for a in answers.values()}) > 1 else answers
    said = list(deciding.values())
    agreed = consensus(said, labels=names, skills=known) or weight_of(
        row.value, said, labels=names, skills=known
    )
    moves = agreed.value != row.value or abs(agreed.quality - row.word) >= STEP
    doubts = view.value not in ("", agreed.value)
    did_doubt = row.was_crowd_value not in (None, "", row.value)
    return _Weighed(row, agreed, deciding, view, moves or (doubts and not did_doubt))


def _belief(weighed: _Weighed) -> Belief:
    agreed = weighed.agreed
    supporting = [key for key, each in weighed.answers.items() if each.value == agreed.value]
    return Belief(
        sample_id=weighed.row.sample_id,
        value=agreed.value,
        origin=Label.Origin.ANNOTATION,
        quality=agreed.quality,
        reasons=[*agreed.reasons, *view_in_words(agreed.value, weighed.view)],
        annotation_ids=supporting or weighed.row.grounds,
    )


def view_in_words(value: str, view: _View) -> list[str]:
    """What the model's view adds to the reasons for ``value``; nothing without one."""
    if not view.value:
        return []
    likely = f"{view.quality:.0%}".replace("%", " %")
    if view.value == value:
        return [f"Together with the model's view it is {likely} likely (CROWDLAB)."]
    return [f"Together with the model's view “{view.value}” is likelier, {likely} (CROWDLAB)."]


def _is_news(weighed: _Weighed) -> bool:
    row = weighed.row
    return row.was_value is None or (row.was_crowd_value or "") != weighed.view.value


def _write(weighed: Sequence[_Weighed], now: datetime) -> None:
    if not weighed:
        return
    execute(
        SQL["write_consensus"],
        {
            "samples": [each.row.sample_id for each in weighed],
            "values": [each.agreed.value for each in weighed],
            "posteriors": [each.agreed.posterior for each in weighed],
            "answers": [len(each.row.answers()) for each in weighed],
            "crowd_values": [each.view.value for each in weighed],
            "crowd_qualities": [
                round(each.view.quality, 4) if each.view.value else None for each in weighed
            ],
            "versions": [each.view.model_version for each in weighed],
            "now": now,
        },
    )


def _views(rows: Sequence[_Believed], names: Sequence[str]) -> dict[int, _View]:
    """What CROWDLAB makes of the samples a model has answered, by sample."""
    at = {name: position for position, name in enumerate(names)}
    asked = [(row, json.loads(row.probabilities)) for row in rows if row.probabilities]
    usable = [
        (row, chances)
        for row, chances in asked
        if chances and set(chances) <= at.keys() and sum(chances.values()) > 0
    ]
    answers = [[each for each in row.answers().values() if each.value in at] for row, _ in usable]
    usable = [pair for pair, given in zip(usable, answers, strict=True) if given]
    answers = [given for given in answers if given]
    users = {user: n for n, user in enumerate(sorted({a.user_id for g in answers for a in g}))}
    said = np.full((len(usable), len(users)), MISSING, dtype=np.int64)
    for n, given in enumerate(answers):
        for answer in given:
            said[n, users[answer.user_id]] = at[answer.value]
    chances = np.array([[row.get(name, 0.0) for name in names] for _, row in usable])
    found = check(said, chances / chances.sum(axis=1, keepdims=True)) if usable else None
    return {
        row.sample_id: _View(names[each.label], each.quality, row.model_version)
        for (row, _), each in zip(usable, found or [], strict=found is not None)
    }
