-- lock_current_labels --
-- Lock the samples, in order, and read their current labels as they are once the locks are held:
-- a locking read follows each row to its newest version, but reads other tables as of its start,
-- so the locks stand in a statement of their own.
SELECT id FROM curation_sample WHERE id = ANY (%(samples)s::bigint[])
ORDER BY id FOR NO KEY UPDATE;
SELECT s.id, l.value, l.origin, coalesce(l.word, l.quality) AS quality,
    CASE WHEN l.word IS NULL THEN l.reasons ELSE l.grounds END AS reasons,
    EXISTS (
        SELECT 1 FROM curation_labelevidence e
        LEFT JOIN curation_annotation a ON a.id = e.annotation_id
        LEFT JOIN curation_feedbackoutcome o ON o.feedback_id = e.feedback_id
        WHERE e.label_id = l.id AND (a.undone_at IS NOT NULL OR o.state <> 'counted')
    ) AS is_shaken,
    ARRAY(
        SELECT e.annotation_id FROM curation_labelevidence e
        WHERE e.label_id = l.id AND e.annotation_id IS NOT NULL ORDER BY e.annotation_id
    ) AS annotation_ids,
    l.support, l.support_version
FROM curation_sample s
JOIN curation_label l ON l.sample_id = s.id AND l.is_current
WHERE s.id = ANY (%(samples)s::bigint[]);

-- end_labels --
-- The current labels of these samples stop being current.
UPDATE curation_label SET is_current = false
WHERE sample_id = ANY (%(samples)s::bigint[]) AND is_current;

-- write_labels --
-- Write one current label a sample, with what it rests on. The old ones end in a statement of their
-- own: in one, the unique index of current labels would meet the new row before the old is gone.
-- What thumbs or near-duplicates say of the text is weighed anew, later: the digest does so itself.
UPDATE curation_label SET is_current = false
WHERE sample_id = ANY (%(samples)s::bigint[]) AND is_current;
WITH made AS (
    INSERT INTO curation_label
        (sample_id, value, origin, word, grounds, quality, reasons, support, support_version,
         weigh_at, is_current, created_at)
    SELECT n.*, %(weigh_at)s, true, %(now)s
    FROM unnest(%(samples)s::bigint[], %(values)s::text[], %(origins)s::text[],
                %(words)s::float8[], %(grounds)s::jsonb[], %(qualities)s::float8[],
                %(reasons)s::jsonb[], %(supports)s::float8[], %(support_versions)s::text[]) AS n
    RETURNING id, sample_id
)
INSERT INTO curation_labelevidence (label_id, feedback_id, annotation_id)
SELECT made.id, e.feedback_id, e.annotation_id
FROM unnest(%(evidence_samples)s::bigint[], %(evidence_feedback)s::uuid[],
            %(evidence_annotations)s::bigint[]) AS e (sample_id, feedback_id, annotation_id)
JOIN made USING (sample_id);
INSERT INTO curation_weighingdue (sample_id)
SELECT n.sample_id
FROM unnest(%(samples)s::bigint[], %(origins)s::text[]) AS n (sample_id, origin)
JOIN curation_sample s ON s.id = n.sample_id
WHERE n.origin <> 'feedback' AND (
    EXISTS (
        SELECT 1 FROM curation_feedbackoutcome o
        WHERE o.sample_id = s.id AND o.state = 'counted'
    )
    OR EXISTS (
        SELECT 1 FROM curation_sample sibling
        WHERE sibling.cluster_id = s.cluster_id AND sibling.id <> s.id
    )
);

-- standing_labels --
-- The best earlier label of each sample whose grounds still stand: annotations before imports,
-- the latest first. One that was set in bulk, and taken back, does not stand.
SELECT DISTINCT ON (l.sample_id)
    l.sample_id, l.value, l.origin, coalesce(l.word, l.quality) AS quality,
    CASE WHEN l.word IS NULL THEN l.reasons ELSE l.grounds END AS reasons,
    ARRAY(
        SELECT e.annotation_id FROM curation_labelevidence e
        WHERE e.label_id = l.id AND e.annotation_id IS NOT NULL ORDER BY e.annotation_id
    ) AS annotation_ids
FROM curation_label l
WHERE l.sample_id = ANY (%(samples)s::bigint[]) AND l.origin IN ('annotation', 'import')
    AND NOT EXISTS (
        SELECT 1 FROM curation_labelevidence e
        JOIN curation_annotation a ON a.id = e.annotation_id
        WHERE e.label_id = l.id AND a.undone_at IS NOT NULL
    )
    AND NOT EXISTS (
        SELECT 1 FROM curation_bulkrow r WHERE r.label_id = l.id AND r.state = 'undone'
    )
ORDER BY l.sample_id, (l.origin = 'annotation') DESC, l.created_at DESC, l.id DESC;
