-- standing --
-- All that decides where an item stands: the blind answers to its text in any queue (the audit
-- counts only its own, and gold is nobody's opinion), its skips, what the model and others hold to
-- be true, and whether anyone is left to ask. Read under the sample's lock, after
-- what was just written.
SELECT i.id AS item_id, i.sample_id, i.queue, i.done, i.taken,
    jsonb_exists(i.why, 'senior') AS is_opened_for_senior,
    coalesce(policy.overlap, 1) AS overlap,
    coalesce(policy.dispute_overlap, 2) AS dispute_overlap,
    coalesce(policy.confident_posterior, 0.95) AS confident_posterior,
    coalesce(policy.confident_model, 0.9) AS confident_model,
    ARRAY(
        SELECT name::text FROM curation_labeloption WHERE project_id = i.project_id
        ORDER BY position, id
    ) AS labels,
    coalesce((
        SELECT jsonb_agg(jsonb_build_array(a.id, a.user_id, a.value,
            u.is_superuser OR coalesce(m.role = ANY (%(senior_roles)s), false), q.confusion)
            ORDER BY a.id)
        FROM curation_annotation a
        JOIN curation_reviewitem asked ON asked.id = a.item_id
        JOIN core_user u ON u.id = a.user_id
        LEFT JOIN curation_membership m ON m.user_id = a.user_id AND m.project_id = i.project_id
        LEFT JOIN curation_annotatorquality q
            ON q.user_id = a.user_id AND q.project_id = i.project_id
        WHERE a.sample_id = i.sample_id AND a.kind = 'label' AND a.is_blind AND NOT a.is_extra
            AND a.undone_at IS NULL
            AND (asked.id = i.id OR (i.queue <> 'audit' AND asked.queue <> 'gold'))
    ), '[]') AS ballots,
    coalesce((
        SELECT jsonb_agg(jsonb_build_array(a.id, a.skip_reason,
            u.is_superuser OR coalesce(m.role = ANY (%(senior_roles)s), false)) ORDER BY a.id)
        FROM curation_annotation a
        JOIN core_user u ON u.id = a.user_id
        LEFT JOIN curation_membership m ON m.user_id = a.user_id AND m.project_id = i.project_id
        WHERE a.item_id = i.id AND a.kind = 'skip' AND a.undone_at IS NULL
    ), '[]') AS skips,
    (
        SELECT l.value FROM curation_label l
        WHERE l.sample_id = i.sample_id AND l.is_current
            AND (l.origin = 'import' OR l.quality >= coalesce(policy.min_label_quality, 0.6))
            AND NOT EXISTS (
                SELECT 1 FROM curation_labelevidence e
                JOIN curation_annotation a ON a.id = e.annotation_id AND a.item_id = i.id
                WHERE e.label_id = l.id
            )
    ) AS believed,
    EXISTS (
        SELECT 1 FROM curation_label l
        WHERE l.sample_id = i.sample_id AND l.is_current AND l.origin = 'annotation'
    ) AS is_annotated,
    coalesce(p.label, '') AS predicted, p.confidence,
    EXISTS (
        SELECT 1 FROM curation_membership m JOIN core_user u ON u.id = m.user_id AND u.is_active
        WHERE m.project_id = i.project_id AND m.role IN ('annotator', 'senior')
            AND NOT EXISTS (
                SELECT 1 FROM curation_annotation a
                WHERE a.sample_id = i.sample_id AND a.user_id = m.user_id
                    AND (a.undone_at IS NULL OR a.kind = 'label')
            )
            AND NOT EXISTS (
                SELECT 1 FROM curation_exposure e
                WHERE e.sample_id = i.sample_id AND e.user_id = m.user_id
            )
    ) AS has_others
FROM curation_reviewitem i
JOIN curation_sample s ON s.id = i.sample_id
LEFT JOIN curation_curationpolicy policy ON policy.project_id = i.project_id
LEFT JOIN curation_prediction p ON p.id = coalesce(i.prediction_id, s.prediction_id)
WHERE i.id = %(item)s;

-- decide --
-- Put an item where its answers and skips send it. One that was closed from outside (a sibling was
-- answered, the text was erased) stays closed, and none opens beside a newer one of its sample and
-- queue. Closing ends its leases. A senior gets a slot of their own beside those that are leased.
WITH ended AS (
    DELETE FROM curation_lease WHERE item_id = %(item)s AND %(status)s = 'closed'
    RETURNING item_id
)
UPDATE curation_reviewitem i SET
    status = %(status)s,
    closed_at = CASE WHEN %(status)s <> 'open' THEN coalesce(i.closed_at, %(now)s) END,
    for_senior = %(for_senior)s, routed = %(routed)s, saved = %(saved)s,
    taken = i.taken - (SELECT count(*) FROM ended),
    needed = CASE
        WHEN %(status)s <> 'open' THEN i.needed
        WHEN NOT %(for_senior)s THEN greatest(%(needed)s, i.taken)
        WHEN i.for_senior THEN greatest(i.needed, i.done + 1)
        ELSE i.taken + 1
    END
WHERE i.id = %(item)s AND (i.status <> 'closed' OR i.routed <> '')
    AND (%(status)s <> 'open' OR NOT EXISTS (
        SELECT 1 FROM curation_reviewitem twin
        WHERE twin.sample_id = i.sample_id AND twin.queue = i.queue AND twin.status = 'open'
            AND twin.id <> i.id
    ));

-- stranded --
-- Items that were answered and wait for another reviewer whom the project has no more: they left,
-- or have seen the text elsewhere since.
SELECT i.id, i.project_id, i.sample_id FROM curation_reviewitem i
WHERE i.status = 'open' AND i.done > 0 AND i.taken = i.done AND NOT i.for_senior
    AND NOT EXISTS (
        SELECT 1 FROM curation_membership m JOIN core_user u ON u.id = m.user_id AND u.is_active
        WHERE m.project_id = i.project_id AND m.role IN ('annotator', 'senior')
            AND NOT EXISTS (
                SELECT 1 FROM curation_annotation a
                WHERE a.sample_id = i.sample_id AND a.user_id = m.user_id
                    AND (a.undone_at IS NULL OR a.kind = 'label')
            )
            AND NOT EXISTS (
                SELECT 1 FROM curation_exposure e
                WHERE e.sample_id = i.sample_id AND e.user_id = m.user_id
            )
    )
ORDER BY i.id LIMIT %(limit)s;

-- lock_sample --
-- As everyone does who decides about one of its items.
SELECT id FROM curation_sample WHERE id = %(sample)s FOR NO KEY UPDATE;

-- settle_siblings --
-- The sample is answered: other queues need not ask (on), unless someone is looking. The audit must:
-- its truths would otherwise be short of just the texts that users dispute. Gold asks for reasons
-- of its own.
UPDATE curation_reviewitem SET status = 'closed', closed_at = %(now)s
WHERE id IN (
    SELECT id FROM curation_reviewitem
    WHERE sample_id = %(sample)s AND status = 'open' AND taken = done AND id <> %(item)s
        AND queue NOT IN ('audit', 'gold')
    ORDER BY id FOR UPDATE SKIP LOCKED
);

-- adopt --
-- Audit items of a project whose turn has come and that nobody is left to answer, but whose text was
-- answered blind in another queue: those answers are the audit's. Turns matter: were such items
-- done at once, the disputed texts among them would come before the undisputed that wait, and the
-- audit labels at hand would overrepresent the model's mistakes.
UPDATE curation_reviewitem SET status = 'done', is_adopted = true, closed_at = %(now)s
WHERE id IN (
    SELECT i.id
    FROM curation_reviewitem i
    LEFT JOIN (
        SELECT before.id FROM curation_reviewitem before
        WHERE before.project_id = %(project)s AND before.queue = 'audit'
            AND before.status = 'open' AND before.taken < before.needed
            AND NOT EXISTS (
                SELECT 1 FROM curation_annotation a
                WHERE a.sample_id = before.sample_id AND a.kind = 'label'
            )
        ORDER BY before.for_senior DESC, before.priority DESC, before.id LIMIT 1
    ) waiting ON true
    WHERE i.project_id = %(project)s AND i.queue = 'audit' AND i.status = 'open'
        AND i.taken < i.needed AND i.taken = 0 AND (waiting.id IS NULL OR i.id < waiting.id)
        AND EXISTS (
            SELECT 1 FROM curation_annotation a
            WHERE a.sample_id = i.sample_id AND a.kind = 'label' AND a.is_blind
                AND NOT a.is_extra AND a.undone_at IS NULL
        )
        AND NOT EXISTS (
            SELECT 1 FROM curation_membership m
            JOIN core_user u ON u.id = m.user_id AND u.is_active
            WHERE m.project_id = i.project_id AND m.role IN ('annotator', 'senior')
                AND NOT EXISTS (
                    SELECT 1 FROM curation_annotation a
                    WHERE a.sample_id = i.sample_id AND a.user_id = m.user_id
                        AND (a.undone_at IS NULL OR a.kind = 'label')
                )
                AND NOT EXISTS (
                    SELECT 1 FROM curation_exposure e
                    WHERE e.sample_id = i.sample_id AND e.user_id = m.user_id
                )
        )
    ORDER BY i.id LIMIT %(adopted)s FOR UPDATE OF i SKIP LOCKED
);

-- reopen_adopted --
-- An answer was taken back: audit items that lived on it ask again.
UPDATE curation_reviewitem i SET status = 'open', is_adopted = false, closed_at = NULL
WHERE i.sample_id = %(sample)s AND i.is_adopted
    AND NOT EXISTS (
        SELECT 1 FROM curation_annotation a
        WHERE a.sample_id = i.sample_id AND a.kind = 'label' AND a.is_blind
            AND NOT a.is_extra AND a.undone_at IS NULL
    )
    AND NOT EXISTS (
        SELECT 1 FROM curation_reviewitem twin
        WHERE twin.sample_id = i.sample_id AND twin.queue = i.queue AND twin.status = 'open'
            AND twin.id <> i.id
    );
