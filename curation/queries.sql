-- labels --
-- Current labels of one split. Trusted ones are imports and blind annotations. What a lead excluded
-- from training is judged on all the same.
SELECT s.id AS sample_id, l.id AS label_id, s.text, l.value, l.quality, l.origin
FROM curation_label l
JOIN curation_sample s ON s.id = l.sample_id
JOIN curation_cluster c ON c.id = s.cluster_id
WHERE s.project_id = %(project)s AND c.split = %(split)s AND l.is_current
    AND (c.split <> 'train' OR NOT EXISTS (
        SELECT 1 FROM curation_trainingexclusion x WHERE x.sample_id = s.id
    ))
    AND s.text IS NOT NULL AND l.quality >= %(min_quality)s
    AND (NOT %(trusted_only)s OR (l.origin <> 'feedback' AND NOT EXISTS (
        SELECT 1 FROM curation_labelevidence e
        JOIN curation_annotation a ON a.id = e.annotation_id
        WHERE e.label_id = l.id AND NOT a.is_blind
    )))
ORDER BY s.id;

-- label_count --
-- How many rows the statement above would return.
SELECT count(*)
FROM curation_label l
JOIN curation_sample s ON s.id = l.sample_id
JOIN curation_cluster c ON c.id = s.cluster_id
WHERE s.project_id = %(project)s AND c.split = %(split)s AND l.is_current
    AND (c.split <> 'train' OR NOT EXISTS (
        SELECT 1 FROM curation_trainingexclusion x WHERE x.sample_id = s.id
    ))
    AND s.text IS NOT NULL AND l.quality >= %(min_quality)s
    AND (NOT %(trusted_only)s OR (l.origin <> 'feedback' AND NOT EXISTS (
        SELECT 1 FROM curation_labelevidence e
        JOIN curation_annotation a ON a.id = e.annotation_id
        WHERE e.label_id = l.id AND NOT a.is_blind
    )));

-- new_label_count --
-- Trainable samples whose current label is younger than a moment; a re-weighed one counts once.
SELECT count(*)
FROM curation_label l
JOIN curation_sample s ON s.id = l.sample_id
JOIN curation_cluster c ON c.id = s.cluster_id
WHERE s.project_id = %(project)s AND c.split = 'train' AND l.is_current
    AND NOT EXISTS (SELECT 1 FROM curation_trainingexclusion x WHERE x.sample_id = s.id)
    AND s.text IS NOT NULL AND l.quality >= %(min_quality)s
    AND (%(since)s::timestamptz IS NULL OR l.created_at > %(since)s);

-- scored_pool --
-- Samples a version has scored, that nobody vouches for and nobody was asked about: the least sure
-- ones up to `head`, then up to `beyond` of the others in random order. One stands for each cluster,
-- the one that came first, and none for a cluster of which any text has a label or was asked about:
-- its answer would teach little more. `size` is how many stand for their clusters.
WITH eligible AS MATERIALIZED (
    SELECT DISTINCT ON (s.cluster_id)
        s.id AS sample_id, score.predicted_label, score.confidence, score.margin, score.entropy
    FROM curation_samplescore score
    JOIN curation_sample s ON s.id = score.sample_id
    JOIN curation_cluster c ON c.id = s.cluster_id
    WHERE score.project_id = %(project)s AND score.model_version = %(version)s
        AND c.split = 'train' AND s.text IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM curation_trainingexclusion x WHERE x.sample_id = s.id)
        AND NOT EXISTS (
            SELECT 1 FROM curation_sample twin
            JOIN curation_label l ON l.sample_id = twin.id
            WHERE twin.cluster_id = s.cluster_id AND l.is_current AND l.quality >= %(min_quality)s
        )
        AND NOT EXISTS (
            SELECT 1 FROM curation_sample twin
            JOIN curation_reviewitem i ON i.sample_id = twin.id
            WHERE twin.cluster_id = s.cluster_id
        )
    ORDER BY s.cluster_id, s.id
),
placed AS MATERIALIZED (
    SELECT eligible.*,
        row_number() OVER (ORDER BY margin, sample_id) AS place, count(*) OVER () AS size,
        hashint8extended(sample_id, %(seed)s::bigint) AS draw
    FROM eligible
),
others AS (
    SELECT sample_id FROM placed WHERE place > %(head)s ORDER BY draw, sample_id LIMIT %(beyond)s
)
SELECT sample_id, predicted_label, confidence, margin, entropy, place > %(head)s AS is_beyond, size
FROM placed
WHERE place <= %(head)s OR sample_id IN (SELECT sample_id FROM others)
ORDER BY is_beyond, CASE WHEN place > %(head)s THEN draw ELSE place END, sample_id;
