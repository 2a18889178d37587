"""Precedents: answered texts like the one at hand, and never one that may still be asked."""

import pytest

from curation.models import Annotation, Exposure, Precedent, PrecedentWord, Project, Sample
from curation.models.review import Queue
from curation.review import services
from curation.review.likeness import words_of
from curation.review.precedents import index_precedents, precedents_of, show_precedents
from feedbackhub.core.models import User
from tests.curation.reviewing import answer, claimed, open_item
from tests.factories import NOW, make_member, make_project, make_sample

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return make_project(slug="reviews")


@pytest.fixture
def annotator(project: Project) -> User:
    return make_member(project)


def answered(project: Project, user: User, text: str, value: str = "negative") -> Sample:
    item = open_item(project, text=text)
    answer(project, user, item, value)
    index_precedents()
    return item.sample


def alike(project: Project, text: str) -> list[tuple[str, str]]:
    sample = make_sample(project, text=text)
    found = precedents_of(project=project, sample_id=sample.pk, text=text)
    return [(each.text, each.value) for each in found]


def test_the_most_alike_come_first_with_their_labels(project: Project, annotator: User) -> None:
    answered(project, annotator, "the waiter was slow and rude", "negative")
    answered(project, annotator, "the waiter was friendly", "positive")
    answered(project, annotator, "fresh bread every morning", "positive")
    assert alike(project, "our waiter was slow") == [
        ("the waiter was slow and rude", "negative"),
        ("the waiter was friendly", "positive"),
    ]


def test_at_most_three_are_shown(project: Project, annotator: User) -> None:
    for n in range(5):
        answered(project, annotator, f"burnt pancakes, visit {n}")
    assert len(alike(project, "burnt pancakes")) == 3


def test_another_projects_answers_are_none_of_ours(project: Project, annotator: User) -> None:
    other = make_project()
    answered(other, make_member(other), "burnt pancakes")
    assert alike(project, "burnt pancakes") == []


def test_scripts_without_spaces_have_precedents_too(project: Project, annotator: User) -> None:
    answered(project, annotator, "味噌汁が冷たい")
    assert [text for text, _ in alike(project, "この味噌汁は冷たい")] == ["味噌汁が冷たい"]


def test_a_text_that_may_still_be_asked_is_no_precedent(project: Project, annotator: User) -> None:
    sample = answered(project, annotator, "burnt pancakes")
    assert alike(project, "burnt pancakes again")
    services.open_items(
        project=project,
        picks=[services.Pick(sample_id=sample.pk, queue=Queue.LABEL_ERROR, priority=1, why={})],
        now=NOW,
    )
    assert alike(project, "burnt pancakes once more") == []


def test_an_answer_that_was_taken_back_is_no_precedent(project: Project, annotator: User) -> None:
    answered(project, annotator, "burnt pancakes")
    services.undo(project=project, user=annotator, now=NOW)
    assert alike(project, "burnt pancakes again") == []


def test_who_saw_a_precedent_is_not_asked_about_it_blind(project: Project, annotator: User) -> None:
    sample = answered(project, annotator, "burnt pancakes")
    reader = make_member(project)
    item = open_item(project, text="burnt pancakes again")
    shown = show_precedents(project=project, user=reader, item_id=item.pk, now=NOW)
    assert [each.sample_id for each in shown] == [sample.pk]
    assert Exposure.objects.filter(user=reader).get().sample_id == sample.pk
    item.delete()
    services.open_items(
        project=project,
        picks=[services.Pick(sample_id=sample.pk, queue=Queue.LABEL_ERROR, priority=1, why={})],
        now=NOW,
    )
    assert claimed(project, reader) == []
    assert claimed(project, make_member(project)) != []


def test_an_erased_text_leaves_no_word_behind(project: Project, annotator: User) -> None:
    sample = answered(project, annotator, "burnt pancakes")
    assert PrecedentWord.objects.filter(sample=sample).count() == 2
    Sample.objects.filter(pk=sample.pk).update(text=None, length=None)
    assert not PrecedentWord.objects.filter(sample=sample).exists()
    index_precedents()
    assert not PrecedentWord.objects.filter(sample=sample).exists()


def test_indexing_goes_on_where_it_stopped_and_once_is_enough(
    project: Project, annotator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("curation.review.precedents.BATCH", 3)
    monkeypatch.setattr("curation.review.precedents.OVERLAP", 0)
    for n in range(5):
        answer(project, annotator, open_item(project, text=f"text {n}"))
    assert [index_precedents() for _ in range(3)] == [3, 2, 0]
    assert Precedent.objects.count() == 5


def test_a_second_opinion_moves_the_index_on(
    project: Project, annotator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a run of answers on indexed samples, longer than a batch, would stop it for good."""
    monkeypatch.setattr("curation.review.precedents.OVERLAP", 0)
    item = open_item(project, text="burnt pancakes")
    answer(project, annotator, item)
    index_precedents()
    answer(project, make_member(project), item)
    index_precedents()
    assert Precedent.objects.get().annotation_id == Annotation.objects.latest("id").pk
    assert index_precedents() == 0


def test_a_text_of_a_thousand_words_asks_for_its_longest() -> None:
    words = words_of(" ".join(f"word{n:04}" for n in range(1000)) + " a an the")
    assert len(words) == 64
    assert not words & {"a", "an", "the"}
