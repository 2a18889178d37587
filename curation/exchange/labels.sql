-- labels --
-- The next labelled texts of a project by sample, with what the label rests on; where asked for,
-- texts without a label too. Erased texts are left out.
SELECT s.id AS sample_id, encode(s.content_hash, 'hex') AS content_hash, s.text,
    l.value AS label, l.quality, l.origin, l.reasons, c.split, s.cluster_id, s.language,
    s.metadata, l.created_at AS labelled_at
FROM curation_sample s
LEFT JOIN curation_label l ON l.sample_id = s.id AND l.is_current
LEFT JOIN curation_cluster c ON c.id = s.cluster_id
WHERE s.project_id = %(project)s AND s.id > %(after)s AND s.text IS NOT NULL
    AND CASE WHEN l.id IS NULL THEN %(unlabelled)s ELSE l.quality >= %(min_quality)s END
    AND (%(split)s::text IS NULL OR coalesce(c.split, 'none') = %(split)s)
    AND (%(origin)s::text IS NULL OR l.origin = %(origin)s)
ORDER BY s.id
LIMIT %(size)s;

-- answers --
-- The standing answers of annotators about these samples, the first one first.
SELECT a.sample_id, a.value, a.submitted_at, a.seconds_spent, a.is_blind
FROM curation_annotation a
WHERE a.sample_id = ANY (%(samples)s::bigint[]) AND a.kind = 'label' AND a.undone_at IS NULL
ORDER BY a.sample_id, a.id;
