-- notice --
-- Mark the projects whose answers came or went since the newest mark, which all rows share: a
-- project without news costs nothing. The marks are parameters, not subqueries, for the planner to
-- see that there is little beyond them. They stay a minute behind: whoever commits late, with an id
-- or a time from before, is noticed all the same.
WITH horizon AS (
    SELECT greatest(%(seen_id)s, (
        SELECT max(a.id) FROM curation_annotation a
        WHERE a.id > %(seen_id)s AND a.submitted_at <= %(settled)s
    )) AS id
),
news AS (
    SELECT a.sample_id FROM curation_annotation a
    WHERE a.id > %(seen_id)s AND a.kind = 'label'
    UNION
    SELECT a.sample_id FROM curation_annotation a
    WHERE a.undone_at > %(seen_at)s AND a.kind = 'label'
)
INSERT INTO curation_agreementstate
    (project_id, is_due, seen_annotation_id, seen_at, weighed_by)
SELECT found.project_id, true, horizon.id, %(settled)s::timestamptz, '{}'::jsonb
FROM (
    SELECT DISTINCT s.project_id FROM news JOIN curation_sample s ON s.id = news.sample_id
) found CROSS JOIN horizon
ORDER BY found.project_id
ON CONFLICT (project_id) DO UPDATE SET is_due = true,
    seen_annotation_id = excluded.seen_annotation_id, seen_at = excluded.seen_at;

-- annotators --
-- Who gave blind answers that stand, how many, and whether they are seniors today.
SELECT given.user_id, given.n,
    u.is_superuser OR coalesce(m.role = ANY (%(senior_roles)s), false) AS is_senior
FROM (
    SELECT a.user_id, count(*) AS n
    FROM curation_annotation a JOIN curation_sample s ON s.id = a.sample_id
    WHERE s.project_id = %(project)s AND a.kind = 'label' AND a.is_blind AND NOT a.is_extra
        AND a.undone_at IS NULL
    GROUP BY a.user_id
) given
JOIN core_user u ON u.id = given.user_id
LEFT JOIN curation_membership m ON m.user_id = given.user_id AND m.project_id = %(project)s
ORDER BY given.user_id;

-- shared_answers --
-- The newest answers that something can be learned from: to texts with several, and to gold, whose
-- truth is known; what it was made of says nothing about those who made it. An annotator's answers
-- to one text are at most one, since a second is never blind. Labels by position.
WITH newest AS (
    SELECT a.sample_id, a.user_id, array_position(%(labels)s::text[], a.value::text) - 1 AS said,
        coalesce(array_position(%(labels)s::text[], g.value::text) - 1, -1) AS known
    FROM curation_annotation a
    JOIN curation_sample s ON s.id = a.sample_id
    JOIN curation_reviewitem i ON i.id = a.item_id
    LEFT JOIN curation_golditem g ON g.sample_id = a.sample_id AND NOT g.is_bad
    WHERE s.project_id = %(project)s AND a.kind = 'label' AND a.is_blind AND NOT a.is_extra
        AND a.undone_at IS NULL AND a.value = ANY (%(labels)s)
        AND (g.id IS NOT NULL) = (i.queue = 'gold')
    ORDER BY a.id DESC LIMIT %(most)s
),
counted AS (SELECT *, count(*) OVER (PARTITION BY sample_id) AS n FROM newest)
SELECT sample_id, user_id, said, known
FROM counted WHERE n >= 2 OR known >= 0
ORDER BY sample_id, user_id;

-- write_records --
-- Each annotator's record as it is now; who has no answer that stands has none.
DELETE FROM curation_annotatorquality
WHERE project_id = %(project)s AND user_id <> ALL (%(users)s::bigint[]);
INSERT INTO curation_annotatorquality
    (project_id, user_id, n_answers, n_compared, n_gold, n_effective, accuracy, low, high,
     confusion, computed_at)
SELECT %(project)s, n.*, %(now)s
FROM unnest(%(users)s::bigint[], %(answers)s::int[], %(compared)s::int[], %(gold)s::int[],
            %(effective)s::float8[], %(accuracies)s::float8[], %(lows)s::float8[],
            %(highs)s::float8[], %(confusions)s::jsonb[]) AS n
