-- lock_clusters --
-- One writer at a time finds the clusters of a project's new texts, so that no two miss each
-- other's. Held until its transaction ends; statements after this one see what the last one wrote.
SELECT pg_advisory_xact_lock(%(lock_class)s, %(project)s::int);

-- neighbours --
-- Samples in clusters that share a band with these texts and, by their signatures, may be alike;
-- in rows without a text, how many samples are listed under the bands that are crowded.
-- Bands come text after text, a fixed number each. Erased texts cannot be compared and match none.
WITH wanted AS MATERIALIZED (
    SELECT ((n.place - 1) / %(bands)s)::int AS at, n.hash
    FROM unnest(%(hashes)s::bigint[]) WITH ORDINALITY AS n (hash, place)
),
listed AS MATERIALIZED (
    SELECT w.at, w.hash, b.sample_id FROM wanted w JOIN curation_band b ON b.hash = w.hash
)
SELECT near.at, s.id, s.cluster_id, c.split, s.text
FROM (SELECT DISTINCT at, sample_id FROM listed) near
JOIN unnest(%(signatures)s::text[]) WITH ORDINALITY AS q (signature, place)
    ON q.place = near.at + 1
JOIN curation_sample s ON s.id = near.sample_id
JOIN curation_cluster c ON c.id = s.cluster_id
WHERE s.project_id = %(project)s AND s.text IS NOT NULL
    AND bit_count(s.signature # ('x' || q.signature)::bit(320)) <= %(most_bits)s
UNION ALL
SELECT NULL, hash, max(n), NULL, NULL
FROM (SELECT hash, count(*) AS n FROM listed GROUP BY at, hash HAVING count(*) >= %(crowd)s) crowded
GROUP BY hash;

-- forget_bands --
-- Nobody finds these texts by their bands any more.
DELETE FROM curation_band b
USING unnest(%(hashes)s::bigint[], %(samples)s::bigint[]) AS n (hash, sample_id)
WHERE b.hash = n.hash AND b.sample_id = n.sample_id;
