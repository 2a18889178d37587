-- next_texts --
-- Train samples beyond the cursor without a label worth training on, not scored by this version.
SELECT s.id AS sample_id, s.text
FROM curation_sample s
JOIN curation_cluster c ON c.id = s.cluster_id
WHERE s.project_id = %(project)s AND s.id > %(cursor)s AND c.split = 'train'
    AND s.text IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM curation_samplescore score
        WHERE score.sample_id = s.id AND score.model_version = %(version)s
    )
    AND NOT EXISTS (
        SELECT 1 FROM curation_label l
        WHERE l.sample_id = s.id AND l.is_current AND l.quality >= %(min_quality)s
    )
ORDER BY s.id LIMIT %(limit)s;

-- count_pool --
-- How many such samples there are, and how many of them this version has scored.
SELECT count(*) AS n_pool, count(score.id) AS n_scored
FROM curation_sample s
JOIN curation_cluster c ON c.id = s.cluster_id
LEFT JOIN curation_samplescore score
    ON score.sample_id = s.id AND score.model_version = %(version)s
WHERE s.project_id = %(project)s AND c.split = 'train' AND s.text IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM curation_label l
        WHERE l.sample_id = s.id AND l.is_current AND l.quality >= %(min_quality)s
    );

-- settled --
-- The newest sample that no transaction still running can be older than.
SELECT coalesce(max(id), 0) FROM curation_sample
WHERE project_id = %(project)s AND created_at <= %(until)s;

-- record_scores --
-- One score a sample and version, in the order of the samples so that two writers cannot deadlock.
INSERT INTO curation_samplescore
    (project_id, sample_id, model_version, predicted_label, confidence, margin, entropy, scored_at)
SELECT s.project_id, n.sample_id, %(version)s, n.label, n.confidence, n.margin, n.entropy, %(now)s
FROM unnest(%(samples)s::bigint[], %(labels)s::text[], %(confidences)s::float8[],
            %(margins)s::float8[], %(entropies)s::float8[])
    AS n (sample_id, label, confidence, margin, entropy)
JOIN curation_sample s ON s.id = n.sample_id
ORDER BY n.sample_id
ON CONFLICT (sample_id, model_version) DO UPDATE SET
    predicted_label = excluded.predicted_label, confidence = excluded.confidence,
    margin = excluded.margin, entropy = excluded.entropy, scored_at = excluded.scored_at;

-- doubt_scored --
-- Samples that were served with another label than the version that scored them gives: the digest
-- is to note that versions contradict each other, where it has not.
INSERT INTO curation_weighingdue (sample_id)
SELECT s.id
FROM unnest(%(samples)s::bigint[], %(labels)s::text[]) AS n (sample_id, label)
JOIN curation_sample s ON s.id = n.sample_id
JOIN curation_prediction first ON first.id = s.prediction_id
LEFT JOIN curation_disagreement d ON d.sample_id = s.id AND d.resolved_at IS NULL
WHERE first.label <> n.label AND NOT coalesce('models' = ANY (d.kinds), false)
ORDER BY s.id;

-- rerank_open --
-- Open uncertain items take the priority this version gives them, to two decimals as when they were
-- opened. Those drawn at random stay where they were strewn, and what would not change is left
-- alone: an update rewrites index entries. Locked in the order everyone does.
WITH ranked AS (
    SELECT i.id, round((1 - score.margin)::numeric, 2)::float8 AS priority
    FROM curation_reviewitem i
    JOIN curation_samplescore score
        ON score.sample_id = i.sample_id AND score.model_version = %(version)s
    WHERE i.project_id = %(project)s AND i.queue = 'uncertain' AND i.status = 'open'
        AND i.why ->> 'strategy' IS DISTINCT FROM 'uniform'
        AND i.priority IS DISTINCT FROM round((1 - score.margin)::numeric, 2)::float8
    ORDER BY i.id FOR UPDATE OF i
)
UPDATE curation_reviewitem i SET priority = ranked.priority
FROM ranked WHERE i.id = ranked.id;

-- prune_scores --
-- Part of the scores of a version that nothing is ranked by any more.
DELETE FROM curation_samplescore WHERE id IN (
    SELECT id FROM curation_samplescore
    WHERE project_id = %(project)s AND model_version = %(version)s LIMIT %(limit)s
);
