-- lock --
-- Before an answer, a skip or an undo: one at a time for each annotator and for each sample. The
-- sample comes before the item in every transaction that locks both, the digest's included. A
-- sweep that is taking the annotator's own lease is waited for, here rather than in the statement
-- that follows: that one must see the slot it freed.
SELECT pg_advisory_xact_lock(%(lock_class)s, %(user)s);
SELECT id FROM curation_lease WHERE item_id = %(item)s AND user_id = %(user)s FOR UPDATE;
SELECT s.id FROM curation_sample s JOIN curation_reviewitem i ON i.sample_id = s.id
WHERE i.id = %(item)s AND i.project_id = %(project)s
FOR NO KEY UPDATE OF s;

-- submit --
-- Take one answer in one statement. It consumes the annotator's lease; without one (it ran out and
-- was swept) it takes a free slot; without a free slot it is kept as an extra opinion. An answer
-- given after the reveal, or after a look at the sample's page, is kept, unblinded, and takes no slot. What was sent before is not taken
-- again. Whether the item is done is decided by its counter: two submitters that each count the
-- answers would each miss the other's. With it come the answers to weigh, this one last, with what
-- is known of who gave them.
WITH item AS MATERIALIZED (
    SELECT i.id, i.sample_id FROM curation_reviewitem i
    WHERE i.id = %(item)s AND i.project_id = %(project)s
        AND NOT EXISTS (
            SELECT 1 FROM curation_annotation
            WHERE user_id = %(user)s
                AND (submission_key = %(key)s OR (item_id = i.id AND undone_at IS NULL))
        )
        AND EXISTS (
            SELECT 1 FROM curation_labeloption
            WHERE project_id = i.project_id AND name = %(value)s
        )
),
lease AS (
    DELETE FROM curation_lease l USING item
    WHERE l.item_id = item.id AND l.user_id = %(user)s
    RETURNING l.item_id
),
facts AS MATERIALIZED (
    SELECT item.id, item.sample_id, EXISTS (SELECT 1 FROM lease) AS had_lease,
        NOT EXISTS (
            SELECT 1 FROM curation_annotation a
            WHERE a.sample_id = item.sample_id AND a.user_id = %(user)s AND a.kind = 'label'
        ) AND NOT EXISTS (
            SELECT 1 FROM curation_exposure e
            WHERE e.sample_id = item.sample_id AND e.user_id = %(user)s
        ) AS is_blind
    FROM item
),
slot AS (
    UPDATE curation_reviewitem i SET
        taken = i.taken + CASE WHEN NOT facts.is_blind THEN -1 WHEN facts.had_lease THEN 0 ELSE 1 END,
        done = i.done + facts.is_blind::int,
        status = CASE WHEN facts.is_blind AND i.done + 1 >= i.needed THEN 'done' ELSE i.status END,
        closed_at = CASE WHEN facts.is_blind AND i.done + 1 >= i.needed THEN %(now)s ELSE i.closed_at END
    FROM facts
    WHERE i.id = facts.id
        AND CASE
            WHEN facts.had_lease THEN true
            ELSE facts.is_blind AND i.status = 'open' AND i.taken < i.needed
        END
    RETURNING i.id, i.status
),
answer AS (
    INSERT INTO curation_annotation
        (item_id, sample_id, user_id, kind, value, skip_reason, note, guideline_id, is_blind,
         is_extra, submission_key, seconds_spent, submitted_at)
    SELECT facts.id, facts.sample_id, %(user)s, 'label', %(value)s, '', %(note)s,
        (SELECT id FROM curation_guideline WHERE project_id = %(project)s
         ORDER BY number DESC LIMIT 1),
        facts.is_blind, facts.is_blind AND NOT EXISTS (SELECT 1 FROM slot), %(key)s, %(seconds)s, %(now)s
    FROM facts
    RETURNING id, is_blind, is_extra
),
due AS (
    -- Who contradicts whom, and whose voice proved right, the digest works out: not in this request.
    INSERT INTO curation_weighingdue (sample_id) SELECT sample_id FROM facts
),
ballots AS (
    SELECT answer.id, %(user)s::bigint AS user_id, %(value)s::text AS value FROM answer
    UNION ALL
    SELECT a.id, a.user_id, a.value FROM facts
    JOIN curation_annotation a ON a.item_id = facts.id
    WHERE a.kind = 'label' AND a.is_blind AND NOT a.is_extra AND a.undone_at IS NULL
)
SELECT answer.id AS annotation_id, facts.sample_id, answer.is_blind, answer.is_extra,
    coalesce((SELECT status FROM slot), '') = 'done' AS is_done,
    (
        SELECT jsonb_agg(jsonb_build_array(b.id, b.user_id, b.value,
            u.is_superuser OR coalesce(m.role = ANY (%(senior_roles)s), false), q.confusion)
            ORDER BY b.id)
        FROM ballots b
        JOIN core_user u ON u.id = b.user_id
        LEFT JOIN curation_membership m ON m.user_id = b.user_id AND m.project_id = %(project)s
        LEFT JOIN curation_annotatorquality q
            ON q.user_id = b.user_id AND q.project_id = %(project)s
    ) AS ballots,
    ARRAY(
        SELECT name::text FROM curation_labeloption WHERE project_id = %(project)s
        ORDER BY position, id
    ) AS labels
