-- claimable --
-- What one annotator may be served, of items ``i``: this text stands in the statements below where
-- they say {claimable}. Nobody is served a text they have answered in any queue, even if they undid
-- it: they have seen what the model and the users said. A skip that stands keeps it from them too,
-- and so does a look at a page that shows what is hidden. What waits for a senior annotator is
-- theirs.
i.project_id = %(project)s AND i.status = 'open' AND i.taken < i.needed
    AND i.for_senior <= %(is_senior)s
    AND NOT EXISTS (
        SELECT 1 FROM curation_lease l WHERE l.item_id = i.id AND l.user_id = %(user)s
    )
    AND NOT EXISTS (
        SELECT 1 FROM curation_annotation a
        WHERE a.sample_id = i.sample_id AND a.user_id = %(user)s
            AND (a.undone_at IS NULL OR a.kind = 'label')
    )
    AND NOT EXISTS (
        SELECT 1 FROM curation_exposure e
        WHERE e.sample_id = i.sample_id AND e.user_id = %(user)s
    );

-- drawable --
-- What a draw by lot is over: each claimable sample once, and no gold. It stands where the
-- statement below says {drawable}.
{claimable} AND i.queue <> 'gold' AND NOT EXISTS (
        SELECT 1 FROM curation_reviewitem twin
        WHERE twin.sample_id = i.sample_id AND twin.id < i.id AND twin.status = 'open'
            AND twin.taken < twin.needed AND twin.for_senior <= %(is_senior)s
            AND twin.queue <> 'gold'
    );

-- seat --
-- What a claim has to know first: the person's role, and how items are mixed.
SELECT m.role, coalesce(policy.random_share, 0) AS random_share,
    coalesce(policy.gold_share, 0) AS gold_share
FROM curation_project p
LEFT JOIN curation_membership m ON m.project_id = p.id AND m.user_id = %(user)s
LEFT JOIN curation_curationpolicy policy ON policy.project_id = p.id
WHERE p.id = %(project)s;

