"""Bulk actions touch what was previewed and nothing else, and can be taken back."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.core.exceptions import PermissionDenied

from curation import queries
from curation.explorer import bulk, bulk_kinds
from curation.explorer.filters import SampleFilter
from curation.labels import Belief, believe
from curation.models import (
    Annotation,
    BulkAction,
    BulkKind,
    BulkRow,
    FeedbackOutcome,
    Label,
    Project,
    ReviewItem,
    Sample,
    TrainingExclusion,
)
from curation.models.review import Queue
from curation.models.sample import Split
from feedbackhub.core.models import User
from feedbackhub.core.roles import Role
from feedbackhub.core.transitions import ForbiddenTransition, StaleTransition, history
from tests.curation.events import digest_all, sample_of, subject, thumb
from tests.curation.reviewing import answer, crooked_items, label_of, open_item
from tests.factories import (
    NOW,
    make_member,
    make_prediction,
    make_project,
    make_sample,
    make_source,
)

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def project() -> Project:
    return make_project()


@pytest.fixture
def lead(project: Project) -> User:
    return make_member(project, Role.LEAD)


def label(sample: Sample, value: str = "positive", origin: str = Label.Origin.IMPORT) -> None:
    believe(beliefs=[Belief(sample.pk, value, origin, 0.9, ["Said so."])], now=NOW)


def asked(lead: User, project: Project, kind: str, target: str = "", **asks: Any) -> BulkAction:
    """An action whose samples are collected."""
    action = bulk.ask_for(
        project=project,
        kind=kind,
        target=target,
        given=SampleFilter(**asks),
        reason="Found in the audit.",
        user=lead,
        now=NOW,
    )
    return work(action)


def work(action: BulkAction) -> BulkAction:
    bulk.advance(now=LATER, seconds=10)
    action.refresh_from_db()
    return action


def applied(lead: User, action: BulkAction) -> BulkAction:
    bulk.apply(action=action, user=lead, now=LATER)
    return work(action)


def taken_back(lead: User, action: BulkAction) -> BulkAction:
    bulk.undo(action=action, user=lead, expected=action.status, now=LATER)
    return work(action)


def states(action: BulkAction) -> dict[int, str]:
    return dict(action.rows.values_list("sample_id", "state"))


def whys(action: BulkAction) -> str:
    return " ".join(count.why for count in bulk.counts(action=action))


def test_a_label_is_previewed_set_and_taken_back(project: Project, lead: User) -> None:
    wrong, bare = make_sample(project, text="soup one"), make_sample(project, text="soup two")
    other = make_sample(project, text="bread")
    label(wrong, "positive")
    action = asked(lead, project, BulkKind.LABEL, "negative", q="soup")
    assert states(action) == {wrong.pk: "planned", bare.pk: "planned"}
    assert label_of(wrong) == ("positive", "import", 0.9)
    action = applied(lead, action)
    assert action.status == "applied"
    for sample in (wrong, bare):
        found = label_of(sample)
        assert found is not None
        assert found[:2] == ("negative", "annotation")
    assert "Found in the audit." in str(Label.objects.filter(sample=bare).get().reasons)
    assert label_of(other) is None
    action = taken_back(lead, action)
    assert states(action) == {wrong.pk: "undone", bare.pk: "undone"}
    assert label_of(wrong) == ("positive", "import", 0.9)
    assert label_of(bare) is None


def test_what_was_previewed_is_what_is_touched(project: Project, lead: User) -> None:
    first = make_sample(project, text="soup one")
    action = asked(lead, project, BulkKind.LABEL, "negative", q="soup")
    late = make_sample(project, text="soup two")
    applied(lead, action)
    assert label_of(first) is not None
    assert label_of(late) is None


def test_ground_truth_and_annotators_words_are_left_alone(project: Project, lead: User) -> None:
    test = make_sample(project, split=Split.TEST)
    calibrate = make_sample(project, split=Split.CALIBRATE)
    loose = make_sample(project, split=None)
    item = open_item(project)
    answer(project, make_member(project), item, "positive")
    action = applied(lead, asked(lead, project, BulkKind.LABEL, "negative"))
    assert set(states(action).values()) == {"left_out"}
    for said in ("the test split", "the calibrate split", "no split", "Annotators have answered"):
        assert said in whys(action)
    assert [label_of(each) for each in (test, calibrate, loose)] == [None] * 3


def test_what_changed_since_the_preview_is_kept(project: Project, lead: User) -> None:
    item = open_item(project)
    action = asked(lead, project, BulkKind.LABEL, "negative")
    answer(project, make_member(project), item, "positive")
    action = applied(lead, action)
    assert states(action) == {item.sample_id: "kept"}
    assert "Since the preview: Annotators have answered it" in whys(action)
    found = label_of(item.sample)
    assert found is not None
    assert found[0] == "positive"


def test_an_undo_leaves_what_was_changed_since(project: Project, lead: User) -> None:
    item = open_item(project)
    action = applied(lead, asked(lead, project, BulkKind.LABEL, "negative"))
    answer(project, make_member(project), item, "positive")
    action = taken_back(lead, action)
    assert states(action) == {item.sample_id: "stuck"}
    assert "has changed since" in whys(action)
    found = label_of(item.sample)
    assert found is not None
    assert found[0] == "positive"


def test_a_label_taken_back_never_stands_again(project: Project, lead: User) -> None:
    item = open_item(project)
    annotator = make_member(project)
    taken_back(lead, applied(lead, asked(lead, project, BulkKind.LABEL, "negative")))
    from curation.review import services  # noqa: PLC0415 only here

    answer(project, annotator, item, "positive")
    services.undo(project=project, user=annotator, now=NOW)
    assert label_of(item.sample) is None


def test_samples_are_sent_to_a_queue_and_called_back(project: Project, lead: User) -> None:
    free, held = make_sample(project), make_sample(project)
    waiting = open_item(project, queue=Queue.LABEL_ERROR)
    audited = open_item(project, queue=Queue.AUDIT)
    action = applied(lead, asked(lead, project, BulkKind.QUEUE, Queue.LABEL_ERROR))
    assert states(action) == {
        free.pk: "applied",
        held.pk: "applied",
        waiting.sample_id: "left_out",
        audited.sample_id: "left_out",
    }
    item = ReviewItem.objects.get(sample=held)
    assert "Found in the audit." in item.why["sentence"]
    answer(project, make_member(project), item, "positive")
    action = taken_back(lead, action)
    assert states(action)[free.pk] == "undone"
    assert states(action)[held.pk] == "stuck"
    assert ReviewItem.objects.get(sample=free).status == "closed"
    assert ReviewItem.objects.get(pk=waiting.pk).status == "open"
    assert crooked_items() == []


def test_excluded_samples_are_not_trained_on_until_included(project: Project, lead: User) -> None:
    train, test = make_sample(project), make_sample(project, split=Split.TEST)
    label(train)
    label(test)
    assert queries.new_label_count(project=project, since=None) == 1
    excluded = applied(lead, asked(lead, project, BulkKind.EXCLUDE))
    assert states(excluded) == {train.pk: "applied", test.pk: "left_out"}
    assert queries.training_labels(project=project, min_quality=0.1) == []
    assert queries.new_label_count(project=project, since=None) == 0
    assert queries.test_label_count(project=project) == 1
    included = applied(lead, asked(lead, project, BulkKind.INCLUDE))
    assert len(queries.training_labels(project=project, min_quality=0.1)) == 1
    taken_back(lead, included)
    again = TrainingExclusion.objects.get()
    assert (again.sample_id, again.excluded_by, again.action) == (train.pk, lead.username, excluded)
    taken_back(lead, excluded)
    assert not TrainingExclusion.objects.exists()
    assert len(queries.training_labels(project=project, min_quality=0.1)) == 1


def test_a_sources_thumbs_are_retracted_and_released(project: Project, lead: User) -> None:
    liar, honest = make_source(project), make_source(project)
    served = make_prediction(project, text="the soup was cold", label="positive")
    thumb(served, "up", subject=subject("ann"), source_id=liar.pk)
    alone = make_prediction(project, text="warm bread", label="positive")
    thumb(alone, "up", subject=subject("bob"), source_id=honest.pk)
    digest_all()
    sample = sample_of(served)
    assert label_of(sample) is not None
    action = applied(lead, asked(lead, project, BulkKind.RETRACT_SOURCE, str(liar.pk)))
    assert states(action) == {sample.pk: "applied", sample_of(alone).pk: "left_out"}
    assert FeedbackOutcome.objects.get(sample=sample).state == "rejected"
    assert label_of(sample) is None
    assert label_of(sample_of(alone)) is not None
    taken_back(lead, action)
    assert FeedbackOutcome.objects.get(sample=sample).state == "counted"
    assert label_of(sample) is not None


def test_an_annotators_answers_are_retracted_and_restored(project: Project, lead: User) -> None:
    sloppy, careful = make_member(project), make_member(project)
    first, second = open_item(project), open_item(project)
    answer(project, sloppy, first, "positive")
    answer(project, sloppy, second, "positive")
    action = applied(lead, asked(lead, project, BulkKind.RETRACT_ANNOTATOR, str(sloppy.pk)))
    assert set(states(action).values()) == {"applied"}
    assert label_of(first.sample) is None
    assert ReviewItem.objects.get(pk=first.pk).status == "open"
    answer(project, careful, second, "negative")
    action = taken_back(lead, action)
    assert states(action) == {first.sample_id: "undone", second.sample_id: "stuck"}
    assert Annotation.objects.filter(user=sloppy, undone_at=None).count() == 1
    restored, replaced = label_of(first.sample), label_of(second.sample)
    assert restored is not None
    assert replaced is not None
    assert (restored[0], replaced[0]) == ("positive", "negative")
    assert crooked_items() == []


@contextmanager
def crash_after(applications: int) -> Iterator[None]:
    """The worker dies in the batch after so many."""
    real, calls = bulk_kinds.SetLabel.apply, iter(range(99))

    def apply(self: Any, *given: Any) -> Any:
        done = real(self, *given)
        if next(calls) == applications:
            raise ConnectionError("died")
        return done

    with patch.object(bulk_kinds.SetLabel, "apply", apply):
        yield


def test_a_crash_half_way_loses_and_repeats_nothing(
    project: Project, lead: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH", 2)
    samples = [make_sample(project) for _ in range(5)]
    action = asked(lead, project, BulkKind.LABEL, "negative")
    bulk.apply(action=action, user=lead, now=LATER)
    with crash_after(1), pytest.raises(ConnectionError):
        bulk.advance(now=LATER, seconds=10)
    assert sorted(states(action).values()) == ["applied"] * 2 + ["planned"] * 3
    assert Label.objects.count() == 2
    assert work(action).status == "applied"
    assert Label.objects.count() == len(samples)
    assert bulk.advance(now=LATER, seconds=10) == 0


def test_an_action_is_undone_half_way(
    project: Project, lead: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH", 1)
    make_sample(project), make_sample(project)
    action = asked(lead, project, BulkKind.LABEL, "negative")
    bulk.apply(action=action, user=lead, now=LATER)
    with crash_after(1), pytest.raises(ConnectionError):
        bulk.advance(now=LATER, seconds=10)
    action.refresh_from_db()
    action = taken_back(lead, action)
    assert sorted(states(action).values()) == ["planned", "undone"]
    assert not Label.objects.filter(is_current=True).exists()


def test_every_move_is_guarded_and_on_record(project: Project, lead: User) -> None:
    make_sample(project)
    action = asked(lead, project, BulkKind.LABEL, "negative")
    with pytest.raises(ForbiddenTransition):
        bulk.undo(action=action, user=lead, expected="ready", now=NOW)
    bulk.apply(action=action, user=lead, now=LATER)
    with pytest.raises(StaleTransition):
        bulk.cancel(action=action, user=lead, expected="ready", now=NOW)
    work(action)
    moves = [(each.to_status, each.actor) for each in history(action)]
    assert moves == [
        ("collecting", lead.username),
        ("ready", "bulk"),
        ("applying", lead.username),
        ("applied", "bulk"),
    ]
    assert history(action).last().evidence == {"counts": {"applied": 1}}  # type: ignore[union-attr]
    with pytest.raises(PermissionDenied):
        bulk.undo(action=action, user=make_member(project), expected="applied", now=NOW)


@pytest.mark.parametrize(
    ("kind", "target", "reason"),
    [
        ("nonsense", "", "Why."),
        (BulkKind.LABEL, "neutral", "Why."),
        (BulkKind.LABEL, "negative", " "),
        (BulkKind.QUEUE, Queue.AUDIT, "Why."),
        (BulkKind.RETRACT_SOURCE, "999", "Why."),
        (BulkKind.RETRACT_SOURCE, "x", "Why."),
        (BulkKind.RETRACT_ANNOTATOR, "0", "Why."),
    ],
)
def test_what_makes_no_sense_is_refused(
    project: Project, lead: User, kind: str, target: str, reason: str
) -> None:
    with pytest.raises(bulk.BulkRefused):
        bulk.ask_for(
            project=project,
            kind=kind,
            target=target,
            given=SampleFilter(),
            reason=reason,
            user=lead,
            now=NOW,
        )
    assert not BulkAction.objects.exists()


def test_too_many_samples_and_a_filter_that_fits_no_more_fail(
    project: Project, lead: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_sample(project), make_sample(project)
    gone = bulk.ask_for(
        project=project,
        kind=BulkKind.EXCLUDE,
        target="",
        given=SampleFilter(label="negative"),
        reason="Why.",
        user=lead,
        now=NOW,
    )
    project.label_options.filter(name="negative").delete()
    assert work(gone).status == "failed"
    monkeypatch.setattr(bulk, "MOST_SAMPLES", 1)
    action = asked(lead, project, BulkKind.EXCLUDE)
    assert (action.status, action.rows.count()) == ("failed", 0)
    assert "More than 1 samples" in action.failure
    assert not BulkRow.objects.exists()
