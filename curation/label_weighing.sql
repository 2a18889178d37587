-- ageing --
-- Labels whose age now counts for more, some at a time. A label that is being replaced this moment
-- is passed over: its successor starts young.
SELECT id, word, grounds, support, created_at, quality
FROM curation_label
WHERE is_current AND weigh_at <= %(now)s
ORDER BY weigh_at, id LIMIT %(limit)s
FOR UPDATE SKIP LOCKED;

-- measured --
-- Current labels among these, to be weighed by what models trained without them say.
SELECT id, word, grounds, support, created_at, quality
FROM curation_label
WHERE id = ANY (%(ids)s::bigint[]) AND is_current AND word IS NOT NULL
ORDER BY id
FOR UPDATE SKIP LOCKED;

-- weigh --
-- The quality follows; what was said stays. The setting, of this transaction alone, tells the
-- trigger that guards the quality that this is a weighing.
SELECT set_config('feedbackhub.weighing', 'on', true);
UPDATE curation_label l SET quality = n.quality, reasons = n.reasons, support = n.support,
    support_version = coalesce(n.version, l.support_version), weigh_at = n.weigh_at
FROM unnest(%(ids)s::bigint[], %(qualities)s::float8[], %(reasons)s::jsonb[],
            %(supports)s::float8[], %(versions)s::text[], %(weigh_at)s::timestamptz[])
    AS n (id, quality, reasons, support, version, weigh_at)
WHERE l.id = n.id;
