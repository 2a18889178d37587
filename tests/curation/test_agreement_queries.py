"""Agreement by group, as the quality page shows it."""

import random
import uuid

import pytest

from curation.models import Annotation, Guideline, Project
from curation.models.review import Queue
from curation.review.agreement.queries import UnknownGrouping, agreement_rows
from feedbackhub.core.models import User
from tests.curation.reviewing import answer, open_item
from tests.factories import NOW, make_member, make_project

pytestmark = pytest.mark.django_db


def ask(
    project: Project,
    people: list[User],
    values: list[str],
    *,
    queue: str = Queue.DISPUTED,
    **of: object,
) -> None:
    """One text answered by each of ``people``."""
    item = open_item(project, queue=queue)
    if of:
        for name, value in of.items():
            setattr(item.sample, name, value)
        item.sample.save()
    for person, value in zip(people, values, strict=True):
        answer(project, person, item, value)


def test_alpha_is_told_by_queue_with_its_interval_and_what_it_rests_on() -> None:
    project = make_project(overlap=2)
    ann, ben = make_member(project), make_member(project)
    rng = random.Random(1)
    for number in range(40):
        value = rng.choice(["positive", "negative"])
        other = "negative" if value == "positive" else "positive"
        ask(project, [ann, ben], [value, value if number % 10 else other], queue=Queue.DISPUTED)
    for number in range(10):
        value = "positive" if number % 2 else "negative"
        ask(project, [ann, ben], [value, value], queue=Queue.AUDIT)

    disputed, audit = agreement_rows(project=project, by="queue")

    assert (disputed.key, disputed.name, disputed.n_units) == ("disputed", "Disputed", 40)
    assert (disputed.n_answers, disputed.n_annotators) == (80, 2)
    assert disputed.alpha == pytest.approx(0.8, abs=0.05)
    assert disputed.low is not None
    assert disputed.high is not None
    assert disputed.low < disputed.alpha < disputed.high
    assert disputed.sentence.endswith("on 40 texts.")
    assert (audit.key, audit.alpha, audit.n_units) == ("audit", 1.0, 10)
    (everything,) = agreement_rows(project=project, by="all")
    assert everything.n_units == 50


def test_only_blind_standing_answers_with_a_slot_count() -> None:
    project = make_project(overlap=2)
    people = [make_member(project), make_member(project)]
    for unusual in ({"is_blind": False}, {"is_extra": True}, {"undone_at": NOW}):
        item = open_item(project)
        for person, value, given in zip(
            people, ["positive", "negative"], ({}, unusual), strict=False
        ):
            Annotation.objects.create(
                item=item,
                sample=item.sample,
                user=person,
                kind=Annotation.Kind.LABEL,
                value=value,
                submission_key=uuid.uuid4(),
                submitted_at=NOW,
                **given,
            )
    assert agreement_rows(project=project, by="queue") == []
    ask(project, people[:2], ["positive", "positive"])
    (row,) = agreement_rows(project=project, by="queue")
    assert (row.n_units, row.alpha) == (1, None)
    assert row.sentence.startswith("Not enough data")


def test_texts_are_grouped_by_guideline_language_length_and_metadata() -> None:
    project = make_project(overlap=2)
    people = [make_member(project), make_member(project)]
    ask(project, people, ["positive", "negative"], language="de", length=30)
    Guideline.objects.create(project=project, number=2, text="Anew.", created_at=NOW)
    for values in (["positive", "positive"], ["negative", "negative"]):
        ask(project, people, values, language="en", length=400, metadata={"branch": "north"})
    found = {
        by: [
            (row.key, row.name, row.n_units, row.alpha)
            for row in agreement_rows(project=project, by=by)
        ]
        for by in ("guideline", "language", "length", "metadata:branch")
    }
    assert found == {
        "guideline": [("2", "Guidelines v2", 2, 1.0), ("1", "Guidelines v1", 1, 0.0)],
        "language": [("en", "en", 2, 1.0), ("de", "de", 1, 0.0)],
        "length": [
            ("3", "400 and more characters", 2, 1.0),
            ("0", "under 40 characters", 1, 0.0),
        ],
        "metadata:branch": [("north", "north", 2, 1.0)],
    }


def test_an_unknown_grouping_is_refused() -> None:
    for by in ("colour", "metadata:", "metadata"):
        with pytest.raises(UnknownGrouping):
            agreement_rows(project=make_project(), by=by)
