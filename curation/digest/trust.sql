-- sources --
-- What was counted of its sources: few rows, and none before the
-- first adjudication.
SELECT t.source_id, t.agreed, t.disagreed, t.agreed_count, t.disagreed_count, t.as_of,
    t.half_life_days
FROM curation_sourcetrust t
WHERE t.project_id = %(project)s
ORDER BY t.source_id;

-- subjects --
-- What was counted of some subjects.
SELECT subject_hash, source_id, agreed, disagreed, agreed_count, disagreed_count, as_of
FROM curation_subjecttrust
WHERE project_id = %(project)s AND subject_hash = ANY (%(subjects)s::bytea[]);

-- half_life --
-- That a project's counts fade by, in days: its policy's, or what they were made with so far.
SELECT coalesce(
    (SELECT max(half_life_days) FROM curation_sourcetrust WHERE project_id = %(project)s),
    (SELECT trust_half_life_days FROM curation_curationpolicy WHERE project_id = %(project)s), 90
)::float8;

-- ledger --
-- What was counted about these samples, and whether each voice still speaks.
SELECT v.feedback_id::text, v.sample_id, v.source_id, v.subject_hash, v.has_agreed, v.spoken_at,
    EXISTS (
        SELECT 1 FROM curation_feedbackoutcome o
        WHERE o.feedback_id = v.feedback_id AND o.state = 'counted'
    ) AS is_standing
FROM curation_adjudicatedvoice v
WHERE v.sample_id = ANY (%(samples)s::bigint[])
ORDER BY v.feedback_id;

-- take_back --
-- Adjudications that no longer hold.
DELETE FROM curation_adjudicatedvoice WHERE feedback_id = ANY (%(ids)s::uuid[]);

-- write_down --
-- Adjudications, once each: whoever judged a voice before has counted it.
INSERT INTO curation_adjudicatedvoice
    (feedback_id, project_id, sample_id, source_id, subject_hash, has_agreed, spoken_at)
SELECT n.feedback_id, %(project)s, n.sample_id, n.source_id, n.subject_hash, n.has_agreed,
    n.spoken_at
FROM unnest(%(ids)s::uuid[], %(samples)s::bigint[], %(sources)s::bigint[], %(subjects)s::bytea[],
            %(agreed)s::boolean[], %(spoken)s::timestamptz[])
    AS n (feedback_id, sample_id, source_id, subject_hash, has_agreed, spoken_at)
ORDER BY 1
ON CONFLICT (feedback_id) DO NOTHING
RETURNING feedback_id::text;

-- add_subjects --
-- Counts fade to the present and take what is new, or give it back. Rows are made, then locked in
-- one order, then changed: two weighings wait for, not against, each other.
INSERT INTO curation_subjecttrust
    (project_id, subject_hash, source_id, agreed, disagreed, agreed_count, disagreed_count, as_of)
SELECT %(project)s, n.subject_hash, n.source_id, 0, 0, 0, 0, %(now)s
FROM unnest(%(subjects)s::bytea[], %(sources)s::bigint[]) AS n (subject_hash, source_id)
ORDER BY n.subject_hash
ON CONFLICT (project_id, subject_hash) DO NOTHING;
SELECT 1 FROM curation_subjecttrust
WHERE project_id = %(project)s AND subject_hash = ANY (%(subjects)s::bytea[])
ORDER BY subject_hash FOR UPDATE;
UPDATE curation_subjecttrust t SET
    source_id = n.source_id,
    agreed = greatest(0, t.agreed * faded.share + n.agreed),
    disagreed = greatest(0, t.disagreed * faded.share + n.disagreed),
    agreed_count = greatest(0, t.agreed_count + n.agreed_count),
    disagreed_count = greatest(0, t.disagreed_count + n.disagreed_count),
    as_of = %(now)s
FROM unnest(%(subjects)s::bytea[], %(sources)s::bigint[], %(agreed)s::float8[],
            %(disagreed)s::float8[], %(agreed_counts)s::int[], %(disagreed_counts)s::int[])
    AS n (subject_hash, source_id, agreed, disagreed, agreed_count, disagreed_count)
JOIN curation_subjecttrust held
    ON held.project_id = %(project)s AND held.subject_hash = n.subject_hash
CROSS JOIN LATERAL (
    SELECT power(0.5, extract(epoch FROM %(now)s - held.as_of)::float8 / 86400 / %(half_life)s)
) AS faded (share)
WHERE t.project_id = %(project)s AND t.subject_hash = n.subject_hash;

-- add_sources --
-- The same, of sources.
INSERT INTO curation_sourcetrust
    (project_id, source_id, agreed, disagreed, agreed_count, disagreed_count, as_of, half_life_days)
