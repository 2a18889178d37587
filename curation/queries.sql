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

-- unscored_pool --
-- Train samples without a label worth training on, not scored by this version; the newest first,
-- because they are what traffic looks like now.
SELECT s.id AS sample_id, s.text
FROM curation_sample s
JOIN curation_cluster c ON c.id = s.cluster_id
LEFT JOIN curation_samplescore score ON score.sample_id = s.id
WHERE s.project_id = %(project)s AND c.split = 'train' AND s.text IS NOT NULL
    AND score.model_version IS DISTINCT FROM %(version)s
    AND NOT EXISTS (
        SELECT 1 FROM curation_label l
        WHERE l.sample_id = s.id AND l.is_current AND l.quality >= %(min_quality)s
    )
ORDER BY s.id DESC LIMIT %(limit)s;

-- scored_pool --
-- Samples a version is unsure about, that nobody vouches for and nobody was asked about.
SELECT s.id AS sample_id, score.predicted_label, score.margin, score.entropy
FROM curation_samplescore score
JOIN curation_sample s ON s.id = score.sample_id
JOIN curation_cluster c ON c.id = s.cluster_id
WHERE s.project_id = %(project)s AND c.split = 'train' AND s.text IS NOT NULL
    AND score.model_version = %(version)s
    AND NOT EXISTS (
        SELECT 1 FROM curation_label l
        WHERE l.sample_id = s.id AND l.is_current AND l.quality >= %(min_quality)s
    )
    AND NOT EXISTS (
        SELECT 1 FROM curation_reviewitem i
        WHERE i.sample_id = s.id
    )
ORDER BY score.margin, s.id LIMIT %(limit)s;
