-- rows --
-- What a page of the explorer shows of each of its samples, in the order given.
SELECT s.id, left(s.text, 300) AS text, s.origin, s.created_at, coalesce(g.split, '') AS split,
    l.value AS label, l.origin AS label_origin, l.quality, c.margin, c.model_version, d.strength,
    coalesce(thumbs.up, 0) AS up, coalesce(thumbs.down, 0) AS down,
    ARRAY(
        SELECT i.queue::text FROM curation_reviewitem i
        WHERE i.sample_id = s.id AND i.status = 'open' ORDER BY i.queue
    ) AS queues
FROM unnest(%(ids)s::bigint[]) WITH ORDINALITY AS wanted (id, place)
JOIN curation_sample s ON s.id = wanted.id
LEFT JOIN curation_cluster g ON g.id = s.cluster_id
LEFT JOIN curation_label l ON l.sample_id = s.id AND l.is_current
LEFT JOIN curation_ranking ranking ON ranking.project_id = s.project_id
LEFT JOIN curation_samplescore c
    ON c.sample_id = s.id AND c.model_version = ranking.version
LEFT JOIN curation_disagreement d ON d.sample_id = s.id AND d.resolved_at IS NULL
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE NOT recent.is_disputed) AS up,
        count(*) FILTER (WHERE recent.is_disputed) AS down
    FROM (
        SELECT o.is_disputed FROM curation_feedbackoutcome o
        WHERE o.sample_id = s.id AND o.state = 'counted'
        ORDER BY o.feedback_id DESC LIMIT 100
    ) recent
) thumbs ON true
ORDER BY wanted.place;