SELECT %(project)s, n.source_id, 0, 0, 0, 0, %(now)s, %(half_life)s
FROM unnest(%(sources)s::bigint[]) AS n (source_id)
ORDER BY n.source_id
ON CONFLICT (project_id, source_id) DO NOTHING;
SELECT 1 FROM curation_sourcetrust
WHERE project_id = %(project)s AND source_id = ANY (%(sources)s::bigint[])
ORDER BY source_id FOR UPDATE;
UPDATE curation_sourcetrust t SET
    agreed = greatest(0, t.agreed * faded.share + n.agreed),
    disagreed = greatest(0, t.disagreed * faded.share + n.disagreed),
    agreed_count = greatest(0, t.agreed_count + n.agreed_count),
    disagreed_count = greatest(0, t.disagreed_count + n.disagreed_count),
    as_of = %(now)s
FROM unnest(%(sources)s::bigint[], %(agreed)s::float8[], %(disagreed)s::float8[],
            %(agreed_counts)s::int[], %(disagreed_counts)s::int[])
    AS n (source_id, agreed, disagreed, agreed_count, disagreed_count)
JOIN curation_sourcetrust held
    ON held.project_id = %(project)s AND held.source_id = n.source_id
CROSS JOIN LATERAL (
    SELECT power(0.5, extract(epoch FROM %(now)s - held.as_of)::float8 / 86400 / %(half_life)s)
) AS faded (share)
WHERE t.project_id = %(project)s AND t.source_id = n.source_id;

-- reconsider_labels_of --
-- The latest texts these subjects spoke about whose labels rest on thumbs: their trust has moved.
INSERT INTO curation_weighingdue (sample_id)
SELECT DISTINCT recent.sample_id
FROM unnest(%(subjects)s::bytea[]) AS moved (subject_hash)
CROSS JOIN LATERAL (
    SELECT o.sample_id FROM curation_feedbackoutcome o
    WHERE o.project_id = %(project)s AND o.subject_hash = moved.subject_hash
        AND o.state = 'counted' AND o.sample_id IS NOT NULL
    ORDER BY o.feedback_id DESC LIMIT %(most)s
) recent
JOIN curation_label l ON l.sample_id = recent.sample_id AND l.is_current AND l.origin = 'feedback'
ORDER BY 1;

-- outdated --
-- Projects whose half-life was changed since their counts were made.
SELECT DISTINCT t.project_id FROM curation_sourcetrust t
JOIN curation_curationpolicy p ON p.project_id = t.project_id
WHERE t.half_life_days <> p.trust_half_life_days
ORDER BY 1;

-- recount --
-- Make a project's counts anew from the voices that were judged. Its rows are locked first, so that
-- no judgement is added in between; the key of a new one waits here as well.
LOCK TABLE curation_subjecttrust, curation_sourcetrust IN SHARE ROW EXCLUSIVE MODE;
UPDATE curation_sourcetrust t SET agreed = n.agreed, disagreed = n.disagreed, as_of = %(now)s,
    half_life_days = %(half_life)s
FROM (
    SELECT v.source_id,
        coalesce(sum(f.share) FILTER (WHERE v.has_agreed), 0) AS agreed,
        coalesce(sum(f.share) FILTER (WHERE NOT v.has_agreed), 0) AS disagreed
    FROM curation_adjudicatedvoice v
    CROSS JOIN LATERAL (
        SELECT power(0.5, extract(epoch FROM %(now)s - v.spoken_at)::float8 / 86400 / %(half_life)s)
    ) AS f (share)
    WHERE v.project_id = %(project)s
    GROUP BY v.source_id
) n
WHERE t.project_id = %(project)s AND t.source_id = n.source_id;
UPDATE curation_sourcetrust SET agreed = 0, disagreed = 0, as_of = %(now)s,
    half_life_days = %(half_life)s
WHERE project_id = %(project)s AND half_life_days <> %(half_life)s;
UPDATE curation_subjecttrust t SET agreed = n.agreed, disagreed = n.disagreed, as_of = %(now)s
FROM (
    SELECT v.subject_hash,
        coalesce(sum(f.share) FILTER (WHERE v.has_agreed), 0) AS agreed,
        coalesce(sum(f.share) FILTER (WHERE NOT v.has_agreed), 0) AS disagreed
    FROM curation_adjudicatedvoice v
    CROSS JOIN LATERAL (
        SELECT power(0.5, extract(epoch FROM %(now)s - v.spoken_at)::float8 / 86400 / %(half_life)s)
    ) AS f (share)
    WHERE v.project_id = %(project)s AND v.subject_hash IS NOT NULL
    GROUP BY v.subject_hash
) n
WHERE t.project_id = %(project)s AND t.subject_hash = n.subject_hash;

-- prune_voices --
-- Judgements that weigh next to nothing any more, some at a time.
DELETE FROM curation_adjudicatedvoice
WHERE feedback_id IN (
    SELECT feedback_id FROM curation_adjudicatedvoice
    WHERE spoken_at < %(before)s ORDER BY spoken_at LIMIT %(limit)s
);

-- prune_subjects --
-- Subjects of whom nothing is remembered: no voice that counts.
DELETE FROM curation_subjecttrust t
WHERE t.as_of < %(before)s AND NOT EXISTS (
    SELECT 1 FROM curation_adjudicatedvoice v
    WHERE v.project_id = t.project_id AND v.subject_hash = t.subject_hash
);
