"""The queue engine: claim and submit at a million open items, in the database.

``python -m bench.review`` lets one annotator after another fill up to five reservations and answer
the first, and fails above the limits at the 95th percentile. Permission checks are included.
"""

import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from typing import TypeVar

from bench._database import database

CLAIM_LIMIT_MS = 50.0
SUBMIT_LIMIT_MS = 150.0
ITEMS = 1_000_000
ANNOTATORS = 50
TURNS = 20
Result = TypeVar("Result")

SEED = """
INSERT INTO curation_cluster (project_id, split, created_at) VALUES (%(project)s, 'train', %(now)s);
INSERT INTO curation_sample (id, project_id, cluster_id, text, language, content_hash, origin,
    created_at)
SELECT n, %(project)s, (SELECT max(id) FROM curation_cluster), 'text number ' || n,
    '', sha256(n::text::bytea), 'pool', %(now)s
FROM generate_series(1, %(items)s) AS n;
INSERT INTO curation_reviewitem (id, project_id, sample_id, queue, status, priority, needed, taken,
    done, skips, why, model_version, created_at)
SELECT n, %(project)s, n, (ARRAY['disputed', 'uncertain', 'audit'])[1 + n %% 3], 'open',
    (n::bigint * 7919 %% 100) / 100.0, 1, 0, 0, 0, '{}', 'v1', %(now)s
FROM generate_series(1, %(items)s) AS n;
ANALYZE;
"""


def main() -> int:
    """Measure and judge; 1 above the limit."""
    claims: list[float] = []
    submits: list[float] = []
    with database():
        from django.db import connection  # noqa: PLC0415 settings exist only now

        from curation.models import Membership  # noqa: PLC0415
        from curation.review import services  # noqa: PLC0415
        from curation.services import LabelSpec, create_project  # noqa: PLC0415
        from feedbackhub.core.models import User  # noqa: PLC0415

        now = datetime.now(UTC)
        project = create_project(
            slug="bench",
            name="Bench",
            labels=[LabelSpec("bad", "#dc2626", "1"), LabelSpec("good", "#16a34a", "2")],
            guideline="",
            created_by=None,
            is_demo=False,
            now=now,
        )
        users = [User.objects.create(username=f"annotator-{n}") for n in range(ANNOTATORS)]
        for user in users:
            Membership.objects.create(project=project, user=user, role="annotator")
        with connection.cursor() as cursor:
            cursor.execute(SEED, {"project": project.pk, "items": ITEMS, "now": now})
        for turn in range(TURNS):
            for user in users:
                at = now + timedelta(seconds=turn)
                held = _clocked(
                    lambda user=user, at=at: services.claim(project=project, user=user, now=at),
                    claims,
                )
                item = held.items[0].id
                _clocked(
                    lambda user=user, at=at, item=item: services.submit(
                        project=project,
                        user=user,
                        item_id=item,
                        value="good",
                        submission_key=uuid.uuid4(),
                        now=at,
                    ),
                    submits,
                )
        connection.close()
    return _judge("claim", claims, CLAIM_LIMIT_MS) | _judge("submit", submits, SUBMIT_LIMIT_MS)


def _clocked(call: Callable[[], Result], into: list[float]) -> Result:
    started = time.perf_counter()
    result = call()
    into.append((time.perf_counter() - started) * 1000)
    return result


def _judge(name: str, times: list[float], limit: float) -> int:
    cuts = quantiles(times, n=100)
    verdict = "ok" if cuts[94] <= limit else "MISSED"
    print(
        f"  {name} at {ITEMS:,} open items: p50 {cuts[49]:.1f} ms, p95 {cuts[94]:.1f} ms; "
        f"limit {limit:.0f} ms: {verdict}",
        flush=True,
    )
    return int(cuts[94] > limit)


if __name__ == "__main__":
    sys.exit(main())
