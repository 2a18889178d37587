-- lock_samples --
-- Before outcomes, items and labels, in the order everyone locks samples in.
SELECT id FROM curation_sample WHERE id = ANY (%(samples)s::bigint[])
ORDER BY id FOR NO KEY UPDATE;

-- facts --
-- What decides whether a bulk action may touch a sample.
SELECT s.id AS sample_id, s.text IS NULL AS is_erased, coalesce(g.split, '') AS split,
    coalesce(l.value, '') AS label, coalesce(l.origin, '') AS label_origin,
    coalesce(l.quality, 0) AS quality,
    l.origin = 'annotation' AND EXISTS (
        SELECT 1 FROM curation_labelevidence e
        WHERE e.label_id = l.id AND e.annotation_id IS NOT NULL
    ) AS is_annotated,
    ARRAY(
        SELECT i.queue::text FROM curation_reviewitem i
        WHERE i.sample_id = s.id AND i.status = 'open'
    ) AS queues,
    EXISTS (
        SELECT 1 FROM curation_trainingexclusion x WHERE x.sample_id = s.id
    ) AS is_excluded
FROM curation_sample s
LEFT JOIN curation_cluster g ON g.id = s.cluster_id
LEFT JOIN curation_label l ON l.sample_id = s.id AND l.is_current
WHERE s.id = ANY (%(samples)s::bigint[])
ORDER BY s.id;

-- freeze --
-- The samples of an action, written down once; ``{ids}`` is the filter's query.
INSERT INTO curation_bulkrow (action_id, sample_id, state, why, change)
SELECT %(action)s, fitting.id, 'found', '', '{}'
FROM ({ids} LIMIT %(most)s) fitting
ON CONFLICT (action_id, sample_id) DO NOTHING;

-- take --
-- The next rows of an action that stand in a state, by sample.
SELECT sample_id, label_id, change FROM curation_bulkrow
WHERE action_id = %(action)s AND state = %(state)s
ORDER BY sample_id LIMIT %(limit)s;

-- settle --
-- What became of some rows.
UPDATE curation_bulkrow r SET
    state = n.state, why = n.why, label_id = coalesce(n.label_id, r.label_id),
    change = CASE WHEN n.change = '{}' THEN r.change ELSE n.change END
FROM unnest(%(samples)s::bigint[], %(states)s::text[], %(whys)s::text[], %(labels)s::bigint[],
            %(changes)s::jsonb[]) AS n (sample_id, state, why, label_id, change)
WHERE r.action_id = %(action)s AND r.sample_id = n.sample_id;

-- counts --
-- How many rows stand where, and why those that were not touched were not.
SELECT state, why, count(*) AS n FROM curation_bulkrow
WHERE action_id = %(action)s GROUP BY 1, 2 ORDER BY 3 DESC, 2;

-- truth --
-- How many of the planned samples candidates are judged or calibrated on.
SELECT count(*) AS n
FROM curation_bulkrow r
JOIN curation_sample s ON s.id = r.sample_id
JOIN curation_cluster g ON g.id = s.cluster_id
WHERE r.action_id = %(action)s AND r.state IN ('planned', 'applied') AND g.split <> 'train';

-- thumbs_of_source --
-- The counted thumbs of one source about these samples. What a person has released stays so.
SELECT o.sample_id, o.feedback_id::text AS feedback_id
FROM curation_feedbackoutcome o JOIN curation_feedback f ON f.id = o.feedback_id
WHERE o.sample_id = ANY (%(samples)s::bigint[]) AND o.state = 'counted'
    AND NOT o.is_cleared AND f.source_id = %(source)s
ORDER BY 1, 2;

-- answers_of --
-- The standing answers of one annotator about these samples.
SELECT a.sample_id, a.id AS annotation_id, a.item_id
FROM curation_annotation a
WHERE a.sample_id = ANY (%(samples)s::bigint[]) AND a.user_id = %(user)s AND a.kind = 'label'
    AND a.undone_at IS NULL
ORDER BY 1, 2;

-- restore_answer --
-- Give a retracted answer its place back, unless its author or someone else has taken it since. Where
-- that sends the item is decided afterwards.
WITH answer AS (
    SELECT a.id, a.item_id, a.user_id, a.is_blind AND NOT a.is_extra AS had_slot
    FROM curation_annotation a
    WHERE a.id = %(annotation)s AND a.undone_at IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM curation_annotation later
        WHERE later.item_id = a.item_id AND later.user_id = a.user_id AND later.undone_at IS NULL
    )
),
slot AS (
    UPDATE curation_reviewitem i SET
        taken = i.taken + 1, done = i.done + 1
    FROM answer
    WHERE i.id = answer.item_id AND answer.had_slot AND i.taken < i.needed
    RETURNING i.id
)
UPDATE curation_annotation a SET undone_at = NULL
FROM answer
WHERE a.id = answer.id AND (NOT answer.had_slot OR EXISTS (SELECT 1 FROM slot));
