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

-- doubt_scored --
-- Samples that were served with another label than the version that scored them gives: the digest
-- is to note that versions contradict each other, where it has not.
INSERT INTO curation_weighingdue (sample_id)
SELECT s.id
FROM unnest(%(samples)s::bigint[], %(labels)s::text[]) AS n (sample_id, label)
JOIN curation_sample s ON s.id = n.sample_id
JOIN curation_prediction first ON first.id = s.prediction_id
LEFT JOIN curation_disagreement d ON d.sample_id = s.id AND d.resolved_at IS NULL
WHERE first.label <> n.label AND NOT coalesce('models' = ANY (d.kinds), false)
ORDER BY s.id;
