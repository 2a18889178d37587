-- flow --
-- What came in, by stretches of time: minutes, and requests that are not rolled up yet.
SELECT to_timestamp(floor(extract(epoch FROM minute) / %(seconds)s) * %(seconds)s) AS at,
    sum(accepted)::bigint - sum(caught)::bigint AS accepted,
    sum(quarantined)::bigint + sum(caught)::bigint AS quarantined,
    sum(rejected)::bigint AS rejected, sum(duplicates)::bigint AS duplicates
FROM (
    SELECT minute, accepted, quarantined, caught, rejected, duplicates
    FROM curation_intakeminute
    WHERE project_id = %(project)s AND minute >= %(since)s
    UNION ALL
    SELECT received_at, accepted, quarantined, caught, rejected, duplicates
    FROM curation_intaketally
    WHERE project_id = %(project)s AND received_at >= %(since)s
) counts
GROUP BY 1 ORDER BY 1;

-- latest --
-- When the last request came, before the stretch that is shown too; null when none ever did.
SELECT greatest(
    (SELECT max(minute) FROM curation_intakeminute WHERE project_id = %(project)s),
    (SELECT max(received_at) FROM curation_intaketally WHERE project_id = %(project)s)
) AS at;

-- oldest_landed --
-- The event that has waited longest for the digest, but for what is set aside: keys are in order
-- of receipt.
SELECT received_at AS at FROM curation_landed
WHERE project_id = %(project)s AND retry_at IS NULL ORDER BY id LIMIT 1;

-- oldest_landed_of_all --
-- The same, of every project.
SELECT received_at AS at FROM curation_landed WHERE retry_at IS NULL ORDER BY id LIMIT 1;

-- set_aside --
-- Events the digest could not digest: how many, the latest error, and when it tries again.
SELECT count(*) AS n, (array_agg(error ORDER BY failures DESC, id))[1] AS error,
    min(retry_at) AS retry_at
FROM curation_landed WHERE project_id = %(project)s AND retry_at IS NOT NULL;

-- held_by --
-- Why events of the last day are held back.
SELECT rule AS code, count(*) AS n
FROM curation_feedbackoutcome
WHERE project_id = %(project)s AND state IN ('quarantined', 'rejected')
    AND feedback_id >= %(since_id)s::uuid
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(most)s;

-- rejected_by --
-- Why requests of the last day were refused. What follows a colon differs from one to the next.
SELECT split_part(coalesce(nullif(reasons -> 0 ->> 'message', ''), 'no reason'), ':', 1) AS code,
    count(*) AS n
FROM curation_rejectedevent
WHERE project_id = %(project)s AND received_at >= %(since)s
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(most)s;

-- held --
-- Held or rejected events, the latest first, with what a person needs to decide.
SELECT o.feedback_id::text AS feedback_id, o.state, o.rule, o.reasons ->> 0 AS reason,
    f.received_at, f.rating, f.corrected_label, f.predicted_label, f.comment, s.name AS source,
    left(encode(f.subject_hash, 'hex'), 8) AS subject, p.text
FROM curation_feedbackoutcome o
JOIN curation_feedback f ON f.id = o.feedback_id
LEFT JOIN curation_source s ON s.id = f.source_id
LEFT JOIN curation_prediction p ON p.id = f.prediction_id AND p.project_id = f.project_id
WHERE o.project_id = %(project)s AND o.state = %(state)s
    AND (%(rule)s = '' OR o.rule = %(rule)s)
    AND (%(before)s::uuid IS NULL OR o.feedback_id < %(before)s::uuid)
ORDER BY o.feedback_id DESC LIMIT %(most)s;

-- held_ids --
-- All of them, as many as one decision takes.
SELECT feedback_id::text AS feedback_id
FROM curation_feedbackoutcome
WHERE project_id = %(project)s AND state = %(state)s AND (%(rule)s = '' OR rule = %(rule)s)
ORDER BY feedback_id DESC LIMIT %(most)s;

-- held_counts --
-- How many wait by rule, and how many were rejected.
SELECT state, rule, count(*) AS n
FROM curation_feedbackoutcome
WHERE project_id = %(project)s AND state IN ('quarantined', 'rejected')
GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2;
