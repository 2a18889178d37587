"""The training room's ticks and its long work, which the settings route to a queue of its own."""

import logging

from celery import shared_task
from kombu.exceptions import OperationalError

from feedbackhub.core.clock import utcnow
from training import evaluation, label_errors, scoring, services, value
from training.models import ModelVersion

logger = logging.getLogger(__name__)
# A verdict that nobody fetched within this time is asked for again by a later tick.
EXPIRES_SECONDS = 30


@shared_task(name="training.tasks.plan", time_limit=60)
def plan() -> None:
    """One look: what is due is sent to the long queue. A lost broker is asked again next time."""
    try:
        for run_id in services.plan(now=utcnow()):
            execute.apply_async(kwargs={"run_id": run_id})
            services.mark_sent(run_id=run_id, now=utcnow())
        for version_id in evaluation.due(now=utcnow()):
            evaluate.apply_async(kwargs={"version_id": version_id}, expires=EXPIRES_SECONDS)
        for version_id in value.due():
            appraise.apply_async(kwargs={"version_id": version_id}, expires=EXPIRES_SECONDS)
    except OperationalError as error:
        logger.warning("The broker cannot be reached; sending again at the next tick: %s", error)


@shared_task(name="training.tasks.execute", time_limit=6 * 3600)
def execute(*, run_id: int) -> None:
    """Carry out one run; a run that is not queued is left alone."""
    services.execute(run_id=run_id, clock=utcnow)


@shared_task(name="training.tasks.evaluate", time_limit=3600)
def evaluate(*, version_id: int) -> None:
    """Judge a version again, if that is still due."""
    if version_id in evaluation.due(now=utcnow()):
        evaluation.evaluate(version=ModelVersion.objects.get(pk=version_id), now=utcnow())


@shared_task(name="training.tasks.appraise", time_limit=3600)
def appraise(*, version_id: int) -> None:
    """Measure which queue's labels moved a version, if that is still due."""
    if version_id in value.due():
        value.appraise(version=ModelVersion.objects.get(pk=version_id), now=utcnow())


@shared_task(name="training.tasks.score", time_limit=120)
def score() -> None:
    """Score the pool and refill the uncertain queue."""
    scoring.score(now=utcnow())


@shared_task(name="training.tasks.doubt", time_limit=60)
def doubt() -> None:
    """Send the newest versions whose labels nobody has looked at to the long queue."""
    try:
        for version_id in label_errors.due(now=utcnow()):
            find_label_errors.apply_async(kwargs={"version_id": version_id}, expires=60)
    except OperationalError as error:
        logger.warning("The broker cannot be reached; sending again at the next tick: %s", error)


@shared_task(name="training.tasks.find_label_errors", time_limit=2 * 3600)
def find_label_errors(*, version_id: int) -> None:
    """Look at the labels one version was taught, unless somebody has."""
    label_errors.look(version_id=version_id, clock=utcnow)
