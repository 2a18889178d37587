"""Records of disagreement and trust, on real rows."""

from datetime import timedelta

import pytest
from django.conf import settings

from curation import labels
from curation.digest import trust
from curation.digest.services import drain
from curation.digest.trust import standing_of
from curation.digest.trust_shown import trust_rows
from curation.digest.weighing import catch_up
from curation.labels import Belief
from curation.models import (
    AdjudicatedVoice,
    CurationPolicy,
    Disagreement,
    Label,
    Project,
    ReviewItem,
    Sample,
    SourceTrust,
    SubjectTrust,
    WeighingDue,
)
from curation.privacy.erasure import carry_out, request_erasure
from curation.rankings import Score, record_scores
from curation.review import services
from feedbackhub.core.models import User
from feedbackhub.core.subjects import keyed_hash
from tests.curation.events import digest_all, disagree, land, later, sample_of, subject, thumb
from tests.curation.reviewing import answer, open_item
from tests.factories import make_member, make_prediction, make_project, make_sample

pytestmark = pytest.mark.django_db
ANN, BEN, CAT = subject("ann"), subject("ben"), subject("cat")


def settle() -> None:
    """Let the digest catch up until nothing is due."""
    while catch_up(now=later()):
        pass


def record(sample: Sample) -> Disagreement:
    return Disagreement.objects.get(sample=sample)


def adjudicate(project: Project, sample: Sample, value: str, user: User) -> None:
    """One annotator's blind answer on a sample, which the digest then catches up with."""
    item = ReviewItem.objects.filter(sample=sample, status="open").first()
    if item is None:
        pick = services.Pick(sample_id=sample.pk, queue="uncertain", priority=1, why={})
        services.open_items(project=project, picks=[pick], now=later())
        item = ReviewItem.objects.get(sample=sample, status="open")
    answer(project, user, item, value, now=later())
    settle()


def test_a_dispute_is_recorded_grows_and_is_resolved_by_an_annotator() -> None:
    project = make_project()
    sample = disagree(project, "great food")
    first = record(sample)
    assert first.kinds == ["user_model"]
    assert first.evidence["user_model"]["suggestions"] == {"negative": 1}
    assert "great food" not in str(first.evidence)

    disagree(project, "great food", subjects=3)
    assert record(sample).strength > first.strength
    assert record(sample).opened_at == first.opened_at

    adjudicate(project, sample, "positive", make_member(project))
    settled = record(sample)
    assert settled.resolved_at is not None
    assert settled.kinds == ["user_model"]


def test_a_record_that_says_the_same_is_not_written_again() -> None:
    sample = disagree(make_project(), "great food")
    before = record(sample).updated_at
    WeighingDue.objects.create(sample_id=sample.pk)
    settle()
    assert record(sample).updated_at == before


def test_users_who_contradict_annotators_open_the_record_again() -> None:
    project = make_project()
    sample = disagree(project, "great food")
    adjudicate(project, sample, "positive", make_member(project))
    thumb(make_prediction(project), "down", subject=BEN, at=later() + timedelta(days=1))
    digest_all()

    again = record(sample)
    assert (again.kinds, again.resolved_at) == (["user_annotator"], None)
    assert again.evidence["user_annotator"]["annotated"] == "positive"


def test_annotators_who_contradict_each_other_are_recorded_and_an_undo_resolves_it() -> None:
    project = make_project(overlap=2)
    item = open_item(project)
    first, second = make_member(project), make_member(project)
    answer(project, first, item, "positive", now=later())
    at = later()
    answer(project, second, item, "negative", now=at)
    settle()

    found = record(item.sample)
    assert found.kinds == ["annotators"]
    assert found.evidence["annotators"]["labels"] == {"negative": 1, "positive": 1}
    services.undo(project=project, user=second, now=at)
    settle()
    assert record(item.sample).resolved_at is not None


def test_versions_that_answer_a_text_differently_are_recorded() -> None:
    project = make_project()
    thumb(make_prediction(project, model_version="v1", label="positive"), "up", subject=ANN)
    digest_all()
    other = make_prediction(project, model_version="v2", label="negative")
    thumb(other, "down", subject=BEN)
    digest_all()

    found = record(sample_of(other))
    assert found.evidence["models"]["labels"] == {"negative": ["v2"], "positive": ["v1"]}


