-- claim_landed --
-- Take a batch of events nobody is digesting. The rows stay locked until the batch is done, so that
-- other workers pass over them, and are deleted by the same transaction: a crash leaves them. What
-- was set aside waits for its next try.
SELECT id::text, kind, project_id FROM curation_landed
WHERE retry_at IS NULL OR retry_at <= %(now)s
ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED;

-- set_aside --
-- Events that cannot be digested as things stand, with the reason; tried again after one minute,
-- then four, then sixteen, at last every six hours.
UPDATE curation_landed SET failures = failures + 1, error = %(error)s,
    retry_at = %(now)s + least(interval '1 minute' * power(4, least(failures, 6)), interval '6 hours')
WHERE id = ANY (%(ids)s::uuid[]);

-- predictions --
-- The predictions of a batch that ask for work.
SELECT id::text, project_id, text, content_hash, is_audit, model_version
FROM curation_prediction
WHERE id = ANY (%(ids)s::uuid[]) AND text IS NOT NULL
ORDER BY id;

-- feedback --
-- The feedback of a batch with the text it judges, as far as that is known and not erased. Events
-- digested before (landed again by a replay) are left out: once is enough.
SELECT f.id::text, f.project_id, f.prediction_id::text, f.subject_hash, f.rating, f.corrected_label,
    f.predicted_label, f.quarantine_reasons, p.text, p.content_hash,
    coalesce(p.is_audit, false) AS is_audit, f.comment
FROM curation_feedback f
LEFT JOIN curation_prediction p ON p.id = f.prediction_id AND p.project_id = f.project_id
WHERE f.id = ANY (%(ids)s::uuid[])
    AND NOT EXISTS (SELECT 1 FROM curation_feedbackoutcome o WHERE o.feedback_id = f.id)
ORDER BY f.id;

-- lock_samples --
-- One digest (or annotator) at a time for each sample, always in this order. Voices on one
-- prediction share its sample, so supersession needs no lock of its own.
SELECT id FROM curation_sample WHERE id = ANY (%(samples)s::bigint[])
ORDER BY id FOR NO KEY UPDATE;

-- standing_voices --
-- Who has spoken on these predictions so far; a statement of its own, read under the locks.
SELECT prediction_id::text, subject_hash, feedback_id::text, sample_id
FROM curation_feedbackoutcome
WHERE state = 'counted' AND subject_hash IS NOT NULL
    AND prediction_id = ANY (%(predictions)s::uuid[]);

-- supersede --
-- Earlier voices give way to later ones.
UPDATE curation_feedbackoutcome o SET state = 'superseded', superseded_by = n.by_id
FROM unnest(%(earlier)s::uuid[], %(later)s::uuid[]) AS n (id, by_id)
WHERE o.feedback_id = n.id AND o.state = 'counted';

-- insert_outcomes --
-- What the batch learned about its feedback.
INSERT INTO curation_feedbackoutcome
    (feedback_id, project_id, prediction_id, subject_hash, sample_id, state, superseded_by,
     suggested_label, is_disputed, reasons, rule, comment_hash, digested_at)
SELECT n.*, %(now)s
FROM unnest(%(ids)s::uuid[], %(projects)s::bigint[], %(predictions)s::uuid[],
            %(subjects)s::bytea[], %(samples)s::bigint[], %(states)s::text[],
            %(superseded_by)s::uuid[], %(suggested)s::text[], %(disputed)s::boolean[],
            %(reasons)s::jsonb[], %(rules)s::text[], %(comments)s::bytea[]) AS n
ORDER BY 1;

-- release_outcomes --
-- What events say that a person has released; no rule catches them again.
UPDATE curation_feedbackoutcome o SET
    sample_id = n.sample_id, state = n.state, superseded_by = n.superseded_by,
    suggested_label = n.suggested, is_disputed = n.disputed, reasons = n.reasons,
    comment_hash = n.comment_hash, rule = n.rule, is_cleared = true, digested_at = %(now)s
FROM unnest(%(ids)s::uuid[], %(projects)s::bigint[], %(predictions)s::uuid[],
            %(subjects)s::bytea[], %(samples)s::bigint[], %(states)s::text[],
            %(superseded_by)s::uuid[], %(suggested)s::text[], %(disputed)s::boolean[],
            %(reasons)s::jsonb[], %(rules)s::text[], %(comments)s::bytea[])
    AS n (feedback_id, project_id, prediction_id, subject_hash, sample_id, state, superseded_by,
          suggested, disputed, reasons, rule, comment_hash)
WHERE o.feedback_id = n.feedback_id AND o.state IN ('quarantined', 'rejected');

-- held_feedback --
-- Events that are held back or were rejected, as the digest reads them; those of one project.
SELECT f.id::text, f.project_id, f.prediction_id::text, f.subject_hash, f.rating, f.corrected_label,
    f.predicted_label, '[]' AS quarantine_reasons, p.text, p.content_hash,
    coalesce(p.is_audit, false) AS is_audit, f.comment
FROM curation_feedbackoutcome o
JOIN curation_feedback f ON f.id = o.feedback_id
LEFT JOIN curation_prediction p ON p.id = f.prediction_id AND p.project_id = f.project_id
WHERE o.feedback_id = ANY (%(ids)s::uuid[]) AND o.project_id = %(project)s
    AND o.state IN ('quarantined', 'rejected')
ORDER BY f.id;

-- screening_due --
-- The rules are to look at what was counted.
INSERT INTO curation_screeningdue (project_id, feedback_ids)
SELECT n.project_id, array_agg(n.id ORDER BY n.id)
FROM unnest(%(projects)s::bigint[], %(ids)s::uuid[]) AS n (project_id, id)
GROUP BY 1 ORDER BY 1;

-- delete_landed --
-- The batch is done.
DELETE FROM curation_landed WHERE id = ANY (%(ids)s::uuid[]);

-- review_state --
-- What review knows of these samples.
SELECT s.id AS sample_id,
    EXISTS (
        SELECT 1 FROM curation_reviewitem i
        WHERE i.sample_id = s.id AND i.queue = 'audit' AND i.status = 'open'
    ) AS is_audited,
    EXISTS (
        SELECT 1 FROM curation_reviewitem i
        WHERE i.sample_id = s.id AND i.queue = 'audit'
            AND (i.status <> 'closed' OR i.skips >= 2)
    ) AS is_asked,
    EXISTS (
        SELECT 1 FROM curation_reviewitem i
        WHERE i.sample_id = s.id AND i.status = 'closed' AND i.skips >= 2
    ) AS is_dismissed
FROM curation_sample s
WHERE s.id = ANY (%(samples)s::bigint[]);

-- project_facts --
-- The labels and the audit share of the projects of a batch.
SELECT p.id, coalesce(policy.audit_share, 0) AS audit_share,
    ARRAY(
        SELECT o.name::text FROM curation_labeloption o
        WHERE o.project_id = p.id ORDER BY o.position, o.id
    ) AS labels
FROM curation_project p
LEFT JOIN curation_curationpolicy policy ON policy.project_id = p.id
WHERE p.id = ANY (%(projects)s::bigint[]);
