"""Retention: whole months go when their time is past, and never before they are digested."""

import io
import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from curation.management.commands import retention as command
from curation.models import (
    Feedback,
    FeedbackKey,
    IntakeMinute,
    Prediction,
    QuarantineMove,
    RejectedEvent,
    RetentionPolicy,
)
from curation.privacy import retention
from curation.privacy.retention import plan, retire
from feedbackhub.core.clock import utcnow
from feedbackhub.core.partitions import ensure_partitions, month_at
from tests.curation.events import land, thumb
from tests.factories import make_prediction, make_project

NOW = datetime(2035, 6, 15, 12, tzinfo=UTC)


@pytest.fixture
def months(db: None) -> None:
    """Partitions from January to September 2035."""
    ensure_partitions(now=NOW, months_back=5, months_ahead=3)


def day(month: int) -> datetime:
    return datetime(2035, month, 20, tzinfo=UTC)


def partitions(table: str = "curation_prediction") -> set[str]:
    rows = retention.fetch(retention.SQL["partitions"], {"table": table}, into=retention._Partition)
    return {row.name[-3:] for row in rows if "_y2035" in row.name}


@pytest.mark.usefixtures("months")
def test_months_past_their_time_are_dropped_whole_and_others_stay() -> None:
    project = make_project()
    for month in (1, 3, 4, 6):
        make_prediction(project, now=day(month))
    RetentionPolicy.objects.create(prediction_months=2)

    done = retire(now=NOW)

    assert partitions() == {"m04", "m05", "m06", "m07", "m08", "m09"}
    assert "curation_prediction_y2035m03" in done.months
    kept = Prediction.objects.values_list("created_at", flat=True)
    assert [at.month for at in kept] == [4, 6]
    assert len(partitions("curation_feedback")) == 9
    assert retire(now=NOW).months == []


@pytest.mark.usefixtures("months")
def test_without_a_policy_no_event_goes() -> None:
    make_prediction(make_project(), now=day(1))
    assert retire(now=NOW).months == []
    assert Prediction.objects.count() == 1


@pytest.mark.usefixtures("months")
def test_a_month_with_an_event_that_is_not_digested_stays() -> None:
    project = make_project()
    land(make_prediction(project, now=day(1)))
    RetentionPolicy.objects.create(prediction_months=1)

    done = retire(now=NOW)

    assert done.held == ["curation_prediction_y2035m01"]
    assert partitions() >= {"m01"}
    assert "m02" not in partitions()


@pytest.mark.usefixtures("months")
def test_a_month_whose_prediction_is_still_to_be_judged_stays() -> None:
    judged = make_prediction(make_project(), now=day(2))
    thumb(judged, "down", at=day(6))
    RetentionPolicy.objects.create(prediction_months=1)

    assert retire(now=NOW).held == ["curation_prediction_y2035m02"]
    assert Prediction.objects.count() == 1


@pytest.mark.usefixtures("months")
def test_old_events_outside_monthly_partitions_lose_what_they_tell() -> None:
    project = make_project()
    old = make_prediction(project, now=datetime(2033, 1, 1, tzinfo=UTC), subject_hash=b"s" * 16)
    waiting = land(make_prediction(project, now=datetime(2033, 1, 2, tzinfo=UTC)))
    RetentionPolicy.objects.create(prediction_months=1, feedback_months=1)

    assert retire(now=NOW).blanked == 1

    row = Prediction.objects.get(pk=old.pk)
    assert (row.text, row.subject_hash, row.label) == (None, None, old.label)
    assert Prediction.objects.get(pk=waiting.pk).text == waiting.text


@pytest.mark.django_db
def test_keys_and_rejected_input_go_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for days in (1, 29, 31, 100, 101, 102):
        at = NOW - timedelta(days=days)
        FeedbackKey.objects.create(
            project_id=1,
            event_id=str(days),
            feedback_id=uuid.uuid4(),
            body_digest=b"",
            answer={},
            received_at=at,
        )
        RejectedEvent.objects.create(
            project_id=1, source_id=1, payload="", reasons=[], received_at=at
        )
    RetentionPolicy.objects.create(feedback_months=2, key_months=2)

    due = plan(now=NOW)
    done = retire(now=NOW)

    assert (done.keys, done.rejected) == (due.keys, due.rejected) == (3, 4)
    assert set(FeedbackKey.objects.values_list("event_id", flat=True)) == {"1", "29", "31"}
    assert RejectedEvent.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(("count_days", "left"), [(400, {1, 399}), (None, {1, 399, 401, 800, 801})])