def test_a_score_that_contradicts_what_was_served_is_noticed_with_the_next_event() -> None:
    project = make_project()
    prediction = land(make_prediction(project, is_audit=True))
    digest_all()
    sample = sample_of(prediction)
    record_scores(
        scores=[Score(sample.pk, "negative", 0.7, 0.4, 0.6)], model_version="v2", now=later()
    )
    settle()
    assert record(sample).kinds == ["models"]


def test_near_duplicates_labelled_otherwise_are_told_apart_on_both_sides() -> None:
    project = make_project()
    good, bad = make_sample(project, text="was good"), make_sample(project, text="was not good")
    Sample.objects.filter(pk=bad.pk).update(cluster=good.cluster)
    for sample, value in ((good, "positive"), (bad, "negative")):
        belief = Belief(sample.pk, value, Label.Origin.IMPORT, 0.9, ["Imported."])
        labels.believe(beliefs=[belief], now=later())
    settle()

    assert [record(each).kinds for each in (good, bad)] == [["neighbours"], ["neighbours"]]
    assert Label.objects.filter(is_current=True).values_list("sample", "value").order_by(
        "sample"
    ).first() == (good.pk, "positive")
    adjudicate(project, bad, "positive", make_member(project))
    assert all(record(each).resolved_at for each in (good, bad))


def test_an_adjudication_counts_each_voice_once_and_an_undo_takes_it_back() -> None:
    project = make_project()
    prediction = make_prediction(project)
    thumb(prediction, "down", subject=ANN)
    thumb(prediction, "up", subject=BEN)
    digest_all()
    annotator = make_member(project)
    adjudicate(project, sample_of(prediction), "positive", annotator)

    known = trust.trust_of(project_id=project.pk, subjects=[ANN, BEN, CAT], now=later())
    assert set(known) == {ANN, BEN}
    assert (known[ANN].disagreed_count, known[BEN].agreed_count) == (1, 1)
    assert known[ANN].mean < known[BEN].mean
    WeighingDue.objects.create(sample_id=sample_of(prediction).pk)
    settle()
    assert SourceTrust.objects.values_list("agreed_count", "disagreed_count").get() == (1, 1)

    services.undo(project=project, user=annotator, now=later())
    settle()
    assert not AdjudicatedVoice.objects.exists()
    row = SubjectTrust.objects.get(project_id=project.pk, subject_hash=ANN)
    assert (row.disagreed, row.disagreed_count) == (pytest.approx(0), 0)


def test_a_voice_that_is_superseded_is_judged_by_what_it_says_now() -> None:
    project = make_project()
    prediction = make_prediction(project)
    thumb(prediction, "down", subject=ANN)
    digest_all()
    adjudicate(project, sample_of(prediction), "positive", make_member(project))
    thumb(prediction, "up", subject=ANN)
    digest_all()

    row = SubjectTrust.objects.get(subject_hash=ANN)
    assert (row.agreed_count, row.disagreed_count) == (1, 0)
    assert AdjudicatedVoice.objects.get().has_agreed


def liar_and_friend(project: Project, lies: int = 12) -> None:
    """Ann contradicts what annotators say of so many texts."""
    annotator = make_member(project)
    for number in range(lies):
        prediction = make_prediction(project, text=f"dish number {number}")
        thumb(prediction, "down", subject=ANN)
        digest_all()
        adjudicate(project, sample_of(prediction), "positive", annotator)


def test_a_voice_counts_by_its_trust_in_labels_and_in_the_queue() -> None:
    project = make_project()
    before = make_prediction(project, text="the place opposite")
    thumb(before, "down", subject=ANN)
    digest_all()
    untouched = Label.objects.get(sample=sample_of(before), is_current=True)
    liar_and_friend(project)
    moved = Label.objects.get(sample=sample_of(before), is_current=True)
    assert moved.quality < untouched.quality
    assert "wrong more often than usual" in " ".join(moved.reasons)

    priorities = []
    for who in (ANN, CAT):
        prediction = make_prediction(project, text=f"for {who.hex()}")
        thumb(prediction, "down", subject=who)
        digest_all()
        priorities.append(ReviewItem.objects.get(sample=sample_of(prediction)).priority)
    assert priorities[0] < priorities[1]


