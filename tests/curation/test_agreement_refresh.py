"""The tick that works out annotators' records and weighs labels by them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from curation.labels import Belief, believe
from curation.models import (
    AgreementState,
    Annotation,
    AnnotatorQuality,
    Label,
    LabelEvidence,
    Project,
    Sample,
    SampleConsensus,
)
from curation.review.agreement import reweighing
from curation.review.agreement.queries import annotator_records, consensus_notes
from curation.review.agreement.refresh import refresh
from feedbackhub.core.models import User
from feedbackhub.core.roles import Role
from tests.curation.answering import annotate, answers_of, believe_first, make_samples, predict
from tests.curation.reviewing import answer, label_of, open_item
from tests.factories import LABELS, NOW, make_member, make_project

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def project() -> Project:
    return make_project(overlap=3)


@pytest.fixture
def people(project: Project) -> dict[str, User]:
    return {name: make_member(project) for name in ("expert", "good", "guesser", "other")}


def crowd(project: Project, people: dict[str, User], *, n: int = 300) -> list[Sample]:
    """Samples all four answered; records can be told from them."""
    samples = make_samples(project, n)
    accuracies = {
        people["expert"]: 0.97,
        people["good"]: 0.9,
        people["guesser"]: 0.5,
        people["other"]: 0.55,
    }
    _, answers = answers_of(samples, accuracies, labels=LABELS)
    annotate(answers)
    return samples


def quality_of(user: User) -> AnnotatorQuality:
    return AnnotatorQuality.objects.get(user=user)


def test_records_tell_experts_from_guessers_with_honest_intervals(
    project: Project, people: dict[str, User]
) -> None:
    crowd(project, people)
    newcomer = make_member(project)
    annotate([(make_samples(project, 1)[0], newcomer, "positive")])

    assert refresh(now=LATER).projects == 1

    for name, accuracy in (("expert", 0.97), ("good", 0.9), ("guesser", 0.5), ("other", 0.55)):
        found = quality_of(people[name])
        assert (found.n_answers, found.n_compared, found.n_gold) == (300, 300, 0)
        assert found.low is not None
        assert found.high is not None
        assert found.low - 0.02 <= accuracy <= found.high + 0.02
        assert 30 < found.n_effective < 300
    alone = quality_of(newcomer)
    assert (alone.n_answers, alone.n_compared, alone.accuracy) == (1, 0, None)
    assert [each.n_answers for each in annotator_records(project=project)] == [300] * 4 + [1]


def test_a_tick_without_news_asks_three_queries_and_changes_nothing(
    project: Project, people: dict[str, User]
) -> None:
    crowd(project, people, n=30)
    refresh(now=LATER)
    before = quality_of(people["expert"]).computed_at
    with CaptureQueriesContext(connection) as asked:
        done = refresh(now=LATER + timedelta(minutes=5))
    assert (done.projects, done.labels, len(asked)) == (0, 0, 3)
    assert quality_of(people["expert"]).computed_at == before


def test_an_answer_given_or_taken_back_is_news(project: Project, people: dict[str, User]) -> None:
    samples = crowd(project, people, n=40)
    refresh(now=LATER)
    annotation = Annotation.objects.filter(user=people["guesser"]).latest("id")
    Annotation.objects.filter(pk=annotation.pk).update(undone_at=LATER)

    assert refresh(now=LATER + timedelta(minutes=2)).projects == 1
    assert quality_of(people["guesser"]).n_answers == 39

    at = LATER + timedelta(minutes=10)
    assert refresh(now=at).projects == 0
    annotate([(make_samples(project, 1)[0], people["guesser"], "positive")], at=at)
    assert refresh(now=at).projects == 1
    assert quality_of(people["guesser"]).n_answers == len(samples)


def test_who_has_no_standing_answer_has_no_record(
    project: Project, people: dict[str, User]
) -> None:
    crowd(project, people, n=10)
    refresh(now=LATER)
    Annotation.objects.filter(user=people["other"]).update(undone_at=LATER)
    refresh(now=LATER + timedelta(minutes=2))
    assert not AnnotatorQuality.objects.filter(user=people["other"]).exists()
    assert quality_of(people["expert"]).n_answers == 10


def test_another_projects_answers_are_no_news_here(
    project: Project, people: dict[str, User]
) -> None:
    crowd(project, people, n=10)
    refresh(now=LATER)
    other = make_project()
    at = LATER + timedelta(minutes=10)
    annotate([(make_samples(other, 1)[0], make_member(other), "positive")], at=at)
    assert refresh(now=at).projects == 1
    assert not AgreementState.objects.get(project=project).is_due


def disputed(project: Project, people: dict[str, User]) -> Sample:
    """A text two guessers called positive and the expert negative, by the majority's label."""
    (sample,) = make_samples(project, 1)
    given = annotate(
        [
            (sample, people["guesser"], "positive"),
            (sample, people["other"], "positive"),
            (sample, people["expert"], "negative"),
        ]
    )
    belief = Belief(
        sample.pk, "positive", "annotation", 0.85, ["2 of 3."], (), [each.pk for each in given[:2]]
    )
    believe(beliefs=[belief], now=NOW)
    return sample


