"""Annotators' records, as the consensus meets them."""

import pytest

from curation.models import AnnotatorQuality
from curation.review.agreement.annotators import skills
from tests.curation.reviewing import answer, fresh, label_of, open_item
from tests.factories import NOW, make_member, make_project

pytestmark = pytest.mark.django_db


def test_unknown_annotators_have_an_empty_record_and_records_stay_in_their_project() -> None:
    project, other = make_project(), make_project()
    known, unknown = make_member(project), make_member(project)
    for each in (project, other):
        AnnotatorQuality.objects.create(
            project=each,
            user=known,
            n_answers=50,
            n_compared=40,
            n_gold=0,
            n_effective=40,
            accuracy=0.5,
            low=0.35,
            high=0.65,
            confusion={"positive": {"positive": 20, "negative": 20}} if each == project else {},
            computed_at=NOW,
        )
    found = skills(project_id=project.pk, user_ids=[known.pk, unknown.pk])
    assert found[known.pk].n == 40
    assert found[unknown.pk].n == 0
    assert skills(project_id=other.pk, user_ids=[known.pk])[known.pk].n == 0


def test_the_answer_of_a_known_guesser_asks_one_more() -> None:
    project = make_project()
    guesser, other = make_member(project), make_member(project)
    even = {"positive": 40, "negative": 40}
    AnnotatorQuality.objects.create(
        project=project,
        user=guesser,
        n_answers=200,
        n_compared=160,
        n_gold=0,
        n_effective=160,
        accuracy=0.5,
        low=0.42,
        high=0.58,
        confusion={"positive": even, "negative": even},
        computed_at=NOW,
    )
    item = open_item(project)

    answer(project, guesser, item, "positive")
    assert label_of(item.sample) is None
    assert (fresh(item).status, fresh(item).needed) == ("open", 2)

    answer(project, other, item, "negative")
    found = label_of(item.sample)
    assert found is not None
    assert found[0] == "negative"
    assert found[2] < 0.85
