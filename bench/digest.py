"""The digest: events a second from landed rows to samples, outcomes, labels and queue items.

``python -m bench.digest`` lands feedback of many subjects on distinct and repeated reviews, a tenth
of it contradicting the model, and audited predictions, then drains it with one worker.
Near-duplicates are found and the quarantine rules asked on the way.
"""

import sys
import time
from datetime import UTC, datetime

from bench._database import database
from feedbackhub.demo.corpus import generate_reviews

FLOOR = 5_000.0
EVENTS = 30_000

SEED = """
INSERT INTO curation_prediction
    (id, project_id, source_id, text, content_hash, label, confidence, model_version, arm,
     programme_group, is_audit, is_external, created_at)
SELECT ('0193' || lpad(to_hex(n), 28, '0'))::uuid, %(project)s, 1, t.text, sha256(t.text::bytea),
    'good', 0.8, 'v1', 'control', '', n %% 50 = 0, false, %(now)s
FROM generate_series(1, %(events)s) AS n
JOIN unnest(%(texts)s::text[]) WITH ORDINALITY AS t (text, place)
    ON t.place = 1 + n %% cardinality(%(texts)s::text[]);
INSERT INTO curation_feedback
    (id, project_id, source_id, event_id, prediction_id, rating, corrected_label, subject_hash,
     predicted_label, confidence, model_version, arm, programme_group, quarantine_reasons,
     received_at)
SELECT ('0194' || lpad(to_hex(n), 28, '0'))::uuid, %(project)s, 1, n::text,
    ('0193' || lpad(to_hex(n), 28, '0'))::uuid, CASE WHEN n %% 10 = 0 THEN 'down' ELSE 'up' END,
    '', decode(lpad(to_hex(n %% 5000), 32, '0'), 'hex'), 'good', 0.8, 'v1', 'control', '', '[]',
    %(now)s
FROM generate_series(1, %(events)s) AS n;
INSERT INTO curation_landed (id, project_id, kind, received_at)
SELECT id, project_id, 'feedback', %(now)s FROM curation_feedback
UNION ALL
SELECT id, project_id, 'prediction', %(now)s FROM curation_prediction WHERE is_audit;
ANALYZE;
"""


def main() -> int:
    """Measure and judge; 1 below the floor."""
    with database():
        from django.db import connection  # noqa: PLC0415 settings exist only now

        from curation.digest.services import drain  # noqa: PLC0415
        from curation.services import LabelSpec, create_project  # noqa: PLC0415

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
        with connection.cursor() as cursor:
            reviews = dict.fromkeys(each.text for each in generate_reviews(n=EVENTS, seed=1))
            texts = list(reviews)[: EVENTS * 4 // 5]
            cursor.execute(
                SEED, {"project": project.pk, "events": EVENTS, "texts": texts, "now": now}
            )
        started = time.perf_counter()
        events = drain(now=now, seconds=600).events
        rate = events / (time.perf_counter() - started)
        connection.close()
    verdict = "ok" if rate >= FLOOR else "MISSED"
    print(f"  {events:,} events, {rate:,.0f} a second; floor {FLOOR:,.0f}: {verdict}")
    return int(rate < FLOOR)


if __name__ == "__main__":
    sys.exit(main())
