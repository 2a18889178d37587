-- serving_versions --
-- The versions of a project that serve now or may within a moment, in one snapshot: the live one,
-- candidates in line or under test, the day-0 version while subjects are kept on it, and the
-- champion to go back to. All are kept loaded, so that a promotion or rollback waits for no file.
SELECT
    version.id,
    version.number,
    version.artifact_path,
    version.artifact_sha256,
    version.status = 'live' AS is_champion,
    rollout.id AS rollout_id,
    coalesce(rollout.status, '') AS rollout_status,
    coalesce(rollout.salt, '') AS salt,
    coalesce(rollout.treatment_share, 0) AS treatment_share,
    coalesce(policy.day0_version_id = version.id, false) AS is_day0,
    coalesce(policy.holdback_share, 0) AS holdback_share
FROM training_modelversion AS version
LEFT JOIN rollout_rollout AS rollout ON rollout.candidate_id = version.id
LEFT JOIN rollout_rolloutpolicy AS policy ON policy.project_id = version.project_id
WHERE version.project_id = %(project_id)s
  AND (
    version.status = 'live'
    OR rollout.status IN ('waiting', 'ab_test', 'paused')
    OR (policy.holdback_share > 0 AND policy.day0_version_id = version.id)
    OR version.id = (
        SELECT latest.champion_id
        FROM rollout_rollout AS latest
        WHERE latest.project_id = %(project_id)s AND latest.status = 'promoted'
        ORDER BY latest.finished_at DESC NULLS LAST, latest.id DESC
        LIMIT 1
    )
  )
ORDER BY version.id;
