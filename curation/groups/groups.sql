-- due --
-- Projects with traffic whose groups were not looked at lately, or were changed since.
SELECT p.id FROM curation_project p
LEFT JOIN curation_groupmeasurement m ON m.project_id = p.id
WHERE (m.id IS NULL OR m.is_stale OR m.measured_at < %(before)s)
    AND EXISTS (SELECT 1 FROM curation_prediction e WHERE e.project_id = p.id AND e.id >= %(since)s)
ORDER BY p.id;

-- size --
-- How many predictions there are to draw from.
SELECT count(*) FROM curation_prediction
WHERE project_id = %(project)s AND id >= %(since)s;

-- drawn --
-- A uniform draw of the predictions the hub served, by a hash of their id, each with its latest
-- counted thumb. Those served elsewhere came with their feedback: how often they are rated says
-- nothing.
SELECT e.text, e.source_id, e.metadata, thumb.rating
FROM curation_prediction e
LEFT JOIN LATERAL (
    SELECT f.rating FROM curation_feedbackoutcome o
    JOIN curation_feedback f ON f.id = o.feedback_id
    WHERE o.prediction_id = e.id AND o.state = 'counted'
    ORDER BY o.feedback_id DESC LIMIT 1
) thumb ON true
WHERE e.project_id = %(project)s AND e.id >= %(since)s AND NOT e.is_external
    AND (hashtext(e.id::text)::bigint & 2147483647) < %(share)s * 2147483648;

-- audited --
-- Audited predictions with the blind answers to their text's audit item, one row for each.
SELECT e.id, e.text, e.source_id, e.metadata, e.label, array_agg(a.value::text) AS answers
FROM curation_reviewitem i
JOIN curation_sample s ON s.id = i.sample_id
JOIN curation_prediction e ON e.project_id = s.project_id AND e.content_hash = s.content_hash
    AND e.is_audit AND e.id >= %(since)s
JOIN curation_annotation a ON a.item_id = i.id AND a.kind = 'label' AND a.is_blind
    AND NOT a.is_extra AND a.undone_at IS NULL
WHERE i.project_id = %(project)s AND i.queue = 'audit' AND i.status = 'done'
GROUP BY e.id;

-- askable --
-- A uniform draw of texts nobody has labelled or is asked about, that may be trained on.
SELECT s.id, s.text, s.metadata, coalesce(e.source_id, 0) AS source_id
FROM curation_sample s
JOIN curation_cluster c ON c.id = s.cluster_id AND c.split = 'train'
LEFT JOIN curation_prediction e ON e.id = s.prediction_id
WHERE s.project_id = %(project)s AND s.text IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM curation_label l
        WHERE l.sample_id = s.id AND l.is_current AND l.quality >= %(min_quality)s
    )
    AND NOT EXISTS (SELECT 1 FROM curation_reviewitem i WHERE i.sample_id = s.id)
ORDER BY hashtext(s.id::text || %(salt)s)
LIMIT %(limit)s;
