-- erase_predictions --
-- What the subject sent to be classified. There is no index on subjects: erasures are rare, and an
-- index would cost every prediction; this reads the project's predictions once.
UPDATE curation_prediction
SET text = NULL, metadata = NULL, session_hash = NULL, subject_hash = %(tombstone)s
WHERE project_id = %(project)s AND subject_hash = %(subject)s;

-- erase_feedback --
-- What the subject said about predictions.
UPDATE curation_feedback
SET comment = NULL, metadata = NULL, session_hash = NULL, address_hash = NULL,
    subject_hash = %(tombstone)s
WHERE project_id = %(project)s AND subject_hash = %(subject)s;

-- erase_unnamed_predictions --
-- Predictions without a subject that this subject, and nobody else, gave feedback on: as far as
-- anyone can tell they are the subject's own.
UPDATE curation_prediction AS p SET text = NULL, metadata = NULL, session_hash = NULL
WHERE p.project_id = %(project)s AND p.subject_hash IS NULL AND p.text IS NOT NULL
    AND p.id IN (
        SELECT f.prediction_id FROM curation_feedback f
        WHERE f.project_id = %(project)s AND f.subject_hash = %(tombstone)s
    )
    AND NOT EXISTS (
        SELECT 1 FROM curation_feedback f
        WHERE f.prediction_id = p.id AND f.project_id = %(project)s
            AND f.subject_hash IS DISTINCT FROM %(tombstone)s
    );

-- wait_for_digests --
-- A digest that read the texts before they were erased still writes what it read. It holds the
-- rows of its batch locked until that is done; with these locks in hand no such digest is left.
SELECT count(*) FROM (
    SELECT 1 FROM curation_landed WHERE project_id = %(project)s ORDER BY id FOR SHARE
) AS waited_for;

-- erase_outcomes --
-- The subject's voices go on counting, as nobody's; the hash of a comment would confirm a guess at it.
UPDATE curation_feedbackoutcome SET subject_hash = %(tombstone)s, comment_hash = NULL
WHERE project_id = %(project)s AND subject_hash = %(subject)s;

-- wait_for_weighings --
-- A weighing that read the subject's voices before they were made nobody's still writes what it
-- counted. It holds their samples locked until that is done, and the next one reads the tombstone.
SELECT id FROM curation_sample
WHERE id IN (
    SELECT sample_id FROM curation_feedbackoutcome
    WHERE project_id = %(project)s AND subject_hash = %(tombstone)s
)
ORDER BY id FOR NO KEY UPDATE;

-- erase_adjudicated_voices --
-- Whether a voice was right goes on counting for its source, as nobody's.
UPDATE curation_adjudicatedvoice SET subject_hash = NULL
WHERE project_id = %(project)s AND subject_hash = %(subject)s;

-- erase_trust --
-- How far the subject was trusted.
DELETE FROM curation_subjecttrust
WHERE project_id = %(project)s AND subject_hash = %(subject)s;

-- samples_of_subject --
-- Samples whose text only the subject contributed, locked in the order everyone locks samples in:
-- no prediction holds the text any more, and it was not imported.
SELECT s.id, s.text FROM curation_sample s
WHERE s.project_id = %(project)s AND s.text IS NOT NULL AND s.origin <> 'import'
    AND (
        s.content_hash IN (
            SELECT content_hash FROM curation_prediction
            WHERE project_id = %(project)s AND subject_hash = %(tombstone)s
            UNION
            SELECT p.content_hash FROM curation_feedback f
            JOIN curation_prediction p ON p.id = f.prediction_id
            WHERE f.project_id = %(project)s AND f.subject_hash = %(tombstone)s
        )
        OR s.id IN (
            SELECT sample_id FROM curation_feedbackoutcome
            WHERE project_id = %(project)s AND subject_hash = %(tombstone)s
        )
    )
    AND NOT EXISTS (
        SELECT 1 FROM curation_prediction p
        WHERE p.project_id = s.project_id AND p.content_hash = s.content_hash
            AND p.text IS NOT NULL
    )
    AND NOT EXISTS (
        SELECT 1 FROM curation_label l WHERE l.sample_id = s.id AND l.origin = 'import'
    )
ORDER BY s.id FOR NO KEY UPDATE;

-- erase_samples --
-- Their length, language, cluster and labels stay: they are statistics. What a cluster is shown by
-- becomes the earliest text it has left.
WITH erased AS (
    UPDATE curation_sample SET text = NULL, metadata = NULL, signature = NULL
    WHERE id = ANY (%(samples)s::bigint[])
    RETURNING id
),
shown AS (
    UPDATE curation_cluster c SET representative_id = (
        SELECT min(s.id) FROM curation_sample s
        WHERE s.cluster_id = c.id AND s.text IS NOT NULL AND s.id <> ALL (%(samples)s::bigint[])
    )
    FROM curation_sample s
    WHERE s.id = ANY (%(samples)s::bigint[]) AND c.id = s.cluster_id
        AND c.representative_id = s.id
)
SELECT count(*) FROM erased;

-- erase_notes --
-- What annotators wrote about these texts may quote them.
UPDATE curation_annotation SET note = '' WHERE sample_id = ANY (%(samples)s::bigint[]) AND note <> '';

-- close_items --
-- Nobody can answer what nobody can read; its leases end with it.
WITH ended AS (
    DELETE FROM curation_lease l USING curation_reviewitem i
    WHERE i.id = l.item_id AND i.sample_id = ANY (%(samples)s::bigint[]) AND i.status = 'open'
)
UPDATE curation_reviewitem SET status = 'closed', closed_at = %(now)s, taken = done,
    why = why || '{"closed": "Its text was erased."}'
WHERE sample_id = ANY (%(samples)s::bigint[]) AND status = 'open';

-- erase_rejected --
-- Input that never landed names its subject by the keyed hash.
UPDATE curation_rejectedevent SET payload = %(erased)s
WHERE project_id = %(project)s AND position(%(keyed)s IN payload) > 0;

-- erase_errors --
-- An error of the digest may quote what it failed on.
UPDATE curation_landed SET error = '' WHERE project_id = %(project)s AND retry_at IS NOT NULL;
