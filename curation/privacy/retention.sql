-- partitions --
-- The monthly partitions of an event table whose name says their month, the oldest first.
SELECT c.relname AS name, pg_total_relation_size(c.oid) AS bytes
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = %(table)s::regclass AND c.relname ~ '_y\d{4}m\d{2}$'
ORDER BY c.relname;

-- is_awaited --
-- Whether the digest still needs events of a month: to read them, or the predictions they judge.
SELECT EXISTS (
    SELECT 1 FROM curation_landed WHERE id >= %(from)s AND id < %(until)s
) OR EXISTS (
    SELECT 1 FROM curation_landed l JOIN curation_feedback f ON f.id = l.id
    WHERE l.kind = 'feedback' AND f.prediction_id >= %(from)s AND f.prediction_id < %(until)s
) AS is_awaited;

-- blank_default_predictions --
-- A month without a partition cannot be dropped; what its rows tell goes all the same.
UPDATE curation_prediction_default
SET text = NULL, metadata = NULL, subject_hash = NULL, session_hash = NULL
WHERE id IN (
    SELECT id FROM curation_prediction_default p
    WHERE id < %(until)s AND num_nonnulls(text, metadata, subject_hash, session_hash) > 0
        AND NOT EXISTS (SELECT 1 FROM curation_landed l WHERE l.id = p.id)
    ORDER BY id LIMIT %(limit)s
);

-- blank_default_feedback --
-- The same for feedback.
UPDATE curation_feedback_default
SET comment = NULL, metadata = NULL, subject_hash = NULL, session_hash = NULL, address_hash = NULL
WHERE id IN (
    SELECT id FROM curation_feedback_default f
    WHERE id < %(until)s AND num_nonnulls(comment, metadata, subject_hash, session_hash, address_hash) > 0
        AND NOT EXISTS (SELECT 1 FROM curation_landed l WHERE l.id = f.id)
    ORDER BY id LIMIT %(limit)s
);

-- delete_keys --
-- One batch of keys past the window of idempotency.
DELETE FROM curation_feedbackkey WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM curation_feedbackkey WHERE received_at < %(until)s LIMIT %(limit)s
));

-- delete_rejected --
-- One batch of input that nobody has replayed in time.
DELETE FROM curation_rejectedevent WHERE id IN (
    SELECT id FROM curation_rejectedevent WHERE received_at < %(until)s ORDER BY id LIMIT %(limit)s
);

-- delete_minutes --
-- One batch of intake's counts that no page shows any more; the index finds those of each project.
DELETE FROM curation_intakeminute WHERE id IN (
    SELECT old.id FROM curation_project p
    CROSS JOIN LATERAL (
        SELECT m.id FROM curation_intakeminute m
        WHERE m.project_id = p.id AND m.minute < %(until)s ORDER BY m.minute LIMIT %(limit)s
    ) old
    LIMIT %(limit)s
);

-- delete_moves --
-- One batch of steps into and out of quarantine of events that are gone.
DELETE FROM curation_quarantinemove WHERE id IN (
    SELECT m.id FROM curation_quarantinemove m
    WHERE m.feedback_id < %(until)s::uuid
        AND NOT EXISTS (SELECT 1 FROM curation_feedback f WHERE f.id = m.feedback_id)
    ORDER BY m.feedback_id LIMIT %(limit)s
);

-- old_minutes --
-- How many counts are past their time.
SELECT count(*) AS rows FROM curation_intakeminute m
JOIN curation_project p ON p.id = m.project_id AND m.minute < %(until)s;

-- old_keys --
-- How many keys are past the window.
SELECT count(*) AS rows FROM curation_feedbackkey WHERE received_at < %(until)s;

-- old_rejected --
-- How many rejected events are past their time.
SELECT count(*) AS rows FROM curation_rejectedevent WHERE received_at < %(until)s;
