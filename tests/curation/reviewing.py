"""Queues and annotators for the tests of review."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

from django.db import connection

from curation.models import Label, Project, ReviewItem, Sample
from curation.models.review import Queue
from curation.review import services
from curation.review.services import Pick, Submitted
from feedbackhub.core.models import User
from tests.factories import NOW, make_prediction, make_sample

Result = TypeVar("Result")
MINUTE = timedelta(minutes=1)

# Counters must equal what they count; a taken slot must have a holder.
CROOKED = """
SELECT i.id, i.status, i.needed, i.taken, i.done, held.n, given.n
FROM curation_reviewitem i
CROSS JOIN LATERAL (SELECT count(*) AS n FROM curation_lease WHERE item_id = i.id) held
CROSS JOIN LATERAL (
    SELECT count(*) AS n FROM curation_annotation WHERE item_id = i.id AND kind = 'label'
        AND is_blind AND NOT is_extra AND undone_at IS NULL
) given
WHERE i.taken <> held.n + given.n OR i.done <> given.n OR i.taken > i.needed
    OR (i.status = 'open' AND i.done >= i.needed)
"""


def crooked_items() -> list[tuple[Any, ...]]:
    """Items whose counters do not equal what they count; there must be none, ever."""
    with connection.cursor() as cursor:
        cursor.execute(CROOKED)
        return list(cursor.fetchall())


def open_item(
    project: Project,
    *,
    text: str = "",
    queue: str = Queue.UNCERTAIN,
    priority: float = 0.5,
    predicted: str | None = None,
    **pick: Any,
) -> ReviewItem:
    """An open item of a new sample, with a prediction if one is named."""
    sample = make_sample(project, text=text)
    if predicted is not None:
        assert sample.text is not None
        served = make_prediction(project, text=sample.text, label=predicted)
        pick["prediction_id"] = served.pk
    services.open_items(
        project=project,
        picks=[
            Pick(
                sample_id=sample.pk,
                queue=queue,
                priority=priority,
                why={"sentence": "For a test."},
                **pick,
            )
        ],
        now=NOW,
    )
    return ReviewItem.objects.get(sample=sample, queue=queue)


def answer(
    project: Project, user: User, item: ReviewItem | int, value: str = "positive", **given: Any
) -> Submitted:
    """Submit an answer under a fresh key."""
    return services.submit(
        project=project,
        user=user,
        item_id=item if isinstance(item, int) else item.pk,
        value=value,
        **{"submission_key": uuid.uuid4(), "now": NOW, **given},
    )


def pass_on(
    project: Project, user: User, item: ReviewItem, reason: str = "unclear", **given: Any
) -> services.Skipped:
    """Skip an item under a fresh key."""
    return services.skip(
        project=project,
        user=user,
        item_id=item.pk,
        reason=reason,
        **{"submission_key": uuid.uuid4(), "now": NOW, **given},
    )


def claimed(project: Project, user: User, **given: Any) -> list[int]:
    """The ids of the items a claim reserves."""
    found = services.claim(project=project, user=user, **{"now": NOW, **given})
    return [item.id for item in found.items]


def at_once(*calls: Callable[[], Result]) -> list[Result | Exception]:
    """Run calls in threads of their own; what each returned or raised."""

    def run(call: Callable[[], Result]) -> Result | Exception:
        try:
            return call()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def label_of(sample: Sample) -> tuple[str, str, float] | None:
    """The current label: value, origin and quality."""
    found = Label.objects.filter(sample=sample, is_current=True).first()
    return (found.value, found.origin, found.quality) if found else None


def fresh(item: ReviewItem) -> ReviewItem:
    """The item as it stands now."""
    item.refresh_from_db()
    return item
