"""The queue engine: claim and submit at a million open items, in the database.

``python -m bench.review`` lets one annotator after another fill up to five reservations and answer
the first, and fails above the limits at the 95th percentile, or when a claim or a submission takes
more than six queries. Permission checks, draws by lot, hidden gold, items that wait for a senior,
and texts that people have seen elsewhere are included. With ``--plans`` it prints how the database
finds what a claim takes.
"""

import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from typing import Any, TypeVar

from bench._database import database

CLAIM_LIMIT_MS = 50.0
SUBMIT_LIMIT_MS = 150.0
MOST_QUERIES = 6
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
UPDATE curation_reviewitem SET queue = 'gold' WHERE id %% 50000 = 0;
UPDATE curation_reviewitem SET for_senior = true, routed = 'split' WHERE id %% 50 = 1;
INSERT INTO curation_exposure (sample_id, user_id, at)
SELECT n, u.id, %(now)s FROM generate_series(1, %(items)s, 997) AS n CROSS JOIN core_user u;
ANALYZE;
"""


def main() -> int:
    """Measure and judge; 1 above the limit."""
    claims: list[tuple[float, int]] = []
    submits: list[tuple[float, int]] = []
    with database():
        from django.db import connection  # noqa: PLC0415 settings exist only now

        from curation.models import Membership  # noqa: PLC0415
        from curation.review import engine, services  # noqa: PLC0415
        from curation.review.mixing import GOLD, SHARES, Drawn, Lot  # noqa: PLC0415
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
        for number, user in enumerate(users):
            role = "annotator" if number % 10 else "senior"
            Membership.objects.create(project=project, user=user, role=role)
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
        if "--plans" in sys.argv:
            asking = engine.Asking(
                project.pk, users[1].pk, is_senior=False, queues=[*SHARES, GOLD], limit=5
            )
            drawn = Drawn({"disputed": 2, "gold": 1}, (Lot(0.5, 0.5),))
            engine.release(project_id=project.pk, user_id=users[1].pk, items=[*range(ITEMS)])
            with connection.execute_wrapper(_explaining):
                engine.free(asking=asking, now=now)
                engine.claim(asking=asking, drawn=drawn, now=now)
        connection.close()
    return _judge("claim", claims, CLAIM_LIMIT_MS) | _judge("submit", submits, SUBMIT_LIMIT_MS)


def _clocked(call: Callable[[], Result], into: list[tuple[float, int]]) -> Result:
    """Call it; how long it took, in ms, and how many queries."""
    from django.db import connection  # noqa: PLC0415 settings exist only now

    queries = 0

    def counting(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal queries
        queries += "SAVEPOINT" not in sql
        return execute(sql, params, many, context)

    started = time.perf_counter()
    with connection.execute_wrapper(counting):
        result = call()
    into.append(((time.perf_counter() - started) * 1000, queries))
    return result


def _explaining(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    """Print the plan of the last statement in ``sql`` before it is run."""
    *before, last = sql.split(";\n")
    if before:
        execute(";\n".join(before), params, many, context)
    execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {last}", params, many, context)
    print(*(f"    {row[0]}" for row in context["cursor"].fetchall()), sep="\n")
    return execute(sql, params, many, context)


def _judge(name: str, measured: list[tuple[float, int]], limit: float) -> int:
    cuts = quantiles([ms for ms, _ in measured], n=100)
    most = max(queries for _, queries in measured)
    is_fine = cuts[94] <= limit and most <= MOST_QUERIES
    print(
        f"  {name} at {ITEMS:,} open items: p50 {cuts[49]:.1f} ms, p95 {cuts[94]:.1f} ms; "
        f"limit {limit:.0f} ms; at most {most} queries, limit {MOST_QUERIES}: "
        f"{'ok' if is_fine else 'MISSED'}",
        flush=True,
    )
    return int(not is_fine)


if __name__ == "__main__":
    sys.exit(main())
