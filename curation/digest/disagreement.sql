-- standpoints --
-- What others than the latest voices say of these samples, for those where anything may contradict
-- anything: thumbs against the model, answers of annotators, near-duplicates, a version that said
-- otherwise, or a record that is open. Most texts have none of these: a few probes of indexes tell,
-- and only for the others everything is read. A version is compared with the one the text first
-- came with and with those that scored it: who said otherwise in between was noted then.
WITH suspect AS MATERIALIZED (
    SELECT s.id, s.project_id, s.cluster_id, s.content_hash, l.id AS label_id, l.origin, l.value,
        l.created_at, d.sample_id IS NOT NULL AS is_open
    FROM unnest(%(samples)s::bigint[], %(contradicted)s::boolean[], %(predicted)s::text[])
        AS w (sample_id, is_contradicted, predicted)
    JOIN curation_sample s ON s.id = w.sample_id
    LEFT JOIN curation_label l ON l.sample_id = s.id AND l.is_current
    LEFT JOIN curation_disagreement d ON d.sample_id = s.id AND d.resolved_at IS NULL
    LEFT JOIN curation_prediction first ON first.id = s.prediction_id
    WHERE w.is_contradicted OR d.sample_id IS NOT NULL OR l.origin = 'annotation'
        OR EXISTS (
            SELECT 1 FROM curation_samplescore score
            WHERE score.sample_id = s.id
                AND score.predicted_label <> coalesce(nullif(w.predicted, ''), first.label)
        )
        OR nullif(w.predicted, '') <> first.label
        OR EXISTS (
            SELECT 1 FROM curation_sample sibling
            WHERE sibling.cluster_id = s.cluster_id AND sibling.id <> s.id
        )
        OR EXISTS (
            SELECT 1 FROM curation_annotation a WHERE a.sample_id = s.id AND a.kind = 'label'
        )
)
SELECT s.id AS sample_id, s.project_id, s.origin, s.value, s.created_at AS labelled_at,
    s.origin = 'annotation' AND NOT EXISTS (
        SELECT 1 FROM curation_labelevidence e
        JOIN curation_annotation a ON a.id = e.annotation_id
        WHERE e.label_id = s.label_id AND NOT a.is_blind
    ) AS is_adjudicated,
    notes.answers, notes.later_answers, versions.answers AS versions, near.labels AS near, s.is_open
FROM suspect s
LEFT JOIN LATERAL (
    SELECT jsonb_object_agg(said.value, said.n) AS answers,
        jsonb_object_agg(said.value, said.later) FILTER (WHERE said.later > 0) AS later_answers
    FROM (
        SELECT a.value, count(*) AS n, count(*) FILTER (WHERE a.submitted_at > s.created_at) AS later
        FROM curation_annotation a
        WHERE a.sample_id = s.id AND a.kind = 'label' AND a.is_blind AND a.undone_at IS NULL
        GROUP BY a.value
    ) said
) notes ON true
LEFT JOIN LATERAL (
    SELECT jsonb_agg(DISTINCT jsonb_build_array(said.label, said.model_version)) AS answers
    FROM (
        (SELECT p.label, p.model_version FROM curation_prediction p
         WHERE p.project_id = s.project_id AND p.content_hash = s.content_hash LIMIT %(most)s)
        UNION ALL
        SELECT score.predicted_label, score.model_version FROM curation_samplescore score
        WHERE score.sample_id = s.id
    ) said
    WHERE said.model_version <> ''
) versions ON true
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_array(said.origin, said.value, said.n)) AS labels
    FROM (
        SELECT other.origin, other.value, count(*) AS n
        FROM (
            SELECT sibling.id FROM curation_sample sibling
            WHERE sibling.cluster_id = s.cluster_id AND sibling.id <> s.id
            ORDER BY sibling.id DESC LIMIT %(most)s
        ) siblings
        JOIN curation_label other ON other.sample_id = siblings.id AND other.is_current
        GROUP BY 1, 2
    ) said
) near ON true
ORDER BY s.id;

-- record --
-- One record a sample. One that was resolved opens anew; one that says the same stays untouched.
INSERT INTO curation_disagreement AS d
    (sample_id, project_id, kinds, strength, evidence, opened_at, updated_at)
SELECT n.sample_id, n.project_id, ARRAY(SELECT jsonb_array_elements_text(n.kinds)), n.strength,
    n.evidence, %(now)s, %(now)s
FROM unnest(%(samples)s::bigint[], %(projects)s::bigint[], %(kinds)s::jsonb[],
            %(strengths)s::float8[], %(evidence)s::jsonb[])
    AS n (sample_id, project_id, kinds, strength, evidence)
ORDER BY n.sample_id
ON CONFLICT (sample_id) DO UPDATE SET
    kinds = excluded.kinds, strength = excluded.strength, evidence = excluded.evidence,
    opened_at = CASE WHEN d.resolved_at IS NULL THEN d.opened_at ELSE excluded.opened_at END,
    updated_at = excluded.updated_at, resolved_at = NULL
WHERE d.resolved_at IS NOT NULL
    OR (d.kinds, d.strength, d.evidence)
        IS DISTINCT FROM (excluded.kinds, excluded.strength, excluded.evidence)
RETURNING sample_id;

-- resolve --
-- Nothing is contradicted any more; what was stays to be read.
UPDATE curation_disagreement SET resolved_at = %(now)s
WHERE sample_id IN (
    SELECT sample_id FROM curation_disagreement
    WHERE sample_id = ANY (%(samples)s::bigint[]) AND resolved_at IS NULL
    ORDER BY sample_id FOR UPDATE
)
RETURNING sample_id;

-- tell_near_duplicates --
-- The records of these samples have changed: near-duplicates that are labelled otherwise, or that
-- contradicted something so far, are to be looked at as well. It ends when no record changes.
INSERT INTO curation_weighingdue (sample_id)
SELECT DISTINCT sibling.id
FROM curation_sample s
CROSS JOIN LATERAL (
    SELECT other.id FROM curation_sample other
    WHERE other.cluster_id = s.cluster_id AND other.id <> s.id
    ORDER BY other.id DESC LIMIT %(most)s
) sibling
JOIN curation_label held ON held.sample_id = sibling.id AND held.is_current
LEFT JOIN curation_label l ON l.sample_id = s.id AND l.is_current
LEFT JOIN curation_disagreement d ON d.sample_id = sibling.id AND d.resolved_at IS NULL
    AND d.kinds && ARRAY['neighbours', 'user_user']::varchar[]
WHERE s.id = ANY (%(samples)s::bigint[]) AND (held.value <> l.value OR d.sample_id IS NOT NULL)
ORDER BY 1;
