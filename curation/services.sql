-- record_scores --
-- Upsert one score a sample, in the order of the samples so that two writers cannot deadlock.
INSERT INTO curation_samplescore
    (sample_id, model_version, predicted_label, margin, entropy, scored_at)
SELECT n.sample_id, %(version)s, n.label, n.margin, n.entropy, %(now)s
FROM unnest(%(samples)s::bigint[], %(labels)s::text[], %(margins)s::float8[],
            %(entropies)s::float8[]) AS n (sample_id, label, margin, entropy)
JOIN curation_sample s ON s.id = n.sample_id
ORDER BY n.sample_id
ON CONFLICT (sample_id) DO UPDATE SET
    model_version = excluded.model_version, predicted_label = excluded.predicted_label,
    margin = excluded.margin, entropy = excluded.entropy, scored_at = excluded.scored_at;
