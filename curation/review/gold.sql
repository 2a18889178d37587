-- grow --
-- Texts become gold whose answer seniors agree on: two or more of them, or one with everyone else
-- who answered. Only blind answers count, and none that was given to gold. Looks at what seniors
-- have answered lately; a text is gold once.
WITH senior AS (
    SELECT project_id, user_id FROM curation_membership WHERE role = ANY (%(senior_roles)s)
),
asked AS (
    SELECT DISTINCT s.project_id, s.id
    FROM senior
    JOIN curation_annotation a ON a.user_id = senior.user_id AND a.submitted_at >= %(since)s
    JOIN curation_sample s ON s.id = a.sample_id AND s.project_id = senior.project_id
    WHERE a.kind = 'label' AND a.is_blind AND NOT a.is_extra AND a.undone_at IS NULL
        AND s.text IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM curation_golditem g WHERE g.sample_id = s.id)
),
said AS (
    SELECT asked.project_id, asked.id, count(*) AS n,
        count(senior.user_id) AS n_seniors,
        min(a.value) FILTER (WHERE senior.user_id IS NOT NULL) AS value,
        max(a.value) FILTER (WHERE senior.user_id IS NOT NULL) AS other,
        min(a.value) = max(a.value) AS is_unanimous
    FROM asked
    JOIN curation_annotation a ON a.sample_id = asked.id
    JOIN curation_reviewitem i ON i.id = a.item_id AND i.queue <> 'gold'
    LEFT JOIN senior ON senior.project_id = asked.project_id AND senior.user_id = a.user_id
    WHERE a.kind = 'label' AND a.is_blind AND NOT a.is_extra AND a.undone_at IS NULL
    GROUP BY asked.project_id, asked.id
)
INSERT INTO curation_golditem
    (project_id, sample_id, value, grounds, created_at, retired_reason, is_bad)
SELECT said.project_id, said.id, said.value,
    CASE WHEN said.n_seniors > 1 THEN said.n_seniors || ' senior annotators agree.'
        ELSE 'A senior annotator and ' || said.n - 1 || ' more agree.' END,
    %(now)s, '', false
FROM said
WHERE said.value = said.other AND (said.n_seniors >= 2 OR (said.n >= 2 AND said.is_unanimous))
    AND (
        SELECT count(*) FROM curation_golditem g
        WHERE g.project_id = said.project_id AND g.retired_at IS NULL
    ) < %(most)s
    AND EXISTS (
        SELECT 1 FROM curation_labeloption o
        WHERE o.project_id = said.project_id AND o.name = said.value
    )
ORDER BY said.id LIMIT %(limit)s
ON CONFLICT (sample_id) DO NOTHING;

-- serve --
-- Keep some gold in the queue, each as an item of its own for one annotator: it is as new as what
-- it is served among, and what most people have not seen comes first.
WITH waiting AS (
    SELECT project_id, count(*) AS n FROM curation_reviewitem
    WHERE queue = 'gold' AND status = 'open' GROUP BY project_id
),
unseen AS (
    SELECT g.project_id, g.sample_id, s.prediction_id, count(*) AS n
    FROM curation_golditem g
    JOIN curation_sample s ON s.id = g.sample_id AND s.text IS NOT NULL
    JOIN curation_curationpolicy policy ON policy.project_id = g.project_id
        AND policy.gold_share > 0
    JOIN curation_membership m ON m.project_id = g.project_id AND m.role IN ('annotator', 'senior')
    JOIN core_user u ON u.id = m.user_id AND u.is_active
    WHERE g.retired_at IS NULL
        AND NOT EXISTS (
            SELECT 1 FROM curation_annotation a
            WHERE a.sample_id = g.sample_id AND a.user_id = m.user_id
        )
        AND NOT EXISTS (
            SELECT 1 FROM curation_exposure e
            WHERE e.sample_id = g.sample_id AND e.user_id = m.user_id
        )
        AND NOT EXISTS (
            SELECT 1 FROM curation_reviewitem i
            WHERE i.sample_id = g.sample_id AND i.queue = 'gold' AND i.status = 'open'
        )
    GROUP BY g.project_id, g.sample_id, s.prediction_id
),
chosen AS (
    SELECT unseen.*,
        row_number() OVER (PARTITION BY project_id ORDER BY unseen.n DESC, random()) AS place
    FROM unseen
)
INSERT INTO curation_reviewitem
    (project_id, sample_id, queue, status, priority, needed, taken, done, skips, why,
     prediction_id, model_version, created_at)
