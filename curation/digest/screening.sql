-- subject_minutes --
-- Subjects that sent much in one minute. Buckets are cut from the leading 48 bits of UUIDv7 keys,
-- the milliseconds of receipt; a list of subjects keeps the look to what a batch touched.
SELECT encode(subject_hash, 'hex') AS subject,
    ('x' || left(replace(feedback_id::text, '-', ''), 12))::bit(48)::bigint / 60000 AS bucket,
    count(*) AS n
FROM curation_feedbackoutcome
WHERE project_id = %(project)s AND subject_hash IS NOT NULL
    AND feedback_id >= %(since)s::uuid AND feedback_id < %(until)s::uuid
    AND (%(subjects)s::bytea[] IS NULL OR subject_hash = ANY (%(subjects)s::bytea[]))
GROUP BY 1, 2
HAVING count(*) >= %(least)s
ORDER BY 2, 1;

-- address_minutes --
-- Client addresses that sent much in one minute, whatever names they gave; read from the index
-- alone. Only the event holds the address's hash: what is erased there is counted no more.
SELECT encode(address_hash, 'hex') AS address,
    ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 60000 AS bucket,
    count(*) AS n
FROM curation_feedback
WHERE project_id = %(project)s AND address_hash IS NOT NULL
    AND id >= %(since)s::uuid AND id < %(until)s::uuid
    AND (%(addresses)s::bytea[] IS NULL OR address_hash = ANY (%(addresses)s::bytea[]))
GROUP BY 1, 2
HAVING count(*) >= %(least)s
ORDER BY 2, 1;

-- subject_days --
-- Subjects that said much in one day, as far as it says anything: not what they took back, nor
-- what landed with reservations. What annotators and imports say of the same texts is counted too.
SELECT encode(o.subject_hash, 'hex') AS subject,
    ('x' || left(replace(o.feedback_id::text, '-', ''), 12))::bit(48)::bigint / 86400000 AS bucket,
    count(*) AS n,
    count(*) FILTER (WHERE o.is_disputed) AS contrary,
    count(DISTINCT f.predicted_label) FILTER (WHERE o.is_disputed) AS answers,
    count(l.id) AS checked,
    count(l.id) FILTER (WHERE l.value = o.suggested_label) AS confirmed
FROM curation_feedbackoutcome o
JOIN curation_feedback f ON f.id = o.feedback_id
LEFT JOIN curation_label l
    ON l.sample_id = o.sample_id AND l.is_current AND l.origin <> 'feedback'
WHERE o.project_id = %(project)s AND o.subject_hash = ANY (%(subjects)s::bytea[])
    AND o.feedback_id >= %(since)s::uuid AND o.feedback_id < %(until)s::uuid
    AND o.state <> 'superseded' AND (o.rule = '' OR o.rule = ANY (%(statistical)s::text[]))
GROUP BY 1, 2
HAVING count(*) >= %(least)s
ORDER BY 2, 1;

-- busy_subjects --
-- The subjects that said enough in some day for a rule to look at them; read from the index alone.
SELECT DISTINCT subject_hash
FROM (
    SELECT subject_hash
    FROM curation_feedbackoutcome
    WHERE project_id = %(project)s AND subject_hash IS NOT NULL
        AND feedback_id >= %(since)s::uuid AND feedback_id < %(until)s::uuid
        AND (%(subjects)s::bytea[] IS NULL OR subject_hash = ANY (%(subjects)s::bytea[]))
    GROUP BY subject_hash,
        ('x' || left(replace(feedback_id::text, '-', ''), 12))::bit(48)::bigint / 86400000
    HAVING count(*) >= %(least)s
) busy
ORDER BY 1;

-- peers --
-- The latest votes of each day, all together and, for the subjects looked at, each one's part.
SELECT days.bucket, encode(v.subject_hash, 'hex') AS subject, v.n, v.contrary
FROM unnest(%(buckets)s::bigint[], %(starts)s::uuid[], %(ends)s::uuid[]) AS days (bucket, a, b)
CROSS JOIN LATERAL (
    SELECT CASE WHEN latest.subject_hash = ANY (%(subjects)s::bytea[])
            THEN latest.subject_hash END AS subject_hash,
        count(*) AS n, count(*) FILTER (WHERE latest.is_disputed) AS contrary
    FROM (
        SELECT o.subject_hash, o.is_disputed
        FROM curation_feedbackoutcome o
        WHERE o.project_id = %(project)s AND o.feedback_id >= days.a AND o.feedback_id < days.b
            AND o.state <> 'superseded' AND (o.rule = '' OR o.rule = ANY (%(statistical)s::text[]))
        ORDER BY o.feedback_id DESC LIMIT %(most)s
    ) latest
    GROUP BY 1
) v
ORDER BY 1, 2;

-- comment_days --
-- Comments that several subjects sent in one day.
SELECT encode(comment_hash, 'hex') AS comment,
    ('x' || left(replace(feedback_id::text, '-', ''), 12))::bit(48)::bigint / 86400000 AS bucket,
    count(*) AS n, count(DISTINCT subject_hash) AS subjects
FROM curation_feedbackoutcome
WHERE project_id = %(project)s AND comment_hash IS NOT NULL
    AND feedback_id >= %(since)s::uuid AND feedback_id < %(until)s::uuid
    AND (%(comments)s::bytea[] IS NULL OR comment_hash = ANY (%(comments)s::bytea[]))