def test_counts_of_intake_go_after_their_days(
    count_days: int | None, left: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    RetentionPolicy.objects.create(count_days=count_days)
    for project in (make_project(), make_project()):
        for days in (1, 399, 401, 800, 801):
            minute = NOW - timedelta(days=days)
            IntakeMinute.objects.create(project_id=project.pk, source_id=days, minute=minute)

    due = plan(now=NOW)
    done = retire(now=NOW)

    assert done.minutes == due.minutes == 10 - 2 * len(left)
    assert set(IntakeMinute.objects.values_list("source_id", flat=True)) == left
    assert retire(now=NOW).minutes == 0


@pytest.mark.usefixtures("months")
def test_steps_of_quarantine_are_kept_as_long_as_their_event(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    judged = make_prediction(make_project(), now=day(6))
    for month in (1, 2, 3, 6):
        thumb(judged, at=day(month), is_landed=False)
    # A month that the digest awaits stays, and with it what is said of its events.
    awaited = thumb(judged, at=day(4))
    outside = thumb(judged, at=datetime(2033, 1, 1, tzinfo=UTC), is_landed=False)
    for event in Feedback.objects.all():
        QuarantineMove.objects.create(
            feedback_id=event.pk,
            project_id=event.project_id,
            from_state="counted",
            to_state="quarantined",
            actor="digest",
            reason="x",
            at=event.received_at,
        )

    assert retire(now=NOW).moves == 0
    RetentionPolicy.objects.create(feedback_months=1)
    assert retire(now=NOW).moves == 3

    left = set(QuarantineMove.objects.values_list("feedback_id", flat=True))
    assert left == set(Feedback.objects.values_list("id", flat=True))
    assert {awaited.pk, outside.pk} < left


@pytest.mark.usefixtures("months")
def test_a_dry_run_names_the_months_and_drops_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "utcnow", lambda: NOW)
    land(make_prediction(make_project(), now=day(1)))
    RetentionPolicy.objects.create(prediction_months=3)
    out = io.StringIO()
    before = partitions()

    call_command("retention", dry_run=True, stdout=out)

    said = {line.split()[0]: line.split("MB")[-1].strip() for line in out.getvalue().splitlines()}
    assert said["curation_prediction_y2035m01"] == "stays: not digested yet"
    assert said["curation_prediction_y2035m02"] == "would be dropped"
    assert "curation_prediction_y2035m03" not in said
    assert partitions() == before


@pytest.mark.django_db
@pytest.mark.parametrize(("feedback", "keys"), [(6, 5), (None, 5)])
def test_keys_must_outlive_events(feedback: int | None, keys: int) -> None:
    policy = RetentionPolicy(feedback_months=feedback, key_months=keys)
    with pytest.raises(ValidationError, match="as long as feedback"):
        policy.clean()
    with pytest.raises(IntegrityError, match="outlive"), transaction.atomic():
        policy.save()


@pytest.mark.django_db
def test_there_is_one_policy() -> None:
    RetentionPolicy.objects.create()
    with pytest.raises(IntegrityError), transaction.atomic():
        RetentionPolicy.objects.create(id=2)


@pytest.mark.django_db(transaction=True)
def test_a_table_in_use_is_left_for_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PATIENCE", "100ms")
    ensure_partitions(now=NOW, months_back=5, months_ahead=0)
    RetentionPolicy.objects.create(feedback_months=3)
    has_read, may_end = threading.Event(), threading.Event()

    def read() -> None:
        with transaction.atomic():
            Feedback.objects.exists()
            has_read.set()
            may_end.wait(20)
        connection.close()

    reader = threading.Thread(target=read)
    reader.start()
    assert has_read.wait(20)
    first = retire(now=NOW)
    may_end.set()
    reader.join(20)
    second = retire(now=NOW)
    ensure_partitions(now=utcnow())
    for month in ("01", "02", "03", "04", "05", "06"):
        with connection.cursor() as cursor:
            for table in ("prediction", "feedback"):
                cursor.execute(f"DROP TABLE IF EXISTS curation_{table}_y2035m{month}")

    assert first.months == []
    assert [name[-3:] for name in second.months if "2035" in name] == ["m01", "m02"]
    assert set(first.held) == set(second.months)
    assert month_at(NOW, -3).month == 3
