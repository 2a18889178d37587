-- predictions --
-- How often this text was classified, and the newest answers. A text that everyone sends may have
-- a million; as many as a page can sort are looked at, of the newest partitions first.
SELECT p.id::text AS id, p.label, p.confidence, p.model_version, p.arm, p.is_audit, p.is_external,
    p.created_at, src.name AS source
FROM (
    SELECT * FROM curation_prediction
    WHERE project_id = %(project)s AND content_hash = %(hash)s
    LIMIT %(bound)s
) p
LEFT JOIN curation_source src ON src.id = p.source_id
ORDER BY p.id DESC LIMIT %(most)s;

-- served --
-- How often each version gave which answer to this text, counted as far as the statement above.
SELECT p.model_version, p.label, count(*) AS n
FROM (
    SELECT model_version, label FROM curation_prediction
    WHERE project_id = %(project)s AND content_hash = %(hash)s
    LIMIT %(bound)s
) p
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2;

-- thumbs --
-- What users said of this text, the newest first, whether it counts or not.
SELECT o.feedback_id::text AS feedback_id, o.state, o.suggested_label, o.is_disputed, o.reasons,
    f.event_id, f.rating, f.corrected_label, f.predicted_label, f.model_version, f.comment,
    coalesce(f.received_at, o.digested_at) AS received_at, src.name AS source,
    left(encode(o.subject_hash, 'hex'), 8) AS subject
FROM curation_feedbackoutcome o
LEFT JOIN curation_feedback f ON f.id = o.feedback_id
LEFT JOIN curation_source src ON src.id = f.source_id
WHERE o.sample_id = %(sample)s
ORDER BY o.feedback_id DESC LIMIT %(most)s;

-- siblings --
-- Other texts of its cluster, the oldest first.
SELECT s.id, left(s.text, 200) AS text, l.value AS label
FROM curation_sample s
LEFT JOIN curation_label l ON l.sample_id = s.id AND l.is_current
WHERE s.cluster_id = %(cluster)s AND s.id <> %(sample)s
ORDER BY s.id LIMIT %(most)s;