FROM answer CROSS JOIN facts;

-- skip --
-- Pass an item on: the slot is free for others, and the item stays away from this annotator. Two
-- annotators who call it spam, or two who call it unclear, close it; leases on it end with it.
WITH item AS MATERIALIZED (
    SELECT i.id, i.sample_id FROM curation_reviewitem i
    WHERE i.id = %(item)s AND i.project_id = %(project)s
        AND NOT EXISTS (
            SELECT 1 FROM curation_annotation
            WHERE user_id = %(user)s
                AND (submission_key = %(key)s OR (item_id = i.id AND undone_at IS NULL))
        )
),
facts AS MATERIALIZED (
    SELECT item.id, item.sample_id, %(reason)s IN ('spam', 'unclear') AND EXISTS (
        SELECT 1 FROM curation_annotation a
        WHERE a.item_id = item.id AND a.kind = 'skip' AND a.undone_at IS NULL
            AND a.skip_reason = %(reason)s
    ) AS is_second
    FROM item
),
lease AS (
    DELETE FROM curation_lease l USING facts
    WHERE l.item_id = facts.id AND (l.user_id = %(user)s OR facts.is_second)
    RETURNING l.item_id
),
slot AS (
    UPDATE curation_reviewitem i SET
        taken = i.taken - (SELECT count(*) FROM lease),
        skips = i.skips + 1,
        status = CASE WHEN facts.is_second AND i.status = 'open' THEN 'closed' ELSE i.status END,
        closed_at = CASE WHEN facts.is_second AND i.status = 'open' THEN %(now)s ELSE i.closed_at END
    FROM facts WHERE i.id = facts.id
    RETURNING i.id, i.status
)
INSERT INTO curation_annotation
    (item_id, sample_id, user_id, kind, value, skip_reason, note, guideline_id, is_blind, is_extra,
     submission_key, seconds_spent, submitted_at)
SELECT facts.id, facts.sample_id, %(user)s, 'skip', '', %(reason)s, %(note)s,
    (SELECT id FROM curation_guideline WHERE project_id = %(project)s ORDER BY number DESC LIMIT 1),
    true, false, %(key)s, %(seconds)s, %(now)s
FROM facts JOIN slot ON slot.id = facts.id
RETURNING id AS annotation_id, (SELECT status FROM slot) = 'closed' AS is_closed;

-- earlier --
-- What this annotator did under this key before, or what of theirs stands on this item.
SELECT a.id AS annotation_id, a.item_id, a.sample_id, a.kind, a.value, a.skip_reason, a.is_blind,
    a.is_extra, a.undone_at IS NOT NULL AS is_undone, a.submission_key = %(key)s AS is_same_key,
    i.status
FROM curation_annotation a JOIN curation_reviewitem i ON i.id = a.item_id
WHERE a.user_id = %(user)s AND i.project_id = %(project)s
    AND (a.submission_key = %(key)s OR (a.item_id = %(item)s AND a.undone_at IS NULL))
ORDER BY is_same_key DESC LIMIT 1;

-- last --
-- What an undo takes back: the newest standing one of the annotator's last answers and skips in
-- the project, or the one with this key.
SELECT recent.id AS annotation_id, recent.item_id, recent.undone_at IS NOT NULL AS is_undone
FROM (
    SELECT a.id, a.item_id, a.undone_at, a.submission_key, a.submitted_at
    FROM curation_annotation a JOIN curation_reviewitem i ON i.id = a.item_id
    WHERE a.user_id = %(user)s AND i.project_id = %(project)s
    ORDER BY a.submitted_at DESC, a.id DESC LIMIT %(depth)s
) recent
WHERE recent.submitted_at >= %(since)s AND CASE
    WHEN %(key)s::uuid IS NULL THEN recent.undone_at IS NULL
    ELSE recent.submission_key = %(key)s::uuid
END
ORDER BY recent.submitted_at DESC, recent.id DESC LIMIT 1;

