-- claim_due --
-- Samples to be weighed anew, some at a time; other workers take others.
DELETE FROM curation_weighingdue
WHERE id IN (
    SELECT id FROM curation_weighingdue ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
RETURNING sample_id;

-- projects_of --
-- The projects of these samples, as far as they are there still.
SELECT id, project_id FROM curation_sample WHERE id = ANY (%(samples)s::bigint[]) ORDER BY id;
