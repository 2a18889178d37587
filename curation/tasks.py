"""What Celery calls: each looks once at what is due. Running one twice, or late, does no harm."""

from celery import shared_task

from curation import label_weighing
from curation.digest import services as digestion
from curation.digest import trust
from curation.exchange import imports
from curation.explorer import bulk
from curation.groups import measure as groups
from curation.intake.pulse import measure_digest_lag
from curation.privacy import retention
from curation.review import gold, precedents
from curation.review import services as review
from curation.review.agreement import refresh as agreement
from curation.review.reconcile import reconcile, settle_stranded
from feedbackhub.core.clock import utcnow
from feedbackhub.core.partitions import ensure_partitions

DIGEST_SECONDS = 20.0
# A worker has other ticks to do; the next one goes on.
BULK_SECONDS = 10.0


@shared_task(queue="ticks", soft_time_limit=60, time_limit=90)
def digest() -> None:
    """Digest what has landed, batch after batch, leaving the worker to others after a while."""
    digestion.drain(now=utcnow(), seconds=DIGEST_SECONDS)
    measure_digest_lag(now=utcnow())


@shared_task(queue="ticks", soft_time_limit=30, time_limit=45)
def sweep_leases() -> None:
    """Free the slots of leases that ran out."""
    review.sweep(now=utcnow())


@shared_task(queue="ticks", soft_time_limit=120, time_limit=150)
def weigh_annotators() -> None:
    """Bring annotators' records, and the labels weighed by them, up with their answers."""
    agreement.refresh(now=utcnow())


@shared_task(queue="ticks", soft_time_limit=30, time_limit=45)
def tend_gold() -> None:
    """Make gold of what seniors agree on, keep some in the queue, and retire what is in doubt."""
    gold.tend(now=utcnow())


@shared_task(queue="ticks", soft_time_limit=300, time_limit=330)
def reconcile_review() -> None:
    """Check that the counters of review items add up, and that none waits in vain."""
    reconcile(now=utcnow())
    settle_stranded(now=utcnow())


@shared_task(queue="ticks", soft_time_limit=60, time_limit=90)
def make_partitions() -> None:
    """Make the event partitions of the coming months."""
    ensure_partitions(now=utcnow())


@shared_task(queue="ticks", soft_time_limit=600, time_limit=660)
def retire_partitions() -> None:
    """Drop what the retention policy keeps no longer."""
    retention.retire(now=utcnow())


@shared_task(queue="ticks", soft_time_limit=300, time_limit=330)
def tidy_trust() -> None:
    """Count trust anew where its half-life was changed, and forget what no longer weighs."""
    trust.tidy(now=utcnow())


@shared_task(queue="ticks", soft_time_limit=30, time_limit=45)
def index_precedents() -> None:
    """Make what was just answered findable for those who answer something like it."""
    precedents.index_precedents()


@shared_task(queue="ticks", soft_time_limit=60, time_limit=90)
def advance_bulk_actions() -> None:
    """Collect, apply and take back what leads asked for in bulk, a few batches at a time."""
    bulk.advance(now=utcnow(), seconds=BULK_SECONDS)


# Minutes for a large file: beside training rather than before the next tick.
@shared_task(queue="training", soft_time_limit=3600, time_limit=3660)
def import_files() -> None:
    """Read the files that people uploaded."""
    imports.work(now=utcnow())


@shared_task(queue="ticks", soft_time_limit=60, time_limit=90)
def age_labels() -> None:
    """Weigh the labels whose age has come to count for more."""
    label_weighing.age_labels(now=utcnow())


# Looks for topics with scikit-learn, and at tens of thousands of texts: beside training.
@shared_task(queue="training", soft_time_limit=900, time_limit=960)
def measure_groups() -> None:
    """Look at who is heard and where the model fails, in the projects where that is due."""
    groups.measure_due(now=utcnow())
