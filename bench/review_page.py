"""The review page: from a key to the next text on the screen, and precedents at a million answers.

``python -m bench.review_page`` first works a queue by keyboard in a real Chromium against the web
server as production starts it, at the speed of the network and with half a second added to every
request; then looks for the precedents of texts in an index of a million. Fails above the limits at
the 95th percentile.
"""

import sys
import time
from datetime import UTC, datetime
from random import Random
from statistics import quantiles

from playwright.sync_api import Page, sync_playwright

from bench._database import database
from bench._web import web_server
from tests.chromium import system_chromium

KEY_LIMIT_MS = 100.0
PRECEDENT_LIMIT_MS = 30.0
TURNS = 60
SLOW_MS = 500
# Half a second an answer and five texts ahead: faster typing than this waits for the network.
TYPING_MS = 250
ANSWERED = 1_000_000
VOCABULARY = 50_000
LOOKS = 200
LENGTH = 10
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

# From the key to the frame after the one that shows the next text.
MEASURE = """() => {
    window.times = [];
    let pressed = null;
    addEventListener("keydown", () => { pressed = performance.now(); }, true);
    new MutationObserver(() => {
        if (pressed === null) return;
        const since = pressed;
        pressed = null;
        requestAnimationFrame(() => {
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () => window.times.push(performance.now() - since);
            port2.postMessage(0);
        });
    }).observe(document.getElementById("text"), { childList: true, characterData: true });
}"""

QUEUE = """
INSERT INTO curation_cluster (project_id, split, created_at) VALUES (%(project)s, 'train', %(now)s);
INSERT INTO curation_sample (id, project_id, cluster_id, text, language, content_hash, origin,
    created_at)
SELECT -n, %(project)s, (SELECT max(id) FROM curation_cluster), 'waiting text number ' || n, '',
    sha256((-n)::text::bytea), 'pool', %(now)s
FROM generate_series(1, %(items)s) AS n;
INSERT INTO curation_reviewitem (project_id, sample_id, queue, status, priority, needed, taken,
    done, skips, why, model_version, created_at)
SELECT %(project)s, id, 'uncertain', 'open', 0.5, 1, 0, 0, 0, '{}', '', %(now)s
FROM curation_sample WHERE id < 0;
"""

# Words as often as in prose: the n-th most frequent one in proportion to 1/n.
# Ten million checks of the words' foreign key would take longer than the bench.
ANSWERS = """
DO $$
DECLARE key text;
BEGIN
    FOR key IN SELECT conname FROM pg_constraint
        WHERE conrelid = 'curation_precedentword'::regclass AND contype = 'f'
    LOOP EXECUTE format('ALTER TABLE curation_precedentword DROP CONSTRAINT %%I', key);
    END LOOP;
END $$;
SET work_mem = '256MB';
CREATE TEMP TABLE spoken AS
SELECT * FROM unnest(%(words)s::text[], %(hashes)s::bigint[]) WITH ORDINALITY AS t (word, hash, n);
ANALYZE spoken;
CREATE TEMP TABLE said AS
SELECT sample, spoken.word, spoken.hash
FROM (
    SELECT sample, floor(exp(random() * ln(%(vocabulary)s)))::bigint AS n
    FROM generate_series(1, %(answered)s) AS sample, generate_series(1, %(length)s)
) drawn JOIN spoken USING (n);
INSERT INTO curation_sample (id, project_id, text, language, content_hash, origin, created_at)
SELECT sample, %(project)s, string_agg(word, ' '), '', sha256(sample::text::bytea), 'pool', %(now)s
FROM said GROUP BY sample;
INSERT INTO curation_label (sample_id, value, origin, quality, reasons, is_current, created_at)
SELECT sample, 'good', 'annotation', 0.95, '[]', true, %(now)s
FROM generate_series(1, %(answered)s) AS sample;
INSERT INTO curation_precedentword (project_id, word, sample_id)
SELECT DISTINCT %(project)s::integer, hash, sample FROM said;
DROP TABLE said, spoken;
ANALYZE curation_sample, curation_label, curation_precedentword, curation_reviewitem;
"""