-- free --
-- How many items one annotator could claim in each queue, counted no further than they may ask for,
-- and how many they hold. Ordered like the index, which the planner then walks.
SELECT wanted.queue,
    (
        SELECT count(*) FROM (
            SELECT 1 FROM curation_reviewitem i
            WHERE i.queue = wanted.queue AND {claimable}
            ORDER BY i.for_senior DESC, i.priority DESC, i.id
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
-- Lease items to one annotator: first those they hold already (a reload, a second tab), then those
-- drawn by lot, then free ones, from each queue as many as were drawn for it, the most urgent
-- first. The queues are shuffled into each other (the items of each draw lots for their places, and
-- take them in order of urgency): the order must not tell one from another.
--
-- A lot is a point on the circle [0, 1): of the next 32 items from there on, by their own lots, one
-- is taken. How likely that was follows from how far back the 32nd item before it lies: each start
-- in between has it among its 32. With fewer than 32 items each is as likely.
--
-- Rows another transaction has locked are passed over (SKIP LOCKED), so that annotators never wait
-- for each other. The lateral scan is lazy: it locks no more rows than it hands out. The lease is
-- inserted before the slot is counted, so that a second tab that lost a race counts nothing.
SELECT pg_advisory_xact_lock(%(lock_class)s, %(user)s);
WITH own AS MATERIALIZED (
    SELECT l.item_id, l.expires_at
    FROM curation_lease l
    JOIN curation_reviewitem i ON i.id = l.item_id
    WHERE l.user_id = %(user)s AND l.expires_at > %(now)s AND i.project_id = %(project)s
        AND i.status = 'open' AND i.queue = ANY (%(queues)s)
),
lots AS MATERIALIZED (
    SELECT DISTINCT ON (chosen.id) chosen.id,
        coalesce((chosen.lot - before.lot) / 32, 1.0 / chosen.n) AS inclusion
    FROM unnest(%(starts)s::float8[], %(picks)s::float8[]) AS given (start, pick)
    CROSS JOIN LATERAL (
        SELECT id, lot, n
        FROM (
            SELECT id, lot, row_number() OVER (ORDER BY turn, lot, id) AS place,
                count(*) OVER () AS n
            FROM (
                (SELECT i.id, i.lot, 0 AS turn FROM curation_reviewitem i
                 WHERE i.lot >= given.start AND {drawable} ORDER BY i.lot, i.id LIMIT 32)
                UNION ALL
                (SELECT i.id, i.lot, 1 FROM curation_reviewitem i
                 WHERE i.lot < given.start AND {drawable} ORDER BY i.lot, i.id LIMIT 32)
                ORDER BY turn, lot, id LIMIT 32
            ) following
        ) placed
        WHERE place = 1 + floor(given.pick * n)
    ) chosen
    LEFT JOIN LATERAL (
        (SELECT i.lot FROM curation_reviewitem i
         WHERE i.lot < chosen.lot AND {drawable} ORDER BY i.lot DESC LIMIT 32)
        UNION ALL
        (SELECT i.lot - 1 FROM curation_reviewitem i
         WHERE i.lot > chosen.lot AND {drawable} ORDER BY i.lot DESC LIMIT 32)
        ORDER BY lot DESC OFFSET 31 LIMIT 1
    ) before ON true
    ORDER BY chosen.id
),
by_lot AS MATERIALIZED (
    SELECT i.id, lots.inclusion FROM curation_reviewitem i JOIN lots ON lots.id = i.id
    WHERE i.status = 'open' AND i.taken < i.needed
    FOR UPDATE OF i SKIP LOCKED
),
by_queue AS MATERIALIZED (
    SELECT candidate.id
    FROM unnest(%(queues)s, %(drawn)s::bigint[]) AS wanted (queue, n)
    CROSS JOIN LATERAL (
        SELECT i.id FROM curation_reviewitem i
        WHERE i.queue = wanted.queue AND {claimable}
        ORDER BY i.for_senior DESC, i.priority DESC, i.id
        LIMIT wanted.n
        FOR UPDATE OF i SKIP LOCKED
    ) candidate
    LIMIT greatest(0, %(limit)s - (SELECT count(*) FROM own) - (SELECT count(*) FROM by_lot))
),
leased AS (
    INSERT INTO curation_lease
        (item_id, user_id, claimed_at, expires_at, draw, inclusion_probability)
    SELECT each.id, %(user)s, %(now)s, %(now)s + make_interval(secs => coalesce(
            (SELECT lease_seconds FROM curation_curationpolicy WHERE project_id = %(project)s), 300)),
        each.draw, each.inclusion
    FROM (
        SELECT id, 'random' AS draw, inclusion FROM by_lot
        UNION ALL
        SELECT id, 'queue', NULL FROM by_queue
    ) each
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
-- Why there is nothing to claim: what waits for a senior, what this annotator has dealt with or has
-- seen on another page, what others hold, the rest; counted no further than anyone reads. With it,
-- whether anyone else is there to ask: another reviewer, a senior.
SELECT count(*) AS open_items,
    count(*) FILTER (WHERE for_senior) AS waiting_for_senior,
    count(*) FILTER (WHERE NOT for_senior AND is_mine) AS done_by_you,
    count(*) FILTER (WHERE NOT for_senior AND NOT is_mine AND is_seen) AS seen_by_you,
    count(*) FILTER (
        WHERE NOT (for_senior OR is_mine OR is_seen) AND taken >= needed
    ) AS leased_by_others,
    min(frees_at) FILTER (
        WHERE NOT (for_senior OR is_mine OR is_seen) AND taken >= needed
    ) AS next_free_at,
    EXISTS (
        SELECT 1 FROM curation_membership m JOIN core_user u ON u.id = m.user_id AND u.is_active
        WHERE m.project_id = %(project)s AND m.user_id <> %(user)s
            AND m.role IN ('annotator', 'senior')
    ) AS has_others,
    EXISTS (
        SELECT 1 FROM curation_membership m JOIN core_user u ON u.id = m.user_id AND u.is_active
        WHERE m.project_id = %(project)s AND m.role = ANY (%(senior_roles)s)
    ) AS has_seniors
FROM (
    SELECT i.taken, i.needed, i.for_senior > %(is_senior)s AS for_senior,
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
    LIMIT %(limit)s
) open;

-- depths --
-- How deep each queue is, and what waits longest.
SELECT queue, count(*) AS open, count(*) FILTER (WHERE taken < needed) AS free,
    count(*) FILTER (WHERE for_senior) AS for_senior, min(created_at) AS oldest_at
FROM curation_reviewitem
WHERE project_id = %(project)s AND status = 'open'
GROUP BY queue ORDER BY queue;

-- depth --
-- How many items are free to claim, counted no further than a bound: a million would take long.
-- Gold counts like the rest: a depth that a claim lowers by less would give it away.
SELECT count(*) FROM (
    SELECT 1 FROM curation_reviewitem
    WHERE project_id = %(project)s AND queue = ANY (%(queues)s) AND status = 'open'
        AND taken < needed AND for_senior <= %(is_senior)s
    LIMIT %(limit)s
) bounded;
