-- free --
-- How many items one annotator could claim in each queue, counted no further than they may ask for,
-- and how many they hold. Ordered like the index, which the planner then walks.
SELECT wanted.queue,
    (
        SELECT count(*) FROM (
            SELECT 1 FROM curation_reviewitem i
            WHERE i.project_id = %(project)s AND i.queue = wanted.queue AND i.status = 'open'
                AND i.taken < i.needed
                AND NOT EXISTS (
                    SELECT 1 FROM curation_lease l
                    WHERE l.item_id = i.id AND l.user_id = %(user)s
                )
                AND NOT EXISTS (
                    SELECT 1 FROM curation_annotation a
                    WHERE a.sample_id = i.sample_id AND a.user_id = %(user)s
                        AND (a.undone_at IS NULL OR a.kind = 'label')
                )
                AND NOT EXISTS (
                    SELECT 1 FROM curation_exposure e
                    WHERE e.sample_id = i.sample_id AND e.user_id = %(user)s
                )
            ORDER BY i.priority DESC, i.id
            LIMIT %(limit)s
        ) bounded
    ) AS free,
    (
        SELECT count(*) FROM curation_lease l
        JOIN curation_reviewitem i ON i.id = l.item_id
        WHERE l.user_id = %(user)s AND l.expires_at > %(now)s AND i.project_id = %(project)s
            AND i.status = 'open' AND i.queue = wanted.queue
    ) AS held
FROM unnest(%(queues)s) AS wanted (queue);

-- claim --
-- Lease items to one annotator: first those they hold already (a reload, a second tab), then free
-- ones, from each queue as many as were drawn for it, the most urgent first. The queues are
-- shuffled into each other (the items of each draw lots for their places, and take them in order of
-- urgency): the order must not tell one from another.
--
-- Rows another transaction has locked are passed over (SKIP LOCKED), so that annotators never wait
-- for each other. The lateral scan is lazy: it locks no more rows than it hands out. The lease is
-- inserted before the slot is counted, so that a second tab that lost a race counts nothing.
--
-- Nobody is served a text they have answered in any queue, even if they undid it: they have seen
-- what the model and the users said. A skip that stands keeps it from them too, and so does a look
-- at a page that shows what is hidden.
SELECT pg_advisory_xact_lock(%(lock_class)s, %(user)s);
WITH own AS MATERIALIZED (
    SELECT l.item_id, l.expires_at
    FROM curation_lease l
    JOIN curation_reviewitem i ON i.id = l.item_id
    WHERE l.user_id = %(user)s AND l.expires_at > %(now)s AND i.project_id = %(project)s
        AND i.status = 'open' AND i.queue = ANY (%(queues)s)
),
free AS MATERIALIZED (
    SELECT candidate.id
    FROM unnest(%(queues)s, %(drawn)s::bigint[]) AS wanted (queue, n)
    CROSS JOIN LATERAL (
        SELECT i.id FROM curation_reviewitem i
        WHERE i.project_id = %(project)s AND i.queue = wanted.queue AND i.status = 'open'
            AND i.taken < i.needed
            AND NOT EXISTS (
                SELECT 1 FROM curation_lease l
                WHERE l.item_id = i.id AND l.user_id = %(user)s
            )
            AND NOT EXISTS (
                SELECT 1 FROM curation_annotation a
                WHERE a.sample_id = i.sample_id AND a.user_id = %(user)s
                    AND (a.undone_at IS NULL OR a.kind = 'label')
            )
            AND NOT EXISTS (
                SELECT 1 FROM curation_exposure e
                WHERE e.sample_id = i.sample_id AND e.user_id = %(user)s
            )
        ORDER BY i.priority DESC, i.id
        LIMIT wanted.n
        FOR UPDATE OF i SKIP LOCKED
    ) candidate
    LIMIT greatest(0, %(limit)s - (SELECT count(*) FROM own))
),
leased AS (
    INSERT INTO curation_lease (item_id, user_id, claimed_at, expires_at)
    SELECT id, %(user)s, %(now)s, %(now)s + make_interval(secs => coalesce(
            (SELECT lease_seconds FROM curation_curationpolicy WHERE project_id = %(project)s), 300))
    FROM free
    ON CONFLICT (item_id, user_id) DO NOTHING
    RETURNING item_id, expires_at
),
counted AS (
    UPDATE curation_reviewitem i SET taken = i.taken + 1
    FROM leased WHERE i.id = leased.item_id
    RETURNING i.id
),
held AS (
    SELECT each.item_id, each.expires_at, each.rank, i.queue,
        md5(i.id::text || ':' || %(user)s) AS lot,
        row_number() OVER (PARTITION BY each.rank, i.queue ORDER BY i.priority DESC, i.id) AS n
    FROM (
        SELECT item_id, expires_at, 0 AS rank FROM own
        UNION ALL
        SELECT item_id, expires_at, 1 FROM leased
    ) each
    JOIN curation_reviewitem i ON i.id = each.item_id
),
places AS (
    SELECT rank, queue, lot, row_number() OVER (PARTITION BY rank, queue ORDER BY lot) AS n
    FROM held
)
SELECT i.id, s.text, held.expires_at,
    coalesce((SELECT max(number) FROM curation_guideline WHERE project_id = %(project)s), 0)
        AS guideline
