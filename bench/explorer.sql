-- seed --
-- A million samples: a few words that everybody uses, and many that hardly anybody does.
INSERT INTO curation_cluster (id, project_id, split, created_at)
SELECT n, %(project)s, CASE WHEN n %% 5 = 0 THEN 'test' WHEN n %% 50 = 1 THEN 'calibrate' ELSE 'train' END,
    %(now)s
FROM generate_series(1, %(samples)s) AS n;
INSERT INTO curation_sample (id, project_id, cluster_id, text, length, language, content_hash, origin,
    created_at)
SELECT n, %(project)s, CASE WHEN n %% 997 = 0 THEN NULL ELSE n END, text.words, char_length(text.words),
    (ARRAY['en', 'en', 'en', 'de', 'fr'])[1 + n %% 5], sha256(n::text::bytea),
    (ARRAY['feedback', 'pool', 'audit', 'import'])[1 + n %% 4],
    %(now)s - make_interval(mins => %(samples)s - n)
FROM generate_series(1, %(samples)s) AS n
CROSS JOIN LATERAL (
    SELECT string_agg('word' || floor(20000 * power(random(), 3))::int, ' ') || ' visit ' || n AS words
    FROM generate_series(1, 14)
    WHERE n > 0
) AS text;
INSERT INTO curation_label (sample_id, value, origin, quality, reasons, is_current, created_at)
SELECT n, CASE WHEN n %% 1000 = 7 THEN 'rare' WHEN n %% 2 = 0 THEN 'good' ELSE 'bad' END,
    (ARRAY['feedback', 'import', 'annotation'])[1 + n %% 3], round((0.5 + random() / 2)::numeric, 2),
    '["An import said so."]', true, %(now)s
FROM generate_series(1, %(samples)s) AS n WHERE n %% 3 <> 0;
INSERT INTO curation_ranking (project_id, version, ranked_at, pending, cursor, n_pool, n_scored, stored)
VALUES (%(project)s, 'v1', %(now)s, '', 0, 0, 0, '{v1}');
INSERT INTO curation_samplescore (project_id, sample_id, model_version, predicted_label, confidence, margin,
    entropy, scored_at)
SELECT %(project)s, n, 'v1', 'good', 0.5, random(), 0.5, %(now)s
FROM generate_series(1, %(samples)s, 3) AS n;
INSERT INTO curation_reviewitem (project_id, sample_id, queue, status, priority, needed, taken, done,
    skips, why, model_version, created_at)
SELECT %(project)s, n, (ARRAY['disputed', 'uncertain', 'audit'])[1 + n %% 3],
    CASE WHEN n %% 40 = 0 THEN 'open' ELSE 'done' END, 0.5, 1, 0, 0, 0, '{}', 'v1', %(now)s
FROM generate_series(1, %(samples)s, 4) AS n;
INSERT INTO curation_disagreement (sample_id, project_id, kinds, strength, evidence, opened_at,
    updated_at, resolved_at)
SELECT n, %(project)s, ARRAY['user_model'], round(random()::numeric, 2), '{}', %(now)s, %(now)s,
    CASE WHEN n %% 2 = 0 THEN %(now)s::timestamptz END
FROM generate_series(1, %(samples)s, 10) AS n;
INSERT INTO curation_feedbackoutcome (feedback_id, project_id, sample_id, state, suggested_label,
    is_disputed, reasons, digested_at)
SELECT gen_random_uuid(), %(project)s, n, 'counted', 'good', n %% 3 = 0, '[]', %(now)s
FROM generate_series(1, %(samples)s, 5) AS n;
SELECT setval(pg_get_serial_sequence('curation_sample', 'id'), %(samples)s),
    setval(pg_get_serial_sequence('curation_cluster', 'id'), %(samples)s);

-- write --
-- Samples with a label, as an import writes them.
WITH made AS (
    INSERT INTO curation_sample (project_id, cluster_id, text, length, language, content_hash, origin,
        created_at)
    SELECT %(project)s, 1, text.words, char_length(text.words), 'en',
        sha256((random()::text || n)::bytea), 'feedback', %(now)s
    FROM generate_series(1, %(rows)s) AS n
    CROSS JOIN LATERAL (
        SELECT string_agg('word' || floor(20000 * power(random(), 3))::int, ' ') || n AS words
        FROM generate_series(1, 14) WHERE n > 0
    ) AS text
    RETURNING id
)
INSERT INTO curation_label (sample_id, value, origin, quality, reasons, is_current, created_at)
SELECT id, 'good', 'feedback', 0.7, '[]', true, %(now)s FROM made;
