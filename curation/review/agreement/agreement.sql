-- agreement --
-- What was said of each text in each group by two or more annotators, and how many texts got the
-- same answers; the newest answers only, up to a bound. Answers count that are blind, stand, and
-- had a slot. The group is computed by the caller's choice; texts outside every group drop out.
WITH counted AS MATERIALIZED (
    SELECT a.sample_id, a.user_id, a.value::text AS value,
        CASE %(by)s
            WHEN 'all' THEN ''
            WHEN 'queue' THEN i.queue
            WHEN 'guideline' THEN g.number::text
            WHEN 'language' THEN nullif(s.language, '')
            WHEN 'length' THEN width_bucket(s.length, %(length_bounds)s)::text
            WHEN 'metadata' THEN s.metadata ->> %(key)s
        END AS key
    FROM curation_annotation a
    JOIN curation_sample s ON s.id = a.sample_id
    JOIN curation_reviewitem i ON i.id = a.item_id
    LEFT JOIN curation_guideline g ON g.id = a.guideline_id
    WHERE s.project_id = %(project)s AND a.kind = 'label' AND a.is_blind AND NOT a.is_extra
        AND a.undone_at IS NULL
    ORDER BY a.id DESC LIMIT %(most)s
),
unit AS (
    SELECT key, sample_id, array_agg(value ORDER BY value) AS said
    FROM counted WHERE key IS NOT NULL GROUP BY key, sample_id HAVING count(*) >= 2
),
people AS (
    SELECT key, count(DISTINCT user_id) AS n FROM counted JOIN unit USING (key, sample_id)
    GROUP BY key
)
SELECT unit.key, unit.said, count(*) AS n_units, people.n AS n_annotators
FROM unit JOIN people USING (key)
GROUP BY unit.key, unit.said, people.n
ORDER BY unit.key, unit.said;
