-- samples_by_content --
-- The samples of a project with these content hashes.
SELECT content_hash, id, text IS NULL AS is_erased FROM curation_sample
WHERE project_id = %(project)s AND content_hash = ANY (%(hashes)s::bytea[]);

-- insert_samples --
-- One sample and one cluster for each text. The cluster's id is drawn first and its row written
-- last, so that a text which another transaction inserted meanwhile leaves no empty cluster: the
-- foreign key between them is checked at commit.
WITH given AS MATERIALIZED (
    SELECT n.*, nextval(pg_get_serial_sequence('curation_cluster', 'id')) AS cluster_id
    FROM unnest(%(hashes)s::bytea[], %(texts)s::text[], %(languages)s::text[], %(origins)s::text[],
                %(predictions)s::uuid[], %(metadata)s::jsonb[], %(splits)s::text[])
         AS n (content_hash, text, language, origin, prediction_id, metadata, split)
),
made AS (
    INSERT INTO curation_sample
        (project_id, cluster_id, text, length, language, content_hash, origin, prediction_id,
         metadata, created_at)
    SELECT %(project)s, cluster_id, text, char_length(text), language, content_hash, origin,
        prediction_id, metadata, %(now)s
    FROM given ORDER BY content_hash
    ON CONFLICT (project_id, content_hash) DO NOTHING
    RETURNING cluster_id
)
INSERT INTO curation_cluster (id, project_id, split, created_at)
SELECT given.cluster_id, %(project)s, given.split, %(now)s
FROM given JOIN made USING (cluster_id);

-- revive_samples --
-- Someone has sent texts again that were erased for the sake of someone else. They go back to the
-- rows they had, and so to the split that they were, or were not, trained in.
UPDATE curation_sample AS s
SET text = n.text, prediction_id = n.prediction_id, metadata = n.metadata
FROM unnest(%(hashes)s::bytea[], %(texts)s::text[], %(predictions)s::uuid[], %(metadata)s::jsonb[])
    AS n (content_hash, text, prediction_id, metadata)
WHERE s.project_id = %(project)s AND s.content_hash = n.content_hash AND s.text IS NULL;
