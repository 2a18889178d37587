"""One look of every reconciler, in process and at a given time, as the beat would ask for it."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from curation.digest.services import drain
from rollout import reconcile
from rollout.serving import plan as serving_plan
from training import evaluation, scoring, services
from training.models import ModelVersion

PATIENCE_S = 60.0


def look(*, now: datetime) -> None:
    """Digest, score, train, judge and advance whatever is due at ``now``."""
    clock = _clock_from(now)
    drain(now=now, seconds=PATIENCE_S)
    scoring.score(now=now)
    for run_id in services.plan(now=now):
        services.mark_sent(run_id=run_id, now=clock())
        services.execute(run_id=run_id, clock=clock)
    for version_id in evaluation.due(now=clock()):
        evaluation.evaluate(version=ModelVersion.objects.get(pk=version_id), now=clock())
    reconcile.advance(now=clock())
    # This process must not go on with the plan it read before the look.
    serving_plan.forget()


def _clock_from(start: datetime) -> Callable[[], datetime]:
    """A clock that reads ``start`` now and runs as fast as the real one."""
    began = time.monotonic()
    return lambda: start + timedelta(seconds=time.monotonic() - began)