SELECT c.project_id, c.sample_id, 'gold', 'open', round(random()::numeric, 2), 1, 0, 0, 0,
    '{"sentence": "Senior annotators agree on it: it shows how well the answers fit."}'::jsonb,
    c.prediction_id, '', %(now)s
FROM chosen c LEFT JOIN waiting ON waiting.project_id = c.project_id
WHERE c.place <= %(size)s - coalesce(waiting.n, 0)
ORDER BY c.sample_id
ON CONFLICT (sample_id, queue) WHERE status = 'open' DO NOTHING;

-- rotate --
-- Gold that nobody took for a while makes way: old items among new ones would stand out.
UPDATE curation_reviewitem SET status = 'closed', closed_at = %(now)s
WHERE id IN (
    SELECT id FROM curation_reviewitem
    WHERE queue = 'gold' AND status = 'open' AND taken = 0 AND created_at < %(before)s
    ORDER BY id FOR UPDATE SKIP LOCKED
);

-- tallies --
-- How annotators fared with gold that someone failed or passed on, and what is believed of it now.
SELECT g.id, g.project_id, g.sample_id, g.value,
    count(*) FILTER (WHERE a.kind = 'label' AND a.value = g.value) AS n_right,
    count(*) FILTER (WHERE a.kind = 'label' AND a.value <> g.value) AS n_wrong,
    count(*) FILTER (WHERE a.kind = 'skip' AND a.skip_reason <> 'other') AS n_passed
FROM curation_golditem g
JOIN curation_reviewitem i ON i.sample_id = g.sample_id AND i.queue = 'gold'
JOIN curation_annotation a ON a.item_id = i.id
WHERE g.retired_at IS NULL AND a.is_blind AND NOT a.is_extra AND a.undone_at IS NULL
GROUP BY g.id
HAVING bool_or(a.kind = 'skip' OR a.value <> g.value)
ORDER BY g.id;

-- unfounded --
-- Gold of these samples (of all, without any) whose grounds are gone: seniors took answers back, or
-- one has decided otherwise since.
WITH said AS (
    SELECT g.id, g.value, count(a.id) AS n, count(m.id) AS n_seniors,
        coalesce(bool_and(a.value = g.value) FILTER (WHERE m.id IS NOT NULL), false) AS agree,
        coalesce(bool_and(a.value = g.value), false) AS is_unanimous
    FROM curation_golditem g
    LEFT JOIN (
        curation_annotation a JOIN curation_reviewitem i ON i.id = a.item_id AND i.queue <> 'gold'
    ) ON a.sample_id = g.sample_id AND a.kind = 'label' AND a.is_blind AND NOT a.is_extra
        AND a.undone_at IS NULL
    LEFT JOIN curation_membership m ON m.project_id = g.project_id AND m.user_id = a.user_id
        AND m.role = ANY (%(senior_roles)s)
    WHERE g.retired_at IS NULL AND (%(samples)s IS NULL OR g.sample_id = ANY (%(samples)s::bigint[]))
    GROUP BY g.id
)
SELECT g.id, g.project_id, g.sample_id, g.value
FROM said JOIN curation_golditem g ON g.id = said.id
WHERE NOT (said.agree AND (said.n_seniors >= 2 OR (said.n >= 2 AND said.is_unanimous)))
ORDER BY g.id;

-- retire --
-- Serve it no more. Items that nobody holds close with it.
WITH retired AS (
    UPDATE curation_golditem SET retired_at = %(now)s, retired_by_id = %(by)s,
        retired_reason = %(reason)s, is_bad = %(is_bad)s
    WHERE id = %(gold)s AND retired_at IS NULL
    RETURNING sample_id
),
closed AS (
    UPDATE curation_reviewitem i SET status = 'closed', closed_at = %(now)s
    FROM retired
    WHERE i.sample_id = retired.sample_id AND i.queue = 'gold' AND i.status = 'open'
        AND i.taken = 0
)
SELECT sample_id FROM retired;

-- answers --
-- What annotators answered to gold, blind; gold in doubt judges nobody.
SELECT a.user_id, a.sample_id, a.value, g.value AS truth, a.submitted_at
FROM curation_golditem g
JOIN curation_reviewitem i ON i.sample_id = g.sample_id AND i.queue = 'gold'
JOIN curation_annotation a ON a.item_id = i.id
WHERE g.project_id = %(project)s AND NOT g.is_bad AND a.kind = 'label' AND a.is_blind
    AND NOT a.is_extra AND a.undone_at IS NULL
ORDER BY a.user_id, a.id;