def test_what_the_majority_of_guessers_made_believe_gives_way_to_the_expert(
    project: Project, people: dict[str, User]
) -> None:
    sample = disputed(project, people)
    crowd(project, people)

    assert refresh(now=LATER).labels == 1

    value, origin, quality = label_of(sample) or ("", "", 0.0)
    assert (value, origin) == ("negative", "annotation")
    assert 0.7 < quality < 0.85
    current = Label.objects.get(sample=sample, is_current=True)
    assert current.created_at == LATER
    assert current.reasons[0] == "1 of 3 annotators said so."
    grounds = LabelEvidence.objects.filter(label=current)
    assert [each.annotation.user for each in grounds if each.annotation] == [people["expert"]]
    assert Label.objects.filter(sample=sample, is_current=False, value="positive").exists()
    noted = SampleConsensus.objects.get(sample=sample)
    assert (noted.value, noted.n_answers, noted.crowd_value) == ("negative", 3, "")


def test_labels_do_not_flap_between_ticks(project: Project, people: dict[str, User]) -> None:
    sample = disputed(project, people)
    crowd(project, people)
    refresh(now=LATER)
    rows = Label.objects.count()
    for hour in range(1, 4):
        at = LATER + timedelta(hours=2 * hour)
        annotate([(make_samples(project, 1)[0], people["good"], "positive")], at=at)
        assert refresh(now=at + timedelta(minutes=2)).labels == 0
    assert Label.objects.count() == rows
    assert label_of(sample) is not None


def test_a_senior_who_settled_a_split_is_not_outvoted_later(
    project: Project, people: dict[str, User]
) -> None:
    senior = make_member(project, Role.SENIOR)
    (sample,) = make_samples(project, 1)
    given = annotate(
        [
            (sample, people["expert"], "positive"),
            (sample, people["good"], "positive"),
            (sample, senior, "negative"),
        ]
    )
    belief = Belief(sample.pk, "negative", "annotation", 0.95, ["Senior."], (), [given[2].pk])
    believe(beliefs=[belief], now=NOW)
    crowd(project, people)
    refresh(now=LATER)
    value, _, _ = label_of(sample) or ("", "", 0.0)
    assert value == "negative"


def test_labels_that_rest_on_others_words_are_left_alone(
    project: Project, people: dict[str, User]
) -> None:
    imported, unblind = make_samples(project, 2)
    annotate([(imported, people["expert"], "negative"), (imported, people["good"], "negative")])
    believe(beliefs=[Belief(imported.pk, "positive", "import", 0.9, ["Imported."])], now=NOW)
    annotate([(unblind, people["expert"], "negative"), (unblind, people["good"], "negative")])
    believe(
        beliefs=[Belief(unblind.pk, "positive", "annotation", 0.75, ["A lead said so."])], now=NOW
    )
    crowd(project, people)
    assert refresh(now=LATER).labels == 0
    assert label_of(imported) == ("positive", "import", 0.9)
    assert label_of(unblind) == ("positive", "annotation", 0.75)


def test_labels_are_weighed_window_by_window_until_all_are(
    project: Project, people: dict[str, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = [disputed(project, people) for _ in range(7)]
    crowd(project, people)
    monkeypatch.setattr(reweighing, "WINDOW", 3)
    monkeypatch.setattr(reweighing, "LOCKED_AT_ONCE", 2)
    assert [refresh(now=LATER + timedelta(minutes=2 * n)).labels for n in range(4)] == [3, 3, 1, 0]
    assert AgreementState.objects.get(project=project).weighed_to is None
    assert all((label_of(sample) or ("",))[0] == "negative" for sample in samples)


def test_the_models_view_is_noted_beside_the_label_and_never_makes_it(
    project: Project, people: dict[str, User]
) -> None:
    samples = make_samples(project, 60)
    accuracies = {people["expert"]: 0.97, people["good"]: 0.95}
    truths, answers = answers_of(samples, accuracies, labels=LABELS)
    given = annotate(answers)
    believe_first(given, quality=0.99)
    values = list(truths)
    agreed = next(n for n in range(60) if answers[2 * n][2] == answers[2 * n + 1][2] == truths[n])
    values[agreed] = "positive" if truths[agreed] == "negative" else "negative"
    predict(samples, values, sure=0.97)

    refresh(now=LATER)

    notes = SampleConsensus.objects.in_bulk([sample.pk for sample in samples])
    assert len(notes) == 60
    assert all(note.crowd_value and note.model_version == "v1" for note in notes.values())
    sure = [note.crowd_quality or 0 for pk, note in notes.items() if pk != samples[agreed].pk]
    contradicted = notes[samples[agreed].pk]
    (told,) = consensus_notes(sample_ids=[samples[agreed].pk]).values()
    assert told.is_doubted == (contradicted.crowd_value != truths[agreed])
    assert (told.n_answers, told.model_version) == (2, "v1")
    assert (contradicted.crowd_quality or 1) < sum(sure) / len(sure)
    assert (label_of(samples[agreed]) or ("",))[0] == truths[agreed]
    doubted = [pk for pk, note in notes.items() if note.crowd_value != note.value]
    for label in Label.objects.filter(sample_id__in=doubted, is_current=True):
        assert any("CROWDLAB" in reason for reason in label.reasons)


def test_records_made_by_the_tick_weigh_the_next_answers(
    project: Project, people: dict[str, User]
) -> None:
    crowd(project, people)
    refresh(now=LATER)
    item = open_item(project)
    for name, value in (("guesser", "positive"), ("other", "positive"), ("expert", "negative")):
        answer(project, people[name], item, value)
    assert (label_of(item.sample) or ("",))[0] == "negative"
