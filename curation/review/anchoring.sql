-- show_first --
-- Of the items someone holds, those whose prediction is shown before the answer, by lot: to measure
-- how far it sways annotators. This is the one exception to blindness, and these are its bounds:
-- never an audit or gold text, nor one drawn by lot or waiting for a senior, whose answers must be
-- blind; only what nothing was known of before; only where someone else can answer it blind.
--
-- On record before it is sent: the answer that follows is not blind, whatever becomes of the page,
-- and an item that was shown once is shown again on a reload. The lease stays.
WITH chosen AS (
    SELECT i.id, i.sample_id, p.label, p.confidence, coalesce(p.model_version, '') AS model_version
    FROM unnest(%(items)s::bigint[], %(points)s::float8[]) AS held (id, point)
    JOIN curation_reviewitem i ON i.id = held.id AND i.project_id = %(project)s
    JOIN curation_curationpolicy policy
        ON policy.project_id = i.project_id AND held.point < policy.shown_first_share
    JOIN curation_lease l ON l.item_id = i.id AND l.user_id = %(user)s
    JOIN curation_sample s ON s.id = i.sample_id
    JOIN curation_prediction p ON p.id = coalesce(i.prediction_id, s.prediction_id)
    WHERE i.status = 'open' AND NOT i.for_senior AND l.draw <> 'random'
        AND NOT EXISTS (
            SELECT 1 FROM curation_reviewitem other
            WHERE other.sample_id = i.sample_id AND other.queue IN ('audit', 'gold')
        )
        AND NOT EXISTS (
            SELECT 1 FROM curation_annotation a
            WHERE a.sample_id = i.sample_id AND a.user_id = %(user)s AND a.kind = 'label'
        )
        AND NOT EXISTS (
            SELECT 1 FROM curation_exposure e
            WHERE e.sample_id = i.sample_id AND e.user_id = %(user)s
        )
        AND EXISTS (
            SELECT 1 FROM curation_membership m JOIN core_user u ON u.id = m.user_id
            WHERE m.project_id = i.project_id AND m.user_id <> %(user)s AND u.is_active
        )
),
recorded AS (
    INSERT INTO curation_shownprediction (item_id, user_id, label, confidence, model_version, shown_at)
    SELECT id, %(user)s, label, confidence, model_version, %(now)s FROM chosen
    ON CONFLICT (item_id, user_id) DO NOTHING
),
seen AS (
    INSERT INTO curation_exposure (sample_id, user_id, at)
    SELECT DISTINCT sample_id, %(user)s::integer, %(now)s::timestamptz FROM chosen
    ON CONFLICT (sample_id, user_id) DO NOTHING
)
SELECT id AS item_id, label, confidence, model_version FROM chosen
UNION ALL
SELECT shown.item_id, shown.label, shown.confidence, shown.model_version
FROM curation_shownprediction shown
WHERE shown.user_id = %(user)s AND shown.item_id = ANY (%(items)s::bigint[]);

-- arms --
-- First answers to texts that were, or might have been, shown their prediction: how many, and how
-- many agreed with it. Those taken back count: who changes their mind after the reveal must not
-- drop out of the blind ones. Since the first that was shown, so that both are of the same time.
SELECT was_shown, count(*) AS n, count(*) FILTER (WHERE agrees) AS agreed
FROM (
    SELECT a.was_shown, a.value = coalesce(shown.label, p.label) AS agrees
    FROM curation_annotation a
    JOIN curation_reviewitem i ON i.id = a.item_id
    JOIN curation_sample s ON s.id = i.sample_id
    JOIN curation_prediction p ON p.id = coalesce(i.prediction_id, s.prediction_id)
    LEFT JOIN curation_shownprediction shown
        ON a.was_shown AND shown.item_id = a.item_id AND shown.user_id = a.user_id
    WHERE i.project_id = %(project)s AND a.kind = 'label' AND (a.is_blind OR a.was_shown)
        AND a.draw <> 'random'
        AND a.submitted_at >= (
            SELECT min(first.shown_at) FROM curation_shownprediction first
            JOIN curation_reviewitem item ON item.id = first.item_id
            WHERE item.project_id = %(project)s
        )
        AND NOT EXISTS (
            SELECT 1 FROM curation_reviewitem other
            WHERE other.sample_id = i.sample_id AND other.queue IN ('audit', 'gold')
        )
) first_answers
GROUP BY was_shown;