FROM held
JOIN places USING (rank, queue, n)
JOIN curation_reviewitem i ON i.id = held.item_id
JOIN curation_sample s ON s.id = i.sample_id
ORDER BY held.rank, places.lot, i.id;

-- heartbeat --
-- Keep leases alive while their page is; none for longer than the cap after its claim. A lease
-- that ran out but was not swept still holds its slot and is revived.
UPDATE curation_lease l SET
    expires_at = greatest(l.expires_at, least(l.claimed_at + %(cap)s, %(now)s + make_interval(secs => coalesce(
            (SELECT lease_seconds FROM curation_curationpolicy WHERE project_id = %(project)s), 300))))
FROM curation_reviewitem i
WHERE i.id = l.item_id AND i.project_id = %(project)s AND l.user_id = %(user)s
    AND l.item_id = ANY (%(items)s::bigint[]) AND l.claimed_at + %(cap)s > %(now)s
RETURNING l.item_id AS id, l.expires_at;

-- release --
-- Give leases back before they run out. Items are locked in order before they are changed.
WITH gone AS (
    DELETE FROM curation_lease l USING curation_reviewitem i
    WHERE i.id = l.item_id AND i.project_id = %(project)s AND l.user_id = %(user)s
        AND l.item_id = ANY (%(items)s::bigint[])
    RETURNING l.item_id
),
locked AS MATERIALIZED (
    SELECT id FROM curation_reviewitem WHERE id IN (SELECT item_id FROM gone)
    ORDER BY id FOR UPDATE
)
UPDATE curation_reviewitem i SET taken = i.taken - 1
FROM locked WHERE i.id = locked.id;

-- sweep --
-- Free the slots of leases that ran out. A lease its owner is using this moment is passed over.
WITH gone AS (
    DELETE FROM curation_lease WHERE id IN (
        SELECT l.id FROM curation_lease l
        WHERE l.expires_at <= %(now)s
        ORDER BY l.id LIMIT %(limit)s
        FOR UPDATE SKIP LOCKED
    )
    RETURNING item_id
),
freed AS (SELECT item_id, count(*) AS n FROM gone GROUP BY item_id),
locked AS MATERIALIZED (
    SELECT id FROM curation_reviewitem WHERE id IN (SELECT item_id FROM freed)
    ORDER BY id FOR UPDATE
)
UPDATE curation_reviewitem i SET taken = i.taken - freed.n
FROM freed JOIN locked ON locked.id = freed.item_id
WHERE i.id = freed.item_id;

-- why_empty --
-- Why there is nothing to claim: items others hold, items this annotator has dealt with or has seen
-- on another page, the rest.
SELECT count(*) AS open_items,
    count(*) FILTER (WHERE is_mine) AS done_by_you,
    count(*) FILTER (WHERE is_seen AND NOT is_mine) AS seen_by_you,
    count(*) FILTER (WHERE NOT is_mine AND NOT is_seen AND taken >= needed) AS leased_by_others,
    min(frees_at) FILTER (WHERE NOT is_mine AND NOT is_seen AND taken >= needed) AS next_free_at
FROM (
    SELECT i.taken, i.needed,
        EXISTS (
            SELECT 1 FROM curation_annotation a
            WHERE a.sample_id = i.sample_id AND a.user_id = %(user)s
                AND (a.undone_at IS NULL OR a.kind = 'label')
        ) AS is_mine,
        EXISTS (
            SELECT 1 FROM curation_exposure e
            WHERE e.sample_id = i.sample_id AND e.user_id = %(user)s
        ) AS is_seen,
        (SELECT min(l.expires_at) FROM curation_lease l
         WHERE l.item_id = i.id AND l.user_id <> %(user)s) AS frees_at
    FROM curation_reviewitem i
    WHERE i.project_id = %(project)s AND i.status = 'open' AND i.queue = ANY (%(queues)s)
) open;

-- depths --
-- How deep each queue is, and what waits longest.
SELECT queue, count(*) AS open, count(*) FILTER (WHERE taken < needed) AS free,
    min(created_at) AS oldest_at
FROM curation_reviewitem
WHERE project_id = %(project)s AND status = 'open'
GROUP BY queue ORDER BY queue;

-- depth --
-- How many items are free to claim, counted no further than a bound: a million would take long.
SELECT count(*) FROM (
    SELECT 1 FROM curation_reviewitem
    WHERE project_id = %(project)s AND queue = ANY (%(queues)s) AND status = 'open'
        AND taken < needed
    LIMIT %(limit)s
) bounded;
