-- lock_samples_of --
-- Whoever weighs the samples of these events waits, and is waited for, in this order.
SELECT id FROM curation_sample
WHERE id IN (
    SELECT sample_id FROM curation_feedbackoutcome WHERE feedback_id = ANY (%(ids)s::uuid[])
)
ORDER BY id FOR NO KEY UPDATE;

-- quarantine --
-- Hold back what still counts, say why, and count it to the minute in which it came.
WITH caught AS (
    SELECT * FROM unnest(%(ids)s::uuid[], %(rules)s::text[], %(reasons)s::text[])
        AS n (feedback_id, rule, reason)
),
held AS (
    UPDATE curation_feedbackoutcome o
    SET state = 'quarantined', rule = caught.rule, reasons = jsonb_build_array(caught.reason)
    FROM caught
    WHERE o.feedback_id = caught.feedback_id AND o.state = 'counted' AND NOT o.is_cleared
    RETURNING o.feedback_id, o.sample_id, caught.rule, caught.reason
),
moves AS (
    INSERT INTO curation_quarantinemove
        (feedback_id, project_id, from_state, to_state, rule, actor, reason, at)
    SELECT feedback_id, %(project)s, 'counted', 'quarantined', rule, %(actor)s, reason, %(now)s
    FROM held ORDER BY feedback_id
),
tallies AS (
    INSERT INTO curation_intaketally
        (project_id, source_id, received_at, accepted, quarantined, caught, rejected, duplicates)
    SELECT %(project)s, f.source_id, date_trunc('minute', f.received_at, 'UTC'), 0, 0, count(*),
        0, 0
    FROM held JOIN curation_feedback f ON f.id = held.feedback_id
    GROUP BY 2, 3
)
SELECT feedback_id::text AS feedback_id, sample_id FROM held;

-- lock_held --
-- These events of a project as they stand now, kept so until the decision is made.
SELECT feedback_id::text AS feedback_id, state, rule
FROM curation_feedbackoutcome
WHERE feedback_id = ANY (%(ids)s::uuid[]) AND project_id = %(project)s
ORDER BY curation_feedbackoutcome.feedback_id FOR NO KEY UPDATE;

-- reject --
-- A person confirmed that these never count.
UPDATE curation_feedbackoutcome SET state = 'rejected'
WHERE feedback_id = ANY (%(ids)s::uuid[]) AND state = 'quarantined';

-- record --
-- Who decided what about which event, when and why.
INSERT INTO curation_quarantinemove
    (feedback_id, project_id, from_state, to_state, rule, actor, reason, at)
SELECT n.id, %(project)s, n.from_state, n.to_state, n.rule, %(actor)s, %(reason)s, %(now)s
FROM unnest(%(ids)s::uuid[], %(from)s::text[], %(to)s::text[], %(rules)s::text[])
    AS n (id, from_state, to_state, rule)
ORDER BY 1;
