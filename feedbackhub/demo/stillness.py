"""Keeping a running hub's beat away from a past that is being told at times of its own.

Its workers would look at the demo with today's clock: take a run of three days ago for dead, or
measure a test before its guests have come.
"""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from django_celery_beat.models import PeriodicTask, PeriodicTasks

RECONCILERS = (
    "curation.tasks.digest",
    "curation.tasks.weigh_annotators",
    "training.tasks.plan",
    "training.tasks.score",
    "rollout.tasks.advance",
)
# Beat looks for changes of its schedule every second; what it sent before may still run.
NOTICED_AFTER_S = 5


@contextmanager
def reconcilers_at_rest(*, say: Callable[[str], None]) -> Iterator[None]:
    """Stop the schedules of the reconcilers while the block runs.

    They go on however the block ends, short of ``kill -9``; after that, at the end of the next.
    """
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        _set_enabled(False)
        say("the schedules of a hub that runs here pause until the demo is there")
        time.sleep(NOTICED_AFTER_S)
        yield
    finally:
        _set_enabled(True)
        signal.signal(signal.SIGTERM, before)


def _set_enabled(enabled: bool) -> None:
    PeriodicTask.objects.filter(task__in=RECONCILERS).update(enabled=enabled)
    PeriodicTasks.update_changed()


def _leave(number: int, frame: FrameType | None) -> None:
    """End as by an exception, so that what was paused goes on."""
    sys.exit(128 + number)
