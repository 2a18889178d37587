-- voices --
-- The latest counted voices about each sample. A subject who judged several predictions of one
-- text speaks once, by the latest; without a subject the prediction is the voice.
SELECT wanted.sample_id, latest.feedback_id::text, latest.suggested, latest.contradicts,
    f.predicted_label AS predicted, f.confidence, f.model_version, f.prediction_id::text,
    f.project_id, f.source_id, f.subject_hash
FROM unnest(%(samples)s::bigint[]) AS wanted (sample_id)
CROSS JOIN LATERAL (
    SELECT DISTINCT ON (who) recent.feedback_id, recent.suggested, recent.contradicts
    FROM (
        SELECT o.feedback_id, o.suggested_label AS suggested, o.is_disputed AS contradicts,
            coalesce(o.subject_hash, uuid_send(o.prediction_id), uuid_send(o.feedback_id)) AS who
        FROM curation_feedbackoutcome o
        WHERE o.sample_id = wanted.sample_id AND o.state = 'counted'
        ORDER BY o.feedback_id DESC LIMIT %(most)s
    ) recent
    ORDER BY who, recent.feedback_id DESC
) latest
JOIN curation_feedback f ON f.id = latest.feedback_id
ORDER BY wanted.sample_id, latest.feedback_id DESC;
