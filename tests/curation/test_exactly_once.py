"""Between landing and digest nothing is lost and nothing counts twice, whoever dies on the way."""

import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest
from django.db import connection, transaction

from curation.models import FeedbackOutcome, Label, Landed, Project, Sample
from feedbackhub.leash import die_with_parent
from feedbackhub.supervision import CHECKOUT
from tests.curation.events import digest_all, land_feedback, subject, thumb
from tests.factories import make_prediction, make_project

DIGEST = """
import django
django.setup()
from curation.digest.services import digest
from feedbackhub.core.clock import utcnow
digest(now=utcnow())
"""
# Not from pg_stat_activity, which a transaction sees once and for all.
WAITING = """
SELECT count(*) FROM pg_locks
WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
"""
PATIENCE_S = 60


def asked(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.fetchone()[0])


def wait_for(statement: str, *, value: int, worker: subprocess.Popen[bytes] | None = None) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while asked(statement) != value:
        assert worker is None or worker.poll() is None, "the digest ended too early"
        assert time.monotonic() < deadline
        time.sleep(0.02)


def digesting() -> subprocess.Popen[bytes]:
    """A digest in a process of its own, on the database of this test."""
    address, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    variables = {
        **os.environ,
        "DATABASE_URL": f"{address}/{connection.settings_dict['NAME']}",
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
    return subprocess.Popen(
        [sys.executable, "-c", DIGEST],
        cwd=CHECKOUT,
        env=variables,
        preexec_fn=die_with_parent(signal.SIGKILL),
    )


def voices(project: Project) -> list[Any]:
    """Three thumbs, of which the second replaces the first."""
    prediction = make_prediction(project, text="The soup was cold.")
    return [
        thumb(prediction, "up", subject=subject("a")),
        thumb(prediction, "down", subject=subject("a")),
        thumb(prediction, "down", subject=subject("b")),
    ]


def learned() -> list[Any]:
    """Everything the digest wrote, without the moments it did so."""
    outcomes = FeedbackOutcome.objects.order_by("feedback_id").values_list(
        "feedback_id", "state", "superseded_by", "sample_id", "suggested_label", "is_disputed"
    )
    labels = Label.objects.order_by("id").values_list("sample_id", "value", "quality", "is_current")
    return [list(outcomes), list(labels), Sample.objects.count()]


@pytest.mark.django_db(transaction=True)
def test_a_digest_killed_in_its_transaction_loses_nothing() -> None:
    thumbs = voices(make_project())
    with transaction.atomic():
        with connection.cursor() as cursor:
            # The digest claims, makes samples, and then waits here to write its outcomes.
            cursor.execute("LOCK TABLE curation_feedbackoutcome IN SHARE MODE")
        worker = digesting()
        try:
            wait_for(WAITING, value=1, worker=worker)
        finally:
            worker.kill()
        assert worker.wait() == -signal.SIGKILL
    # Its backend notices that nobody listens any more, and takes everything back.
    wait_for(OTHERS, value=0)
    assert Landed.objects.count() == len(thumbs)
    assert learned() == [[], [], 0]
    assert digest_all().events == len(thumbs)
    assert not Landed.objects.exists()
    states = FeedbackOutcome.objects.order_by("feedback_id").values_list("state", flat=True)
    assert list(states) == ["superseded", "counted", "counted"]


@pytest.mark.django_db
def test_events_landed_again_change_nothing() -> None:
    thumbs = voices(make_project())
    digest_all()
    before = learned()
    for each in reversed(thumbs):
        land_feedback(each)
        digest_all()
    assert learned() == before
    assert not Landed.objects.exists()


@pytest.mark.django_db
def test_the_order_of_receipt_decides_not_the_order_of_the_digest() -> None:
    prediction = make_prediction(make_project())
    early = thumb(prediction, "up", subject=subject("a"), is_landed=False)
    late = thumb(prediction, "down", subject=subject("a"))
    digest_all()
    land_feedback(early)
    digest_all()
    states = dict(FeedbackOutcome.objects.values_list("feedback_id", "state"))
    assert states == {early.pk: "superseded", late.pk: "counted"}
    assert FeedbackOutcome.objects.get(pk=early.pk).superseded_by == late.pk
