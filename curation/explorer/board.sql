-- work --
-- What each member did in a stretch of time, of their latest answers and skips in it so many: read
-- person by person along the index of recent annotations.
SELECT u.id AS user_id, coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username)
        AS name,
    count(*) FILTER (WHERE a.kind = 'label' AND a.undone_at IS NULL) AS answers,
    count(*) FILTER (WHERE a.kind = 'skip' AND a.undone_at IS NULL) AS skips,
    count(*) FILTER (WHERE a.undone_at IS NOT NULL) AS undone,
    count(*) AS looked_at,
    count(DISTINCT date_trunc('day', a.submitted_at, 'UTC')) AS days,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY a.seconds_spent)
        FILTER (WHERE a.kind = 'label') AS median_seconds
FROM core_user u
CROSS JOIN LATERAL (
    SELECT a.kind, a.undone_at, a.submitted_at, a.seconds_spent
    FROM curation_annotation a JOIN curation_reviewitem i ON i.id = a.item_id
    WHERE a.user_id = u.id AND a.submitted_at >= %(since)s AND i.project_id = %(project)s
    ORDER BY a.submitted_at DESC LIMIT %(most)s
) a
WHERE u.id IN (
    SELECT user_id FROM curation_membership WHERE project_id = %(project)s
    UNION SELECT user_id FROM curation_annotatorquality WHERE project_id = %(project)s
    UNION SELECT id FROM core_user WHERE is_superuser
)
GROUP BY u.id ORDER BY 2, 1;

-- days --
-- Standing answers of all members by day.
SELECT date_trunc('day', a.submitted_at, 'UTC')::date AS day, count(*) AS n
FROM core_user u
CROSS JOIN LATERAL (
    SELECT a.submitted_at
    FROM curation_annotation a JOIN curation_reviewitem i ON i.id = a.item_id
    WHERE a.user_id = u.id AND a.submitted_at >= %(since)s AND i.project_id = %(project)s
        AND a.kind = 'label' AND a.undone_at IS NULL
    ORDER BY a.submitted_at DESC LIMIT %(most)s
) a
WHERE u.id IN (
    SELECT user_id FROM curation_membership WHERE project_id = %(project)s
    UNION SELECT user_id FROM curation_annotatorquality WHERE project_id = %(project)s
    UNION SELECT id FROM core_user WHERE is_superuser
)
GROUP BY 1 ORDER BY 1;
