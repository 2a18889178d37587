-- span --
-- How much feedback there is to look at, and since when, counted no further than anyone looks.
SELECT count(*) AS events,
    to_timestamp(min(
        ('x' || left(replace(feedback_id::text, '-', ''), 12))::bit(48)::bigint
    ) / 1000.0) AS oldest
FROM (
    SELECT feedback_id
    FROM curation_feedbackoutcome
    WHERE project_id = %(project)s
        AND feedback_id >= %(since)s::uuid AND feedback_id < %(until)s::uuid
    ORDER BY feedback_id DESC LIMIT %(most)s
) latest;

-- events --
-- Events as people read them.
SELECT f.id::text AS feedback_id, f.rating, coalesce(p.text, '') AS text
FROM curation_feedback f
LEFT JOIN curation_prediction p ON p.id = f.prediction_id AND p.project_id = f.project_id
WHERE f.id = ANY (%(ids)s::uuid[])
ORDER BY 1;
