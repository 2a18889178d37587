-- unindexed --
-- Samples with an answer the index has not seen, and whether they are new to it. How far it has come
-- is its highest answer; those just below it are looked at again, because answers are not committed
-- in the order of their numbers. Erased texts are counted as seen, and have no words.
SELECT newest.annotation_id, s.project_id, s.id AS sample_id, coalesce(s.text, '') AS text,
    p.sample_id IS NULL AS is_new
FROM (
    SELECT sample_id, max(id) AS annotation_id FROM (
        SELECT id, sample_id FROM curation_annotation
        WHERE id > coalesce((SELECT max(annotation_id) FROM curation_precedent), 0) - %(overlap)s
            AND kind = 'label' AND undone_at IS NULL
        ORDER BY id LIMIT %(limit)s
    ) answers
    GROUP BY sample_id
) newest
JOIN curation_sample s ON s.id = newest.sample_id
LEFT JOIN curation_precedent p ON p.sample_id = s.id
WHERE p.sample_id IS NULL OR p.annotation_id < newest.annotation_id
ORDER BY s.id;

-- index --
-- Two workers may index the same sample: the second adds nothing.
INSERT INTO curation_precedent (sample_id, annotation_id)
SELECT * FROM unnest(%(samples)s::bigint[], %(annotations)s::bigint[])
ON CONFLICT (sample_id) DO UPDATE SET annotation_id = excluded.annotation_id
WHERE curation_precedent.annotation_id < excluded.annotation_id;

-- index_words --
INSERT INTO curation_precedentword (project_id, word, sample_id)
SELECT * FROM unnest(%(projects)s::integer[], %(words)s::bigint[], %(word_samples)s::bigint[])
ON CONFLICT DO NOTHING;

-- alike --
-- Answered samples that share words with a text, the rarer the words the better. Of each word at
-- most so many samples are read, the newest, so that the cost does not grow with the table: a word
-- that is in more of them says little, and weighs as if it were in just as many.
--
-- Left out: the text itself, and whatever waits for an answer or may be served again to find out
-- who labels well. Its answers must stay unknown to whoever may yet be asked.
WITH asked AS MATERIALIZED (
    SELECT samples, 1 / sqrt(array_length(samples, 1)) AS weight
    FROM unnest(%(words)s::bigint[]) AS asked_word (word)
    CROSS JOIN LATERAL (
        SELECT array_agg(sample_id) AS samples FROM (
            SELECT w.sample_id FROM curation_precedentword w
            WHERE w.project_id = %(project)s AND w.word = asked_word.word
            ORDER BY w.sample_id DESC LIMIT %(per_word)s
        ) newest
    ) found
    WHERE samples IS NOT NULL
),
shared AS (
    SELECT sample_id, sum(weight) AS weight, sum(weight) / (SELECT sum(weight) FROM asked) AS share
    FROM asked CROSS JOIN LATERAL unnest(samples) AS sample_id
    WHERE sample_id <> %(sample)s
    GROUP BY sample_id ORDER BY weight DESC, sample_id DESC LIMIT %(candidates)s
)
SELECT s.id AS sample_id, s.text, l.value, shared.weight
FROM shared
JOIN curation_sample s ON s.id = shared.sample_id
JOIN curation_label l ON l.sample_id = s.id AND l.is_current AND l.origin = 'annotation'
WHERE shared.share >= %(least_share)s AND s.text IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM curation_reviewitem i
        WHERE i.sample_id = s.id AND (i.status = 'open' OR i.queue = 'gold')
    )
ORDER BY shared.weight DESC, s.id DESC;
