-- qualities --
-- How many labels could be trained on, by quality to two decimals, origin and value. One
-- pass over the split's rows: a million labels take a second or a few, and no index helps a total.
SELECT round(l.quality * 100)::int AS percent, l.origin, l.value, count(*) AS n
FROM curation_cluster c
JOIN curation_sample s ON s.cluster_id = c.id
JOIN curation_label l ON l.sample_id = s.id AND l.is_current
WHERE c.project_id = %(project)s AND c.split = 'train' AND s.text IS NOT NULL
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3;
