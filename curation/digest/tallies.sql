-- roll_up --
-- Tallies that nobody else is adding up become minutes. Minutes are written in order, so that two
-- workers wait for, not against, each other.
WITH taken AS (
    DELETE FROM curation_intaketally
    WHERE id IN (
        SELECT id FROM curation_intaketally ORDER BY id LIMIT 20000 FOR UPDATE SKIP LOCKED
    )
    RETURNING *
)
INSERT INTO curation_intakeminute AS m
    (project_id, source_id, minute, accepted, quarantined, caught, rejected, duplicates)
SELECT project_id, source_id, date_trunc('minute', received_at, 'UTC'), sum(accepted),
    sum(quarantined), sum(caught), sum(rejected), sum(duplicates)
FROM taken
GROUP BY 1, 2, 3
ORDER BY 1, 3, 2
ON CONFLICT (project_id, minute, source_id) DO UPDATE SET
    accepted = m.accepted + excluded.accepted,
    quarantined = m.quarantined + excluded.quarantined,
    caught = m.caught + excluded.caught,
    rejected = m.rejected + excluded.rejected,
    duplicates = m.duplicates + excluded.duplicates;
