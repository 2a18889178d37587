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
    (project_id, sample_id, queue, status, priority, needed, taken, done, skips, why,
     prediction_id, model_version, inclusion_probability, created_at)
SELECT %(project)s, n.sample_id, n.queue, 'open', n.priority,
    coalesce((SELECT overlap FROM curation_curationpolicy WHERE project_id = %(project)s), 1),
    0, 0, 0, n.why,
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
        AND taken = 0
    ORDER BY id FOR UPDATE
);
