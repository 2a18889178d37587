-- insert_items --
-- The items of one snapshot, in one statement; the arrays run in step.
INSERT INTO training_snapshotitem (snapshot_id, sample_id, label_id, value, weight, split)
SELECT %(snapshot_id)s, item.sample_id, item.label_id, item.value, item.weight, item.split
FROM unnest(
    %(sample_ids)s::bigint[],
    %(label_ids)s::bigint[],
    %(values)s::text[],
    %(weights)s::float8[],
    %(splits)s::text[]
) AS item (sample_id, label_id, value, weight, split);
