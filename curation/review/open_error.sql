-- drawn --
-- Answers to texts drawn by lot, whether they contradict what the model had said, and how likely
-- the draw was; the newest, up to a bound.
SELECT a.value <> p.label AS is_wrong, a.inclusion_probability
FROM curation_annotation a
JOIN curation_reviewitem i ON i.id = a.item_id
JOIN curation_sample s ON s.id = a.sample_id
JOIN curation_prediction p ON p.id = coalesce(i.prediction_id, s.prediction_id)
WHERE i.project_id = %(project)s AND a.draw = 'random' AND a.kind = 'label' AND a.is_blind
    AND NOT a.is_extra AND a.undone_at IS NULL AND a.submitted_at >= %(since)s
ORDER BY a.id DESC LIMIT %(most)s;
