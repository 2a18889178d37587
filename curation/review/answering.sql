-- lock --
-- Before an answer, a skip or an undo: one at a time for each annotator and for each sample. The
-- sample comes before the item in every transaction that locks both, the digest's included. A
-- sweep that is taking the annotator's own lease is waited for, here rather than in the statement
-- that follows: that one must see the slot it freed. With it comes the person's role.
SELECT pg_advisory_xact_lock(%(lock_class)s, %(user)s);
SELECT id FROM curation_lease WHERE item_id = %(item)s AND user_id = %(user)s FOR UPDATE;
SELECT s.id FROM curation_sample s JOIN curation_reviewitem i ON i.sample_id = s.id
WHERE i.id = %(item)s AND i.project_id = %(project)s
FOR NO KEY UPDATE OF s;
SELECT EXISTS (
        SELECT 1 FROM curation_reviewitem WHERE id = %(item)s AND project_id = %(project)s
    ) AS is_there,
    (SELECT role FROM curation_membership
     WHERE project_id = %(project)s AND user_id = %(user)s) AS role;

-- submit --
-- Take one answer in one statement. It consumes the annotator's lease; without one (it ran out and
-- was swept) it takes a free slot; without a free slot it is kept as an extra opinion. An answer
-- given after the reveal, or after a look at the sample's page, is kept, unblinded, and takes no
-- slot. What was sent before is not taken again. Whether the item has enough is decided afterwards,
-- with all that stands, under the sample's lock.
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
    RETURNING l.item_id, l.draw, l.inclusion_probability
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
        done = i.done + facts.is_blind::int
    FROM facts
    WHERE i.id = facts.id
        AND CASE
            WHEN facts.had_lease THEN true
            ELSE facts.is_blind AND i.status = 'open' AND i.taken < i.needed
                AND i.for_senior <= %(is_senior)s
        END
    RETURNING i.id
),
answer AS (
    INSERT INTO curation_annotation
        (item_id, sample_id, user_id, kind, value, skip_reason, note, guideline_id, is_blind,
         is_extra, submission_key, seconds_spent, draw, inclusion_probability, submitted_at)
    SELECT facts.id, facts.sample_id, %(user)s, 'label', %(value)s, '', %(note)s,
        (SELECT id FROM curation_guideline WHERE project_id = %(project)s
         ORDER BY number DESC LIMIT 1),
        facts.is_blind, facts.is_blind AND NOT EXISTS (SELECT 1 FROM slot), %(key)s, %(seconds)s,
        coalesce((SELECT draw FROM lease), 'queue'), (SELECT inclusion_probability FROM lease),
        %(now)s
    FROM facts
    RETURNING id, is_blind, is_extra
),
due AS (
    -- Who contradicts whom, and whose voice proved right, the digest works out: not in this request.
    INSERT INTO curation_weighingdue (sample_id) SELECT sample_id FROM facts
)
SELECT answer.id AS annotation_id, facts.sample_id, answer.is_blind, answer.is_extra
FROM answer CROSS JOIN facts;

-- skip --
-- Pass an item on: the slot is free for others, and the item stays away from this annotator. Where
-- the skips send it is decided afterwards.
WITH item AS MATERIALIZED (
    SELECT i.id, i.sample_id FROM curation_reviewitem i
    WHERE i.id = %(item)s AND i.project_id = %(project)s
        AND NOT EXISTS (
            SELECT 1 FROM curation_annotation
            WHERE user_id = %(user)s
                AND (submission_key = %(key)s OR (item_id = i.id AND undone_at IS NULL))
        )
),
lease AS (
    DELETE FROM curation_lease l USING item
    WHERE l.item_id = item.id AND l.user_id = %(user)s
    RETURNING l.item_id
),
slot AS (
    UPDATE curation_reviewitem i SET
        taken = i.taken - (SELECT count(*) FROM lease),
        skips = i.skips + 1
    FROM item WHERE i.id = item.id
    RETURNING i.id
)
INSERT INTO curation_annotation
    (item_id, sample_id, user_id, kind, value, skip_reason, note, guideline_id, is_blind, is_extra,
     submission_key, seconds_spent, submitted_at)
SELECT item.id, item.sample_id, %(user)s, 'skip', '', %(reason)s, %(note)s,
    (SELECT id FROM curation_guideline WHERE project_id = %(project)s ORDER BY number DESC LIMIT 1),
    true, false, %(key)s, %(seconds)s, %(now)s
FROM item JOIN slot ON slot.id = item.id
RETURNING id AS annotation_id, sample_id;

-- earlier --
-- What this annotator did under this key before, or what of theirs stands on this item.
SELECT a.id AS annotation_id, a.item_id, a.sample_id, a.kind, a.value, a.skip_reason, a.is_blind,
    a.is_extra, a.undone_at IS NOT NULL AS is_undone, a.submission_key = %(key)s AS is_same_key,
    i.status, i.routed
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
-- Take an annotation back; its slot is free again. Where that sends the item is decided afterwards.
-- A skip gives its item back to the annotator, blind as before; an answer does not: its annotator
-- has seen what the model and the users said.
WITH taken_back AS (
    UPDATE curation_annotation SET undone_at = %(now)s
    WHERE id = %(annotation)s AND user_id = %(user)s AND undone_at IS NULL
    RETURNING id, item_id, sample_id, kind, kind = 'label' AND is_blind AND NOT is_extra AS had_slot
),
due AS (
    INSERT INTO curation_weighingdue (sample_id) SELECT sample_id FROM taken_back
    WHERE kind = 'label'
)
UPDATE curation_reviewitem i SET
    taken = i.taken - b.had_slot::int,
    done = i.done - b.had_slot::int,
    skips = i.skips - (b.kind = 'skip')::int
FROM taken_back b WHERE i.id = b.item_id
RETURNING b.id AS annotation_id, b.item_id, b.sample_id, b.kind, b.had_slot;

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
    WHERE id = %(item)s AND status = 'open' AND taken < needed AND for_senior <= %(is_senior)s
        AND NOT EXISTS (
            SELECT 1 FROM curation_lease WHERE item_id = %(item)s AND user_id = %(user)s
        )
    RETURNING id
)
INSERT INTO curation_lease (item_id, user_id, claimed_at, expires_at)
SELECT id, %(user)s, %(now)s, %(now)s + make_interval(secs => coalesce(
            (SELECT lease_seconds FROM curation_curationpolicy WHERE project_id = %(project)s), 300))
FROM slot;

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
