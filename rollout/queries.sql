-- looks --
-- What each look at a rollout found, oldest first, thinned to about %(most)s rows: every n-th
-- counted back from the latest, and the first. Only rows that are kept are read as JSON.
WITH numbered AS (
    SELECT
        id,
        row_number() OVER (ORDER BY computed_at DESC, id DESC) - 1 AS back,
        count(*) OVER () AS total
    FROM rollout_rolloutevidence
    WHERE rollout_id = %(rollout_id)s
)
SELECT evidence.computed_at AS at, (evidence.comparison -> 'audit_difference')::text AS difference
FROM numbered
JOIN rollout_rolloutevidence AS evidence USING (id)
WHERE
    (
        numbered.back %% greatest(1, ceil(numbered.total::numeric / %(most)s)::bigint) = 0
        OR numbered.back = numbered.total - 1
    )
    AND evidence.comparison ? 'audit_difference'
ORDER BY evidence.computed_at, evidence.id;

-- champions --
-- Every time a version of the project went live, latest first. A version that comes from
-- "superseded" was put back by a rollback.
SELECT
    change.at,
    version.number,
    change.actor,
    change.reason,
    change.from_status = 'superseded' AS was_put_back
FROM core_statuschange AS change
JOIN training_modelversion AS version ON version.id = change.object_id
WHERE
    change.kind = 'training.modelversion'
    AND change.to_status = 'live'
    AND version.project_id = %(project_id)s
ORDER BY change.at DESC, change.id DESC
LIMIT %(most)s;
