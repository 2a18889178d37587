"""A promotion reaches every process that serves, not only the one that was asked last."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from django.conf import settings
from django.db import connection, transaction

from feedbackhub.supervision import CHECKOUT
from tests.factories import make_project, make_version
from training.models import ModelVersion

Status = ModelVersion.Status
SECONDS_TO_FOLLOW = 2.0

# Serves as a web worker does, and says whenever another version answers, with the system's clock.
WORKER = """
import sys, time
import django
django.setup()
from rollout.serving.plan import current_plan
said, end = None, time.monotonic() + 120
while time.monotonic() < end:
    name = current_plan(int(sys.argv[1])).champion.name
    if name != said:
        said = name
        print(name, time.time(), flush=True)
    time.sleep(0.02)
"""


@contextmanager
def worker(project_id: int) -> Iterator[subprocess.Popen[str]]:
    """A process of its own on the test's database."""
    base, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    environment = {
        **os.environ,
        "DATABASE_URL": f"{base}/{connection.settings_dict['NAME']}",
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "FEEDBACKHUB_HOME": str(settings.HOME),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(project_id)],
        cwd=CHECKOUT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=10)


def next_change(process: subprocess.Popen[str]) -> tuple[str, float]:
    """The version that answers from now on, and since when; waits for the change."""
    assert process.stdout is not None
    name, _, at = process.stdout.readline().partition(" ")
    return name, float(at)


@pytest.mark.django_db(transaction=True)
def test_a_promotion_and_its_rollback_reach_every_process_within_two_seconds() -> None:
    project = make_project()
    old = make_version(project)
    new = make_version(project, status=Status.BLESSED, flipped=True)
    with ExitStack() as stack:
        workers = [stack.enter_context(worker(project.pk)) for _ in range(2)]
        assert [next_change(each)[0] for each in workers] == ["v1", "v1"]
        for leaves, comes in ((old, new), (new, old)):
            with transaction.atomic():
                ModelVersion.objects.filter(pk=leaves.pk).update(status=Status.SUPERSEDED)
                ModelVersion.objects.filter(pk=comes.pk).update(status=Status.LIVE)
            promoted_at = time.time()
            for each in workers:
                name, followed_at = next_change(each)
                assert name == comes.name
                assert followed_at - promoted_at < SECONDS_TO_FOLLOW