GROUP BY 1, 2
HAVING count(DISTINCT subject_hash) >= %(least)s
ORDER BY 2, 1;

-- source_minutes --
-- Minutes in which a source sent much, beside the median of its active minutes in the day before.
-- Counts that are not rolled up yet belong to them.
WITH minutes AS MATERIALIZED (
    SELECT source_id, minute, sum(n) AS n
    FROM (
        SELECT source_id, minute, accepted + quarantined AS n
        FROM curation_intakeminute
        WHERE project_id = %(project)s
            AND minute >= %(since)s - interval '1 day' AND minute < %(until)s
        UNION ALL
        SELECT source_id, date_trunc('minute', received_at), accepted + quarantined
        FROM curation_intaketally
        WHERE project_id = %(project)s
            AND received_at >= %(since)s - interval '1 day' AND received_at < %(until)s
    ) counts
    GROUP BY 1, 2
    HAVING sum(n) > 0
)
SELECT m.source_id AS source, (extract(epoch FROM m.minute) / 60)::bigint AS bucket,
    m.n::bigint AS n, coalesce(past.usual, 0)::float8 AS usual, past.active
FROM minutes m
CROSS JOIN LATERAL (
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY earlier.n) AS usual, count(*) AS active
    FROM minutes earlier
    WHERE earlier.source_id = m.source_id
        AND earlier.minute >= m.minute - interval '1 day' AND earlier.minute < m.minute
) past
WHERE m.minute >= %(since)s AND m.n >= %(least)s
ORDER BY 2, 1;

-- members_by_subject --
-- The events of one subject in one stretch of time that a rule can still hold back.
SELECT o.feedback_id::text AS feedback_id, o.state
FROM curation_feedbackoutcome o
WHERE o.project_id = %(project)s AND o.subject_hash = %(key)s
    AND o.feedback_id >= %(since)s::uuid AND o.feedback_id < %(until)s::uuid
    AND NOT o.is_cleared
    AND (o.state = 'counted' OR (%(with_held)s AND o.rule = ANY (%(statistical)s::text[])))
ORDER BY 1;

-- members_by_address --
-- The same, of one client address.
SELECT o.feedback_id::text AS feedback_id, o.state
FROM curation_feedback f
JOIN curation_feedbackoutcome o ON o.feedback_id = f.id
WHERE f.project_id = %(project)s AND f.address_hash = %(key)s
    AND f.id >= %(since)s::uuid AND f.id < %(until)s::uuid
    AND NOT o.is_cleared
    AND (o.state = 'counted' OR (%(with_held)s AND o.rule = ANY (%(statistical)s::text[])))
ORDER BY 1;

-- members_by_comment --
-- The same, of one comment.
SELECT o.feedback_id::text AS feedback_id, o.state
FROM curation_feedbackoutcome o
WHERE o.project_id = %(project)s AND o.comment_hash = %(key)s
    AND o.feedback_id >= %(since)s::uuid AND o.feedback_id < %(until)s::uuid
    AND NOT o.is_cleared
    AND (o.state = 'counted' OR (%(with_held)s AND o.rule = ANY (%(statistical)s::text[])))
ORDER BY 1;

-- members_by_source --
-- The same, of one source.
SELECT o.feedback_id::text AS feedback_id, o.state
FROM curation_feedback f
JOIN curation_feedbackoutcome o ON o.feedback_id = f.id
WHERE f.project_id = %(project)s AND f.source_id = %(key)s
    AND f.id >= %(since)s::uuid AND f.id < %(until)s::uuid
    AND NOT o.is_cleared
    AND (o.state = 'counted' OR (%(with_held)s AND o.rule = ANY (%(statistical)s::text[])))
ORDER BY 1;

-- touched --
-- What rules are to look at after some events were counted.
SELECT o.feedback_id::text AS feedback_id, o.subject_hash, o.comment_hash
FROM curation_feedbackoutcome o
WHERE o.feedback_id = ANY (%(ids)s::uuid[])
ORDER BY 1;

-- touched_addresses --
-- The client addresses, as far as they are known, of some events.
SELECT DISTINCT address_hash FROM curation_feedback
WHERE id = ANY (%(ids)s::uuid[]) AND address_hash IS NOT NULL
ORDER BY 1;

-- claim_due --
-- Counted events no rule has looked at, a few batches at a time; other workers take others.
DELETE FROM curation_screeningdue
WHERE id IN (
    SELECT id FROM curation_screeningdue ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
RETURNING project_id, feedback_ids::text[];

-- texts --
-- The texts judged in one stretch of time, for the rule that reads them; the latest first.
SELECT o.feedback_id::text AS feedback_id, p.text
FROM curation_feedbackoutcome o
JOIN curation_prediction p ON p.id = o.prediction_id
WHERE o.project_id = %(project)s
    AND o.feedback_id >= %(since)s::uuid AND o.feedback_id < %(until)s::uuid
    AND p.project_id = o.project_id AND p.text IS NOT NULL AND NOT o.is_cleared
    AND (o.state = 'counted' OR o.rule = ANY (%(statistical)s::text[]))
ORDER BY o.feedback_id DESC LIMIT %(most)s;
