-- lock_items --
-- Lock the open items of these samples, in the order every statement that locks several uses.
SELECT id FROM curation_reviewitem
WHERE sample_id = ANY (%(samples)s::bigint[]) AND status = 'open'
ORDER BY id FOR UPDATE;

-- open_items --
-- Put samples into queues; one that is in the queue already gets the newer priority and reason.
-- In the order of the samples, as the digest locks them. An update that changes nothing would
-- still rewrite index entries: it is left out.
INSERT INTO curation_reviewitem
    (project_id, sample_id, queue, status, priority, needed, taken, done, skips, for_senior,
     routed, why, prediction_id, model_version, inclusion_probability, created_at)
SELECT %(project)s, n.sample_id, n.queue, 'open', n.priority,
    coalesce((SELECT overlap FROM curation_curationpolicy WHERE project_id = %(project)s), 1),
    0, 0, 0, jsonb_exists(n.why, 'senior'),
    CASE WHEN jsonb_exists(n.why, 'senior') THEN 'opened' ELSE '' END, n.why,
    n.prediction_id, n.model_version, n.inclusion_probability, %(now)s
FROM unnest(%(samples)s::bigint[], %(queue_names)s::text[], %(priorities)s::float8[],
            %(whys)s::jsonb[], %(predictions)s::uuid[], %(versions)s::text[],
            %(inclusions)s::float8[])
     AS n (sample_id, queue, priority, why, prediction_id, model_version, inclusion_probability)
ORDER BY n.sample_id, n.queue
ON CONFLICT (sample_id, queue) WHERE status = 'open' DO UPDATE SET
    priority = excluded.priority, why = excluded.why, model_version = excluded.model_version
WHERE (curation_reviewitem.priority, curation_reviewitem.why, curation_reviewitem.model_version)
    IS DISTINCT FROM (excluded.priority, excluded.why, excluded.model_version);

-- close_untouched --
-- Close open items of these samples in one queue that nobody has looked at, and say why.
UPDATE curation_reviewitem SET status = 'closed', closed_at = %(now)s,
    why = why || jsonb_build_object('closed', %(reason)s::text)
WHERE id IN (
    SELECT id FROM curation_reviewitem
    WHERE sample_id = ANY (%(samples)s::bigint[]) AND queue = %(queue)s AND status = 'open'
        AND taken = 0 AND id IS DISTINCT FROM %(but)s::bigint
    ORDER BY id FOR UPDATE
);

-- expose --
-- Someone has seen what is hidden about these samples; what they hold of them goes to others. The
-- first time counts, and unknown samples are passed over. Items are locked in order before they
-- are changed.
INSERT INTO curation_exposure (sample_id, user_id, at)
SELECT s.id, %(user)s, %(now)s FROM curation_sample s WHERE s.id = ANY (%(samples)s::bigint[])
ORDER BY s.id
ON CONFLICT (sample_id, user_id) DO NOTHING;
WITH gone AS (
    DELETE FROM curation_lease l USING curation_reviewitem i
    WHERE i.id = l.item_id AND i.sample_id = ANY (%(samples)s::bigint[]) AND l.user_id = %(user)s
    RETURNING l.item_id
),
locked AS MATERIALIZED (
    SELECT id FROM curation_reviewitem WHERE id IN (SELECT item_id FROM gone)
    ORDER BY id FOR UPDATE
)
UPDATE curation_reviewitem i SET taken = i.taken - 1
FROM locked WHERE i.id = locked.id;

-- crooked --
-- Items whose counters differ from the leases and answers they count.
SELECT i.id
FROM curation_reviewitem i
LEFT JOIN (
    SELECT item_id, count(*) AS n FROM curation_lease GROUP BY item_id
) held ON held.item_id = i.id
LEFT JOIN (
    SELECT item_id, count(*) AS n FROM curation_annotation
    WHERE kind = 'label' AND is_blind AND NOT is_extra AND undone_at IS NULL
    GROUP BY item_id
) given ON given.item_id = i.id
WHERE i.taken <> coalesce(held.n, 0) + coalesce(given.n, 0) OR i.done <> coalesce(given.n, 0)
ORDER BY i.id LIMIT %(limit)s;

-- straighten --
-- Count again what seemed wrong, once the items are locked: whoever was in the middle of a change
-- is through by then. An open item that has all it needs asks for one more, so that it is decided.
SELECT id FROM curation_reviewitem WHERE id = ANY (%(items)s::bigint[]) ORDER BY id FOR UPDATE;
UPDATE curation_reviewitem i SET
    taken = counted.held + counted.given, done = counted.given,
    needed = greatest(
        i.needed, counted.held + counted.given,
        CASE WHEN i.status = 'open' THEN counted.given + 1 ELSE 0 END
    )
FROM (
    SELECT id,
        (SELECT count(*) FROM curation_lease WHERE item_id = each.id) AS held,
        (
            SELECT count(*) FROM curation_annotation
            WHERE item_id = each.id AND kind = 'label' AND is_blind AND NOT is_extra
                AND undone_at IS NULL
        ) AS given
    FROM unnest(%(items)s::bigint[]) AS each (id)
) counted
WHERE counted.id = i.id AND (i.taken, i.done) <> (counted.held + counted.given, counted.given);