ORDER BY 2
ON CONFLICT (project_id, user_id) DO UPDATE SET
    n_answers = excluded.n_answers, n_compared = excluded.n_compared, n_gold = excluded.n_gold,
    n_effective = excluded.n_effective, accuracy = excluded.accuracy, low = excluded.low,
    high = excluded.high, confusion = excluded.confusion, computed_at = excluded.computed_at;

-- window --
-- The next labels by annotators, by sample, with how many answers each sample has. Answers to
-- hidden gold do not speak about its label: they are what is judged by it. What a senior has decided
-- (or called spam) is left as decided.
SELECT s.id AS sample_id, (
        SELECT count(*) FROM curation_annotation a
        JOIN curation_reviewitem i ON i.id = a.item_id
        WHERE a.sample_id = s.id AND a.kind = 'label' AND a.is_blind AND NOT a.is_extra
            AND a.undone_at IS NULL AND i.queue <> 'gold'
    ) AS n_answers
FROM curation_sample s
JOIN curation_label l ON l.sample_id = s.id AND l.is_current AND l.origin = 'annotation'
WHERE s.project_id = %(project)s AND s.id > %(after)s
    AND NOT EXISTS (
        SELECT 1 FROM curation_reviewitem i
        WHERE i.sample_id = s.id AND i.routed <> '' AND i.status <> 'open'
    )
ORDER BY s.id LIMIT %(limit)s;

-- lock_samples --
-- As everyone does who writes labels, before the answers are read.
SELECT id FROM curation_sample WHERE id = ANY (%(samples)s::bigint[])
ORDER BY id FOR NO KEY UPDATE;

-- believed --
-- What is believed of these samples, what their annotators said, what that made of them when it
-- was last weighed, and what the model had said when the text first came: before any label.
SELECT s.id AS sample_id, l.value, coalesce(l.word, l.quality) AS word, answers.given,
    ARRAY(
        SELECT e.annotation_id FROM curation_labelevidence e
        WHERE e.label_id = l.id AND e.annotation_id IS NOT NULL
    ) AS grounds,
    c.value AS was_value, c.crowd_value AS was_crowd_value,
    p.probabilities, coalesce(p.model_version, '') AS model_version
FROM curation_sample s
JOIN curation_label l ON l.sample_id = s.id AND l.is_current AND l.origin = 'annotation'
CROSS JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_array(a.id, a.user_id, a.value,
        u.is_superuser OR coalesce(m.role = ANY (%(senior_roles)s), false)) ORDER BY a.id) AS given
    FROM curation_annotation a
    JOIN curation_reviewitem i ON i.id = a.item_id
    JOIN core_user u ON u.id = a.user_id
    LEFT JOIN curation_membership m ON m.user_id = a.user_id AND m.project_id = s.project_id
    WHERE a.sample_id = s.id AND a.kind = 'label' AND a.is_blind AND NOT a.is_extra
        AND a.undone_at IS NULL AND i.queue <> 'gold'
) answers
LEFT JOIN curation_sampleconsensus c ON c.sample_id = s.id
LEFT JOIN curation_prediction p ON p.id = s.prediction_id
WHERE s.id = ANY (%(samples)s::bigint[]) AND answers.given IS NOT NULL
ORDER BY s.id;

-- write_consensus --
INSERT INTO curation_sampleconsensus
    (sample_id, value, posterior, n_answers, crowd_value, crowd_quality, model_version, computed_at)
SELECT n.*, %(now)s
FROM unnest(%(samples)s::bigint[], %(values)s::text[], %(posteriors)s::float8[], %(answers)s::int[],
            %(crowd_values)s::text[], %(crowd_qualities)s::float8[], %(versions)s::text[]) AS n
ON CONFLICT (sample_id) DO UPDATE SET
    value = excluded.value, posterior = excluded.posterior, n_answers = excluded.n_answers,
    crowd_value = excluded.crowd_value, crowd_quality = excluded.crowd_quality,
    model_version = excluded.model_version, computed_at = excluded.computed_at;
