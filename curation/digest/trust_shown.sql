-- subjects --
-- Subjects at one end of a project's trust, with what their sources lead one to expect. Faded counts
-- as they stand in the rows order them: all fade alike, so only long silences could change places.
SELECT t.subject_hash, t.source_id
FROM curation_subjecttrust t
JOIN unnest(%(sources)s::bigint[], %(expected)s::float8[]) AS e (source_id, expected)
    USING (source_id)
WHERE t.project_id = %(project)s AND t.agreed_count + t.disagreed_count > 0
ORDER BY (%(worth)s * e.expected + t.agreed) / (%(worth)s + t.agreed + t.disagreed)
    * %(direction)s, t.subject_hash
LIMIT %(limit)s;