-- undo --
-- Take an annotation back: its slot is free again and the item open, unless the sample was put
-- into the same queue anew meanwhile. A skip gives its item back to the annotator, blind as
-- before; an answer does not: its annotator has seen what the model and the users said.
WITH taken_back AS (
    UPDATE curation_annotation SET undone_at = %(now)s
    WHERE id = %(annotation)s AND user_id = %(user)s AND undone_at IS NULL
    RETURNING id, item_id, sample_id, kind, value, skip_reason, note,
        kind = 'label' AND is_blind AND NOT is_extra AS had_slot
),
due AS (
    INSERT INTO curation_weighingdue (sample_id) SELECT sample_id FROM taken_back
    WHERE kind = 'label'
),
item AS (
    UPDATE curation_reviewitem i SET
        taken = i.taken - b.had_slot::int,
        done = i.done - b.had_slot::int,
        skips = i.skips - (b.kind = 'skip')::int,
        status = CASE WHEN reopen.yes THEN 'open' ELSE i.status END,
        closed_at = CASE WHEN reopen.yes THEN NULL ELSE i.closed_at END
    FROM taken_back b
    CROSS JOIN LATERAL (
        SELECT EXISTS (
            SELECT 1 FROM curation_reviewitem was
            WHERE was.id = b.item_id AND (
                (was.status = 'done' AND b.had_slot)
                OR (was.status = 'closed' AND b.skip_reason IN ('spam', 'unclear') AND (
                    SELECT count(*) FROM curation_annotation a
                    WHERE a.item_id = was.id AND a.kind = 'skip' AND a.undone_at IS NULL
                        AND a.skip_reason = b.skip_reason
                ) = 2)
            ) AND NOT EXISTS (
                SELECT 1 FROM curation_reviewitem sibling
                WHERE sibling.sample_id = was.sample_id AND sibling.queue = was.queue
                    AND sibling.status = 'open' AND sibling.id <> was.id
            )
        ) AS yes
    ) reopen
    WHERE i.id = b.item_id
    RETURNING i.id, i.status
)
SELECT b.id AS annotation_id, b.item_id, b.sample_id, b.kind, b.value, b.skip_reason, b.note,
    b.had_slot, item.status = 'open' AS is_open
FROM taken_back b JOIN item ON item.id = b.item_id;

-- undone --
-- The payload of an item that was taken back, for its annotator to answer again.
SELECT i.id, s.text, l.expires_at,
    coalesce((SELECT max(number) FROM curation_guideline WHERE project_id = %(project)s), 0)
        AS guideline
FROM curation_reviewitem i
JOIN curation_sample s ON s.id = i.sample_id
LEFT JOIN curation_lease l ON l.item_id = i.id AND l.user_id = %(user)s
WHERE i.id = %(item)s;

-- lease_again --
-- A lease on an undone skip, if a slot is free.
WITH slot AS (
    UPDATE curation_reviewitem SET taken = taken + 1
    WHERE id = %(item)s AND status = 'open' AND taken < needed
        AND NOT EXISTS (
            SELECT 1 FROM curation_lease WHERE item_id = %(item)s AND user_id = %(user)s
        )
    RETURNING id
)
INSERT INTO curation_lease (item_id, user_id, claimed_at, expires_at)
SELECT id, %(user)s, %(now)s, %(now)s + make_interval(secs => coalesce(
            (SELECT lease_seconds FROM curation_curationpolicy WHERE project_id = %(project)s), 300))
FROM slot;

-- widen --
-- Annotators are split: ask one more, up to a limit. Not done after all.
UPDATE curation_reviewitem
SET needed = needed + 1, status = 'open', closed_at = NULL
WHERE id = %(item)s AND status = 'done' AND needed < %(most)s
    AND NOT EXISTS (
        SELECT 1 FROM curation_reviewitem sibling
        WHERE sibling.sample_id = curation_reviewitem.sample_id
            AND sibling.queue = curation_reviewitem.queue AND sibling.status = 'open'
    );

-- settle_siblings --
-- The sample is answered: other queues need not ask, unless someone is already looking. The audit
-- must: its truths would otherwise be short of just the texts that users dispute.
UPDATE curation_reviewitem SET status = 'closed', closed_at = %(now)s
WHERE id IN (
    SELECT id FROM curation_reviewitem
    WHERE sample_id = %(sample)s AND status = 'open' AND taken = 0 AND id <> %(item)s
        AND queue <> 'audit'
    ORDER BY id FOR UPDATE SKIP LOCKED
);

-- reveal --
-- What the submit response shows: the prediction the item came with, or else the one the text came
-- with; the thumbs that count; and what other annotators answered.
SELECT i.queue, i.why, p.label AS predicted, p.confidence, p.model_version,
    coalesce((
        SELECT jsonb_agg(jsonb_build_array(rating, suggested_label, n))
        FROM (
            SELECT f.rating, o.suggested_label, count(*) AS n
            FROM curation_feedbackoutcome o JOIN curation_feedback f ON f.id = o.feedback_id
            WHERE o.sample_id = i.sample_id AND o.state = 'counted'
            GROUP BY f.rating, o.suggested_label ORDER BY f.rating, o.suggested_label
        ) thumbs
    ), '[]') AS votes,
    coalesce((
        SELECT jsonb_agg(jsonb_build_array(username, value))
        FROM (
            SELECT u.username, a.value FROM curation_annotation a JOIN core_user u ON u.id = a.user_id
            WHERE a.sample_id = i.sample_id AND a.kind = 'label' AND a.undone_at IS NULL
                AND a.user_id <> %(user)s
            ORDER BY a.submitted_at, a.id LIMIT 10
        ) others
    ), '[]') AS peers
FROM curation_reviewitem i
JOIN curation_sample s ON s.id = i.sample_id
LEFT JOIN curation_prediction p ON p.id = coalesce(i.prediction_id, s.prediction_id)
WHERE i.id = %(item)s;