def test_a_changed_half_life_counts_anew_and_old_judgements_are_forgotten() -> None:
    project = make_project()
    liar_and_friend(project, lies=2)
    assert trust.tidy(now=later()) == 0
    full = SubjectTrust.objects.get(subject_hash=ANN)
    CurationPolicy.objects.filter(project=project).update(trust_half_life_days=1)
    at = later() + timedelta(days=2)
    trust.tidy(now=at)

    faded = SubjectTrust.objects.get(subject_hash=ANN)
    assert faded.disagreed == pytest.approx(full.disagreed / 4, rel=1e-2)
    assert faded.disagreed_count == 2
    trust.tidy(now=at + timedelta(days=20))
    assert not AdjudicatedVoice.objects.exists()
    assert not SubjectTrust.objects.exists()


def test_adding_and_taking_back_leaves_the_others_as_they_were() -> None:
    project = make_project(dispute_overlap=1)
    liar_and_friend(project, lies=1)
    before = SourceTrust.objects.values_list("disagreed", flat=True).get()
    user = make_member(project)
    prediction = make_prediction(project, text="another")
    thumb(prediction, "down", subject=BEN)
    digest_all()
    adjudicate(project, sample_of(prediction), "negative", user)
    at = later() + timedelta(hours=20)
    services.undo(project=project, user=user, now=at)
    while catch_up(now=at):
        pass
    row = SourceTrust.objects.get()
    assert row.agreed == pytest.approx(0, abs=1e-9)
    assert row.disagreed == pytest.approx(before * 0.5 ** ((20 / 24) / 90), rel=1e-3)


def test_an_erased_subject_leaves_no_trust_and_its_source_keeps_its_counts() -> None:
    project = make_project()
    ann = keyed_hash("ann", key=settings.SUBJECT_HASH_KEY, project_id=project.pk)
    prediction = make_prediction(project)
    thumb(prediction, "down", subject=ann)
    digest_all()
    sample = sample_of(prediction)
    adjudicate(project, sample, "positive", make_member(project))
    assert SubjectTrust.objects.filter(subject_hash=ann).exists()

    erasure = request_erasure(
        project=project, subject="ann", requested_by="admin", reason="Asked.", now=later()
    )
    carry_out(erasure=erasure, now=later())
    WeighingDue.objects.create(sample_id=sample.pk)
    settle()
    assert not SubjectTrust.objects.exists()
    assert AdjudicatedVoice.objects.get().subject_hash is None
    assert SourceTrust.objects.get().disagreed_count == 1


def test_pages_show_sources_and_both_ends_of_the_subjects() -> None:
    project = make_project()
    assert trust_rows(project=project, now=later()).usual is None
    liar_and_friend(project, lies=3)
    prediction = make_prediction(project, text="praised by Ben")
    thumb(prediction, "up", subject=BEN)
    digest_all()
    adjudicate(project, sample_of(prediction), "positive", make_member(project))

    shown = trust_rows(project=project, now=later(), limit=1)
    (source,), (most,), (least,) = shown.sources, shown.most, shown.least
    assert (source.agreed, source.adjudicated) == (1, 4)
    assert (most.name, least.name) == (BEN.hex()[:8], ANN.hex()[:8])
    assert least.low < least.trust < least.high
    assert (least.adjudicated, round(least.recent)) == (3, 3)
    assert least.weight < 1 < most.weight


def test_unknown_subjects_count_as_their_source_does_and_as_one_where_there_is_one_source() -> None:
    project = make_project()
    liar_and_friend(project, lies=4)
    assert standing_of(project_id=project.pk, now=later()).unknown(1).weight == 1.0  # type: ignore[union-attr]

    annotator = make_member(project)
    for number in range(4):
        prediction = make_prediction(project, text=f"elsewhere {number}")
        thumb(prediction, "up", source_id=2)
        digest_all()
        adjudicate(project, sample_of(prediction), "positive", annotator)
    standing = standing_of(project_id=project.pk, now=later())
    assert standing is not None
    assert standing.unknown(1).weight < 1 <= standing.unknown(2).weight
    assert standing.unknown(1).expected < standing.unknown(2).expected


def test_a_drain_catches_up_with_all_that_is_due() -> None:
    project = make_project()
    sample = disagree(project, "great food")
    Disagreement.objects.all().delete()
    WeighingDue.objects.bulk_create(
        [WeighingDue(sample_id=pk) for pk in [*range(10**9, 10**9 + 600), sample.pk]]
    )
    drain(now=later(), seconds=5)
    assert record(sample).kinds == ["user_model"]
    assert not WeighingDue.objects.exists()


def test_nothing_due_costs_one_query(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(3):  # type: ignore[operator]  # and its transaction
        assert catch_up(now=later()) == 0
