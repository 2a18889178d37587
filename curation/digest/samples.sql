-- samples_by_content --
-- The samples of a project with these content hashes.
SELECT content_hash, id, text IS NULL AS is_erased FROM curation_sample
WHERE project_id = %(project)s AND content_hash = ANY (%(hashes)s::bytea[]);

-- draw_ids --
-- Ids for so many samples, and for a cluster of each: who is alike to whom is told by them.
SELECT nextval(of.samples), nextval(of.clusters)
FROM (
    SELECT pg_get_serial_sequence('curation_sample', 'id')::regclass AS samples,
        pg_get_serial_sequence('curation_cluster', 'id')::regclass AS clusters
) of, generate_series(1, %(count)s);

-- homes --
-- The clusters of samples that have one, with what they may be used for.
SELECT s.id, c.id, c.split
FROM curation_sample s JOIN curation_cluster c ON c.id = s.cluster_id
WHERE s.id = ANY (%(samples)s::bigint[]);

-- insert_samples --
-- Samples in the clusters they belong to, and the clusters that begin with them. The foreign keys
-- between the two are checked at commit.
WITH made AS (
    INSERT INTO curation_sample
        (id, project_id, cluster_id, text, length, language, content_hash, signature, origin,
         prediction_id, metadata, created_at)
    SELECT n.id, %(project)s, n.cluster_id, n.text, char_length(n.text), n.language,
        n.content_hash, ('x' || n.signature)::bit(320), n.origin, n.prediction_id, n.metadata,
        %(now)s
    FROM unnest(%(ids)s::bigint[], %(clusters)s::bigint[], %(hashes)s::bytea[], %(texts)s::text[],
                %(languages)s::text[], %(signatures)s::text[], %(origins)s::text[],
                %(predictions)s::uuid[], %(metadata)s::jsonb[])
         AS n (id, cluster_id, content_hash, text, language, signature, origin, prediction_id,
               metadata)
)
INSERT INTO curation_cluster (id, project_id, split, representative_id, created_at)
SELECT n.id, %(project)s, n.split, n.sample_id, %(now)s
FROM unnest(%(new_clusters)s::bigint[], %(splits)s::text[], %(founders)s::bigint[])
     AS n (id, split, sample_id);

-- revive_samples --
-- Someone has sent texts again that were erased for the sake of someone else. They go back to the
-- rows they had, and so to the split that they were, or were not, trained in; unless texts alike to
-- them have come into another split meanwhile.
WITH back AS (
    UPDATE curation_sample AS s
    SET text = n.text, prediction_id = n.prediction_id, metadata = n.metadata,
        signature = ('x' || n.signature)::bit(320), cluster_id = n.cluster_id
    FROM unnest(%(ids)s::bigint[], %(clusters)s::bigint[], %(texts)s::text[],
                %(signatures)s::text[], %(predictions)s::uuid[], %(metadata)s::jsonb[])
        AS n (id, cluster_id, text, signature, prediction_id, metadata)
    WHERE s.id = n.id AND s.text IS NULL
    RETURNING s.id, s.cluster_id
)
UPDATE curation_cluster c SET representative_id = earliest.id
FROM (SELECT cluster_id, min(id) AS id FROM back GROUP BY 1) earliest
WHERE c.id = earliest.cluster_id AND c.representative_id IS NULL;

-- list_bands --
-- The bands under which later texts find these; in their own order, which an index takes in faster.
INSERT INTO curation_band (hash, sample_id)
SELECT n.hash, n.sample_id
FROM unnest(%(bands)s::bigint[], %(listed)s::bigint[]) AS n (hash, sample_id)
ORDER BY 1, 2
ON CONFLICT DO NOTHING;
