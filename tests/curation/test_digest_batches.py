"""The digest on real Postgres: what events become, once and only once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from curation import queries
from curation.digest import services
from curation.digest.services import DigestReport, digest
from curation.models import (
    FeedbackOutcome,
    Label,
    LabelEvidence,
    Landed,
    ReviewItem,
    Sample,
)
from curation.models.sample import Split
from tests.curation.events import (
    digest_all,
    land,
    land_feedback,
    later,
    sample_of,
    subject,
    thumb,
)
from tests.factories import NOW, make_prediction, make_project, make_sample

pytestmark = pytest.mark.django_db
ANN, BEN, CAT = subject("ann"), subject("ben"), subject("cat")


def state(feedback: Any) -> str:
    return FeedbackOutcome.objects.get(pk=feedback.pk).state


def current(sample: Sample) -> tuple[str, str, float]:
    label = Label.objects.get(sample=sample, is_current=True)
    return label.value, label.origin, label.quality


def test_a_thumb_up_confirms_and_a_thumb_down_disputes() -> None:
    project = make_project()
    liked, disliked = make_prediction(project, text="yum"), make_prediction(project, text="meh")
    thumb(liked, "up", subject=ANN)
    no = thumb(disliked, "down", subject=ANN)

    report = digest_all()

    assert (report.events, report.feedback, report.disputed) == (2, 2, 1)
    assert current(sample_of(liked)) == ("positive", "feedback", 0.7)
    assert current(sample_of(disliked)) == ("negative", "feedback", 0.5)
    outcome = FeedbackOutcome.objects.get(pk=no.pk)
    assert outcome.is_disputed
    assert outcome.suggested_label == "negative"
    assert outcome.sample == sample_of(disliked)
    item = ReviewItem.objects.get()
    assert (item.queue, item.sample, item.prediction_id) == (
        "disputed",
        sample_of(disliked),
        disliked.pk,
    )
    assert item.why["contradicting"] == 1
    assert Landed.objects.count() == 0


def test_a_dispute_grows_with_those_who_concur() -> None:
    project = make_project()
    prediction = make_prediction(project)
    thumb(prediction, "down", subject=ANN)
    digest_all()
    lone = ReviewItem.objects.get()
    thumb(prediction, "down", subject=BEN)
    digest_all()

    item = ReviewItem.objects.get()
    assert item.priority > lone.priority
    assert item.why["contradicting"] == 2
    assert item.why["suggestions"] == {"negative": 2}
    assert current(sample_of(prediction)) == ("negative", "feedback", 0.7)
    evidence = LabelEvidence.objects.filter(label__is_current=True)
    assert evidence.count() == 2


def test_a_later_thumb_of_a_subject_supersedes_the_earlier_and_retracts_its_voice() -> None:
    prediction = make_prediction(make_project())
    no = thumb(prediction, "down", subject=ANN)
    digest_all()
    yes = thumb(prediction, "up", subject=ANN)
    report = digest_all()

    assert report.superseded == 1
    assert (state(no), state(yes)) == ("superseded", "counted")
    assert FeedbackOutcome.objects.get(pk=no.pk).superseded_by == yes.pk
    assert current(sample_of(prediction)) == ("positive", "feedback", 0.7)
    item = ReviewItem.objects.get()
    assert item.status == "closed"
    assert "No user" in item.why["closed"]


def test_a_retracted_voice_leaves_no_label_when_it_was_the_only_one() -> None:
    prediction = make_prediction(make_project(labels=["bad", "good", "so-so"]), label="good")
    thumb(prediction, "down", subject=ANN, corrected="so-so")
    digest_all()
    thumb(prediction, "down", subject=ANN)
    digest_all()

    assert not Label.objects.filter(is_current=True).exists()
    assert ReviewItem.objects.get().status == "open"


def test_an_event_digested_out_of_order_is_superseded_straight_away() -> None:
    prediction = make_prediction(make_project())
    early = thumb(prediction, "down", subject=ANN, is_landed=False)
    late = thumb(prediction, "up", subject=ANN)
    digest_all()
    land_feedback(early)
    digest_all()

    assert (state(early), state(late)) == ("superseded", "counted")
    assert FeedbackOutcome.objects.get(pk=early.pk).superseded_by == late.pk
    assert current(sample_of(prediction)) == ("positive", "feedback", 0.7)
    assert not ReviewItem.objects.exists()


def test_several_thumbs_of_a_subject_in_one_batch_leave_the_last() -> None:
    prediction = make_prediction(make_project())
    thumbs = [thumb(prediction, rating, subject=ANN) for rating in ("up", "down", "up", "down")]
    digest_all()

    assert [state(each) for each in thumbs] == ["superseded"] * 3 + ["counted"]


def test_without_a_subject_thumbs_supersede_nothing_but_speak_once_a_prediction() -> None:
    prediction = make_prediction(make_project())
    thumbs = [thumb(prediction, "down") for _ in range(3)]
    digest_all()

    assert [state(each) for each in thumbs] == ["counted"] * 3
    assert current(sample_of(prediction)) == ("negative", "feedback", 0.5)


def test_a_subject_who_judges_a_text_twice_is_one_voice() -> None:
    project = make_project()
    for _ in range(2):
        thumb(make_prediction(project, text="meh"), "down", subject=ANN)
    digest_all()

    assert Label.objects.get(is_current=True).quality == 0.5


def test_quarantined_feedback_says_nothing_and_gives_its_reasons() -> None:
    prediction = make_prediction(make_project())
    odd = thumb(prediction, "down", subject=ANN, quarantine_reasons=["burst"])
    report = digest_all()

    assert report.quarantined == 1
    outcome = FeedbackOutcome.objects.get(pk=odd.pk)
    assert (outcome.state, outcome.reasons, outcome.sample_id) == ("quarantined", ["burst"], None)
    assert not Sample.objects.exists()


def test_feedback_never_overwrites_what_an_annotator_or_an_import_said() -> None:
    project = make_project()
    for origin in ("annotation", "import"):
        prediction = make_prediction(project, text=origin)
        sample = make_sample(project, text=origin)
        Label.objects.create(
            sample=sample, value="positive", origin=origin, quality=0.9, created_at=NOW
        )
        for who in (ANN, BEN, CAT):
            thumb(prediction, "down", subject=who)
        digest_all()
        assert current(sample) == ("positive", origin, 0.9)


def test_one_voice_against_an_annotator_asks_nobody_and_two_do() -> None:
    project = make_project()
    prediction, sample = make_prediction(project), make_sample(project, text="great food")
    Label.objects.create(
        sample=sample, value="positive", origin="annotation", quality=0.95, created_at=NOW
    )
    thumb(prediction, "down", subject=ANN)
    digest_all()
    assert not ReviewItem.objects.exists()
    thumb(prediction, "down", subject=BEN)
    digest_all()
    assert ReviewItem.objects.get().queue == "disputed"


def test_thumbs_on_a_test_text_are_recorded_and_never_trained_on() -> None:
    project = make_project()
    sample = make_sample(project, text="great food", split=Split.TEST)
    for who in (ANN, BEN, CAT):
        thumb(make_prediction(project), "up", subject=who)
    digest_all()

    assert current(sample) == ("positive", "feedback", 0.85)
    assert queries.training_labels(project=project, min_quality=0.0) == []
    assert queries.test_labels(project=project) == []
    assert queries.new_label_count(project=project, since=None) == 0


def test_audited_and_unsure_predictions_become_samples_and_the_audit_is_queued() -> None:
    project = make_project(audit_share=0.1)
    audited = land(make_prediction(project, text="audited", is_audit=True))
    unsure = land(make_prediction(project, text="unsure"))

    report = digest_all()

    assert (report.predictions, report.audited) == (2, 1)
    item = ReviewItem.objects.get()
    assert (item.queue, item.sample) == ("audit", sample_of(audited))
    assert item.inclusion_probability == 0.1
    assert sample_of(audited).origin == "audit"
    assert sample_of(audited).cluster.split in {"test", "calibrate"}  # type: ignore[union-attr]
    assert sample_of(unsure).origin == "pool"
    assert sample_of(unsure).cluster.split == "train"  # type: ignore[union-attr]


def test_feedback_that_overtakes_its_audited_prediction_keeps_it_out_of_training() -> None:
    prediction = make_prediction(make_project(), is_audit=True)
    thumb(prediction, "up", subject=ANN)
    digest_all()
    assert sample_of(prediction).cluster.split in {"test", "calibrate"}  # type: ignore[union-attr]


def test_a_text_is_asked_about_once_the_audit_before_the_dispute() -> None:
    project = make_project()
    prediction = make_prediction(project, is_audit=True)
    thumb(prediction, "down", subject=ANN)
    digest_all()
    land(prediction)
    digest_all()
    thumb(prediction, "down", subject=BEN)
    digest_all()

    by_queue = dict(ReviewItem.objects.values_list("queue", "status"))
    assert by_queue == {"disputed": "closed", "audit": "open"}


def test_a_text_audited_before_is_not_queued_again() -> None:
    project = make_project()
    for _ in range(2):
        land(make_prediction(project, is_audit=True))
        digest_all()
    assert ReviewItem.objects.count() == 1


def everything() -> list[list[tuple[Any, ...]]]:
    """Every row the digest writes, but for its clock."""
    return [
        sorted(
            FeedbackOutcome.objects.values_list("feedback_id", "state", "suggested_label"),
            key=str,
        ),
        sorted(Label.objects.values_list("id", "value", "quality", "is_current")),
        sorted(ReviewItem.objects.values_list("id", "priority", "status")),
        sorted(Sample.objects.values_list("id", "text")),
    ]


def test_digesting_an_event_again_changes_nothing() -> None:
    project = make_project()
    prediction = land(make_prediction(project, is_audit=True))
    thumbs = [
        thumb(make_prediction(project, text=text), rating, subject=who)
        for text in ("one", "two")
        for rating in ("up", "down")
        for who in (ANN, BEN)
    ]
    digest_all()
    before = everything()

    land(prediction)
    for each in thumbs:
        land_feedback(each)
    digest_all()

    assert everything() == before
    assert Landed.objects.count() == 0


class PowerCut(BaseException):
    """The worker dies here."""


PAST_THE_END = 45


@pytest.mark.parametrize("fatal", range(1, PAST_THE_END + 1))
def test_a_crash_at_any_statement_loses_nothing_and_the_next_look_does_it_all(fatal: int) -> None:
    project = make_project()
    prediction = make_prediction(project, text="meh")
    thumb(prediction, "down", subject=ANN)
    digest_all()
    land(make_prediction(project, text="audited", is_audit=True))
    thumb(prediction, "up", subject=ANN)
    thumb(make_prediction(project, text="other"), "down", subject=BEN)
    statements = 0
    is_cut = True

    def dying(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        nonlocal statements
        if "SAVEPOINT" not in sql:
            statements += 1
            if statements == fatal:
                raise PowerCut
        return execute(sql, *rest)

    with connection.execute_wrapper(dying):
        try:
            digest(now=later())
            is_cut = False
        except PowerCut:
            pass
    if is_cut:
        assert Landed.objects.count() == 3
        digest_all()

    assert Landed.objects.count() == 0
    assert FeedbackOutcome.objects.filter(state="counted").count() == 2
    items = ReviewItem.objects.order_by("queue", "status")
    assert list(items.values_list("queue", "status")) == [
        ("audit", "open"),
        ("disputed", "closed"),
        ("disputed", "open"),
    ]
    # The last of these is past the end: every statement was the fatal one once.
    assert not (is_cut and fatal == PAST_THE_END)


def test_nothing_due_costs_one_query() -> None:
    with CaptureQueriesContext(connection) as captured:
        report = digest_all()
    assert report == DigestReport()
    queries_run = [q for q in captured.captured_queries if "SAVEPOINT" not in q["sql"]]
    assert len(queries_run) == 1


def test_the_number_of_queries_does_not_grow_with_the_batch() -> None:
    project = make_project()

    def run(count: int) -> int:
        for number in range(count):
            prediction = make_prediction(project, text=f"no {count} {number}")
            thumb(prediction, "down" if number % 2 else "up", subject=ANN)
        with CaptureQueriesContext(connection) as captured:
            assert digest_all().events == count
        return len(captured.captured_queries)

    assert run(4) == run(200) <= 40


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_the_work_and_agree_on_every_voice() -> None:
    project = make_project()
    predictions = [make_prediction(project, text=f"text {n}") for n in range(10)]
    subjects = [subject(f"s{n}") for n in range(5)]
    last: dict[tuple[Any, bytes], Any] = {}
    for round_number in range(8):
        for prediction in predictions:
            for who in subjects:
                rating = "up" if (round_number + who[1]) % 2 else "down"
                last[prediction.pk, who] = thumb(prediction, rating, subject=who).pk
    start = threading.Barrier(3)

    def work() -> int:
        start.wait()
        events = 0
        try:
            while report := digest(now=later(), limit=17).events:
                events += report
        finally:
            connection.close()
        return events

    with ThreadPoolExecutor(3) as pool:
        done = [each.result() for each in [pool.submit(work) for _ in range(3)]]

    assert sum(done) == 8 * 10 * 5
    counted = FeedbackOutcome.objects.filter(state="counted")
    assert set(counted.values_list("feedback_id", flat=True)) == set(last.values())
    assert FeedbackOutcome.objects.count() == 400
    assert Label.objects.filter(is_current=True).count() == 10


def test_a_drain_goes_on_until_nothing_is_due() -> None:
    project = make_project()
    for number in range(25):
        thumb(make_prediction(project, text=f"text {number}"), subject=ANN)
    assert services.drain(now=later(), seconds=60, limit=10).events == 25