def main() -> int:
    """Measure and judge; 1 above a limit."""
    with database():
        from django.db import connection  # noqa: PLC0415 settings exist only now

        from curation.services import LabelSpec, create_project  # noqa: PLC0415

        project = create_project(
            slug="bench",
            name="Bench",
            labels=[LabelSpec("bad", "#dc2626", "1"), LabelSpec("good", "#16a34a", "2")],
            guideline="",
            created_by=None,
            is_demo=False,
            now=datetime.now(UTC),
        )
        with connection.cursor() as cursor:
            params = {"project": project.pk, "items": 3 * TURNS, "now": datetime.now(UTC)}
            cursor.execute(QUEUE, params)
        missed = _keys(session=_annotators_session(project))
        missed |= _precedents(project)
        connection.close()
    return missed


def _annotators_session(project: object) -> str:
    from django.test import Client  # noqa: PLC0415

    from curation.models import Membership  # noqa: PLC0415
    from feedbackhub.core.models import User  # noqa: PLC0415

    user = User.objects.create(username="annotator")
    Membership.objects.create(project=project, user=user, role="annotator")
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


def _keys(*, session: str) -> int:
    with web_server() as port, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=system_chromium(), args=FLAGS)
        page = browser.new_page()
        home = f"http://127.0.0.1:{port}"
        page.context.add_cookies([{"name": "sessionid", "value": session, "url": home}])
        page.goto(f"{home}/review/bench/")
        page.locator("#work").wait_for()
        page.evaluate(MEASURE)
        quick = _worked(page, pause_ms=50)
        network = page.context.new_cdp_session(page)
        slow = {"offline": False, "latency": SLOW_MS, "downloadThroughput": -1}
        network.send("Network.enable")
        network.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
        late = _worked(page, pause_ms=TYPING_MS)
        browser.close()
    return _judge("key to next text", quick, KEY_LIMIT_MS) | _judge(
        f"key to next text, {SLOW_MS} ms of latency", late, KEY_LIMIT_MS
    )


def _worked(page: Page, *, pause_ms: int) -> list[float]:
    """Answer one text after another, each once it is there; milliseconds from key to next text."""
    page.evaluate("window.times.length = 0")
    for turn in range(1, TURNS + 1):
        page.keyboard.press("2")
        while page.evaluate("window.times.length") < turn:
            page.wait_for_timeout(5)
        page.wait_for_timeout(pause_ms)
    times: list[float] = page.evaluate("window.times")
    return times


def _precedents(project: object) -> int:
    from django.db import connection  # noqa: PLC0415

    from curation.models import Project  # noqa: PLC0415
    from curation.review.likeness import word_hashes  # noqa: PLC0415
    from curation.review.precedents import precedents_of  # noqa: PLC0415

    assert isinstance(project, Project)
    words = [f"word{n}" for n in range(1, VOCABULARY + 1)]
    params = {
        "project": project.pk,
        "words": words,
        "hashes": [word_hashes([word])[0] for word in words],
        "vocabulary": VOCABULARY,
        "answered": ANSWERED,
        "length": LENGTH,
        "now": datetime.now(UTC),
    }
    with connection.cursor() as cursor:
        cursor.execute(ANSWERS, params)
        # As autovacuum does after many inserts: without it each word is looked up in the table too.
        cursor.execute("VACUUM ANALYZE curation_precedentword")
    random = Random(7)
    times: list[float] = []
    found = 0
    for _ in range(LOOKS):
        text = " ".join(words[int(VOCABULARY ** random.random()) - 1] for _ in range(LENGTH))
        started = time.perf_counter()
        found += len(precedents_of(project=project, sample_id=0, text=text))
        times.append((time.perf_counter() - started) * 1000)
    print(f"  {found / LOOKS:.1f} precedents a text on average", flush=True)
    return _judge(f"precedents among {ANSWERED:,} answered texts", times, PRECEDENT_LIMIT_MS)


def _judge(name: str, times: list[float], limit: float) -> int:
    cuts = quantiles(times, n=100)
    verdict = "ok" if cuts[94] <= limit else "MISSED"
    print(
        f"  {name}: p50 {cuts[49]:.1f} ms, p95 {cuts[94]:.1f} ms; limit {limit:.0f} ms: {verdict}",
        flush=True,
    )
    return int(cuts[94] > limit)


if __name__ == "__main__":
    sys.exit(main())
