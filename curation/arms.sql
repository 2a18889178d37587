-- arm_traffic --
-- Predictions of a rollout by arm, apart for those with and without a subject.
SELECT arm, subject_hash IS NOT NULL AS has_subject, count(*) AS predictions,
    CASE WHEN subject_hash IS NOT NULL THEN count(DISTINCT subject_hash) ELSE count(*) END AS units,
    avg(latency_ms) AS latency_mean_ms,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms) AS latency_p50_ms,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms) AS latency_p95_ms
FROM curation_prediction
WHERE rollout_id = %(rollout)s
GROUP BY arm, subject_hash IS NOT NULL
ORDER BY arm, has_subject DESC;

-- arm_feedback --
-- Feedback of a rollout that counts, by arm and by whether the prediction had a subject: a thumb
-- belongs to the stratum of what it judges.
SELECT f.arm, p.subject_hash IS NOT NULL AS has_subject, count(*) AS feedback,
    count(*) FILTER (WHERE f.rating = 'up') AS up,
    count(*) FILTER (WHERE f.rating = 'down') AS down,
    count(*) FILTER (WHERE f.corrected_label NOT IN ('', f.predicted_label)) AS corrections
FROM curation_feedback f
JOIN curation_feedbackoutcome o ON o.feedback_id = f.id AND o.state = 'counted'
JOIN curation_prediction p ON p.id = f.prediction_id
WHERE f.rollout_id = %(rollout)s
GROUP BY f.arm, p.subject_hash IS NOT NULL
ORDER BY f.arm, has_subject DESC;

-- audit_answers --
-- Audited predictions of a rollout with the majority of the blind answers to their text's audit
-- items. A tie is no answer. Answers to disputes are left out: they come first where the model is
-- wrong, while what nobody disputes waits its turn in the audit queue. Those that an audit item has
-- adopted, when its turn came, are the audit's.
SELECT p.arm, p.subject_hash IS NOT NULL AS has_subject, p.id AS prediction_id,
    coalesce(p.subject_hash, uuid_send(p.id)) AS unit,
    p.label AS predicted, truth.value AS truth, truth.answered_at
FROM curation_prediction p
JOIN curation_sample s ON s.project_id = p.project_id AND s.content_hash = p.content_hash
CROSS JOIN LATERAL (
    SELECT min(votes.value) AS value, max(votes.answered_at) AS answered_at
    FROM (
        SELECT a.value, max(a.submitted_at) AS answered_at,
            count(*) AS n, max(count(*)) OVER () AS most
        FROM curation_annotation a
        WHERE a.sample_id = s.id AND a.kind = 'label' AND a.is_blind AND NOT a.is_extra
            AND a.undone_at IS NULL AND EXISTS (
                SELECT 1 FROM curation_reviewitem i
                WHERE i.sample_id = a.sample_id AND i.status = 'done' AND i.queue = 'audit'
                    AND (i.id = a.item_id OR i.is_adopted)
            )
        GROUP BY a.value
    ) votes
    WHERE votes.n = votes.most
    HAVING count(*) = 1
) truth
WHERE p.rollout_id = %(rollout)s AND p.is_audit
ORDER BY p.id;

-- first_thumbs --
-- The first thumb of each unit of one stratum, in order of arrival; quarantined ones never spoke.
SELECT arm, is_bad
FROM (
    SELECT DISTINCT ON (coalesce(p.subject_hash, uuid_send(p.id)))
        f.id, f.arm, f.rating = 'down' AS is_bad
    FROM curation_feedback f
    JOIN curation_feedbackoutcome o ON o.feedback_id = f.id AND o.state <> 'quarantined'
    JOIN curation_prediction p ON p.id = f.prediction_id
    WHERE f.rollout_id = %(rollout)s AND f.arm <> ''
        AND (p.subject_hash IS NOT NULL) = %(has_subject)s
    ORDER BY coalesce(p.subject_hash, uuid_send(p.id)), f.id
) first
ORDER BY id;

-- last_prediction --
-- The latest prediction of a rollout in either arm.
SELECT id FROM curation_prediction
WHERE rollout_id = %(rollout)s AND arm <> ''
ORDER BY id DESC LIMIT 1;
