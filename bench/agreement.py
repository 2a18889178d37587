"""Annotators' records and agreement at a million answers, in one project.

``python -m bench.agreement`` lets fifty annotators answer 400,000 texts two or three times each,
works their records out, weighs one window of labels anew, looks again with nothing new, and reads
agreement by queue as a page does. It fails above the limits.
"""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bench._database import database

SAMPLES = 400_000
ANNOTATORS = 50
RECORDS_LIMIT_S = 30.0
WINDOW_LIMIT_S = 10.0
IDLE_LIMIT_S = 0.05
PAGE_LIMIT_S = 1.0

# Annotator n is right in 95 of a hundred, less for every further one, down to 70.
SEED = """
INSERT INTO curation_cluster (project_id, split, created_at) VALUES (%(project)s, 'train', %(now)s);
INSERT INTO curation_sample (id, project_id, cluster_id, text, language, content_hash, origin,
    created_at)
SELECT n, %(project)s, (SELECT max(id) FROM curation_cluster), 'text number ' || n,
    'en', sha256(n::text::bytea), 'pool', %(now)s
FROM generate_series(1, %(samples)s) AS n;
INSERT INTO curation_reviewitem (id, project_id, sample_id, queue, status, priority, needed, taken,
    done, skips, why, model_version, created_at)
SELECT n, %(project)s, n, (ARRAY['disputed', 'uncertain', 'audit'])[1 + n %% 3], 'done',
    0, 3, 3, 3, 0, '{}', 'v1', %(now)s
FROM generate_series(1, %(samples)s) AS n;
INSERT INTO curation_annotation (item_id, sample_id, user_id, kind, value, skip_reason, note,
    is_blind, is_extra, submission_key, submitted_at)
SELECT s.n, s.n, u.id, 'label',
    (ARRAY['bad', 'good'])[1 + CASE WHEN random() < 0.95 - 0.005 * u.position
        THEN s.n %% 2 ELSE 1 - s.n %% 2 END],
    '', '', true, false, gen_random_uuid(), %(now)s
FROM generate_series(1, %(samples)s) AS s (n)
CROSS JOIN generate_series(0, 2) AS k (k)
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS position FROM core_user) u
    ON u.position = (s.n * 7 + k.k * (1 + s.n %% 13)) %% %(annotators)s
WHERE k.k < 2 + s.n %% 2;
INSERT INTO curation_label (sample_id, value, origin, quality, reasons, is_current, created_at)
SELECT n, 'good', 'annotation', 0.95, '[]', true, %(now)s
FROM generate_series(1, %(samples)s) AS n;
INSERT INTO curation_labelevidence (label_id, annotation_id)
SELECT DISTINCT ON (l.id) l.id, a.id
FROM curation_label l JOIN curation_annotation a USING (sample_id) ORDER BY l.id, a.id;
ANALYZE;
"""


def main() -> int:
    """Measure and judge; 1 above a limit."""
    with database():
        from django.db import connection  # noqa: PLC0415 settings exist only now

        from curation.models import AgreementState, Annotation  # noqa: PLC0415
        from curation.review.agreement.queries import agreement_rows  # noqa: PLC0415
        from curation.review.agreement.refresh import refresh  # noqa: PLC0415
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
        User.objects.bulk_create(User(username=f"annotator-{n}") for n in range(ANNOTATORS))
        with connection.cursor() as cursor:
            cursor.execute("SELECT setseed(0.5)")
            cursor.execute(
                SEED,
                {
                    "project": project.pk,
                    "samples": SAMPLES,
                    "annotators": ANNOTATORS,
                    "now": now,
                },
            )
        print(f"  {Annotation.objects.count():,} answers of {ANNOTATORS} annotators")
        at = now + timedelta(minutes=5)
        # The first tick works out and weighs the first window; the second weighs the next one.
        first = _seconds(lambda: refresh(now=at))
        window = _seconds(lambda: refresh(now=at))
        AgreementState.objects.update(weighed_to=None)
        idle = _seconds(lambda: refresh(now=at + timedelta(minutes=5)))
        page = _seconds(lambda: agreement_rows(project=project, by="queue"))
        connection.close()
    return (
        _judge("records worked out", first - window, RECORDS_LIMIT_S)
        | _judge("one window of labels weighed", window, WINDOW_LIMIT_S)
        | _judge("a tick without news", idle, IDLE_LIMIT_S)
        | _judge("agreement by queue", page, PAGE_LIMIT_S)
    )


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _judge(name: str, seconds: float, limit: float) -> int:
    verdict = "ok" if seconds <= limit else "MISSED"
    print(f"  {name}: {seconds:.3f} s; limit {limit:.2f} s: {verdict}", flush=True)
    return int(seconds > limit)


if __name__ == "__main__":
    sys.exit(main())
