-- land_feedback --
-- Lands one request's feedback in one statement, and so in one transaction: looks the named
-- predictions up, judges each event, takes its key, and writes only what the key was free for.
-- Returns what is out of the ordinary: the quarantined with their reasons, and without any the events
-- whose key was taken already. The rest is accepted.
-- Keys are taken in order, so that two requests with the same events wait for, not against, each
-- other; of equal event ids in one request the first (ids are in request order) lands.
WITH looked_up AS (
    SELECT
        incoming.*,
        served.project_id AS served_in,
        coalesce(external_label, served.label, '') AS predicted_label,
        coalesce(external_confidence, served.confidence) AS confidence,
        coalesce(external_version, served.model_version, '') AS model_version,
        served.rollout_id,
        coalesce(served.arm, '') AS arm,
        coalesce(served.programme_group, '') AS programme_group
    FROM jsonb_to_recordset(%(events)s::jsonb) AS incoming (
        id uuid, event_id text, body_digest text, rating text, prediction_id uuid,
        corrected_label text, comment text, subject_hash text, session_hash text,
        occurred_at timestamptz, metadata jsonb,
        external_id uuid, external_text text, external_hash text, external_label text,
        external_confidence double precision, external_version text
    )
    -- One visit to the key's index for each event. The limit keeps the planner from joining whole
    -- partitions instead, which it does as long as their statistics say they are small.
    LEFT JOIN LATERAL (
        SELECT
            found.project_id,
            CASE WHEN is_ours THEN found.label END AS label,
            CASE WHEN is_ours THEN found.confidence END AS confidence,
            CASE WHEN is_ours THEN found.model_version END AS model_version,
            CASE WHEN is_ours THEN found.rollout_id END AS rollout_id,
            CASE WHEN is_ours THEN found.arm END AS arm,
            CASE WHEN is_ours THEN found.programme_group END AS programme_group
        FROM (
            SELECT *, project_id = %(project_id)s AS is_ours
            FROM curation_prediction
            WHERE id = incoming.prediction_id
            LIMIT 1
        ) AS found
    ) AS served ON true
),
doubted AS (
    SELECT
        looked_up.*,
        CASE
            WHEN prediction_id IS NULL OR served_in = %(project_id)s THEN NULL
            WHEN served_in IS NULL THEN 'unknown_prediction'
            ELSE 'foreign_prediction'
        END AS about_prediction,
        CASE
            WHEN predicted_label = '' OR coalesce(corrected_label, '') = '' THEN NULL
            WHEN (rating = 'up') <> (corrected_label = predicted_label)
            THEN 'contradicts_itself'
        END AS about_label,
        -- A clock that is a day ahead is broken, or says what it wants.
        CASE
            WHEN occurred_at > %(now)s + interval '24 hours' THEN 'clock_ahead'
        END AS about_time
    FROM looked_up
),
judged AS MATERIALIZED (
    SELECT
        doubted.*,
        -- Nearly always nothing, and then nothing is built.
        CASE
            WHEN num_nonnulls(about_prediction, about_label, about_time) = 0 THEN '[]'::jsonb
            ELSE to_jsonb(array_remove(ARRAY[about_prediction, about_label, about_time], NULL))
        END AS reasons
    FROM doubted
),
keys AS (
    INSERT INTO curation_feedbackkey
        (project_id, event_id, feedback_id, body_digest, answer, received_at)
    SELECT
        %(project_id)s, event_id, id, decode(body_digest, 'hex'),
        CASE
            WHEN reasons = '[]' THEN '{"status": "accepted", "reasons": []}'::jsonb
            ELSE jsonb_build_object('status', 'quarantined', 'reasons', reasons)
        END,
        %(now)s
    FROM judged
    ORDER BY event_id COLLATE "C", id
    ON CONFLICT (project_id, event_id) DO NOTHING
    RETURNING feedback_id, answer = '{"status": "accepted", "reasons": []}' AS is_accepted
),
external AS (
    INSERT INTO curation_prediction
        (id, project_id, source_id, text, content_hash, label, confidence, model_version, arm,
         programme_group, subject_hash, session_hash, is_audit, is_external, created_at)
    SELECT
        external_id, %(project_id)s, %(source_id)s, external_text, decode(external_hash, 'hex'),
        external_label, external_confidence, coalesce(external_version, ''), '', '',
        decode(subject_hash, 'hex'), decode(session_hash, 'hex'), false, true, %(now)s
    FROM judged
    WHERE external_id IS NOT NULL AND id IN (SELECT feedback_id FROM keys)
    ORDER BY external_id
),
landed AS (
    INSERT INTO curation_landed (id, project_id, kind, received_at)
    SELECT feedback_id, %(project_id)s, 'feedback', %(now)s FROM keys
),
tally AS (
    -- A row of its own for each request: were it a counter, requests would wait for each other.
    INSERT INTO curation_intaketally
        (project_id, source_id, received_at, accepted, quarantined, caught, rejected, duplicates)
    SELECT
        %(project_id)s, %(source_id)s, %(now)s, taken.accepted, taken.landed - taken.accepted, 0, 0,
        sent.events - taken.landed
    FROM
        (SELECT count(*) AS events FROM judged) AS sent,
        (SELECT count(*) FILTER (WHERE is_accepted) AS accepted, count(*) AS landed FROM keys)
            AS taken
),
stored AS (
    INSERT INTO curation_feedback
        (id, project_id, source_id, event_id, prediction_id, rating, corrected_label, comment,
         subject_hash, session_hash, address_hash, predicted_label, confidence, model_version,
         rollout_id, arm, programme_group, quarantine_reasons, metadata, occurred_at, received_at)
    SELECT
        id, %(project_id)s, %(source_id)s, event_id, coalesce(external_id, prediction_id), rating,
        coalesce(corrected_label, ''), comment, decode(subject_hash, 'hex'),
        decode(session_hash, 'hex'), decode(%(address_hash)s, 'hex'), predicted_label, confidence,
        model_version, rollout_id, arm, programme_group, reasons, metadata, occurred_at, %(now)s
    FROM judged
    WHERE id IN (SELECT feedback_id FROM keys)
    ORDER BY id
)
SELECT
    replace(judged.id::text, '-', '') AS id,
    CASE WHEN keys.feedback_id IS NOT NULL THEN judged.reasons::text END AS reasons
FROM judged
LEFT JOIN keys ON keys.feedback_id = judged.id
WHERE keys.feedback_id IS NULL OR judged.reasons <> '[]';

-- first_answers --
-- What was answered to event ids that had come before, and a digest of what they said then.
SELECT event_id, feedback_id::text AS feedback_id, body_digest, answer::text AS answer
FROM curation_feedbackkey
WHERE project_id = %(project_id)s AND event_id = ANY(%(event_ids)s);

-- stored_feedback --
-- Events as they landed, to name what a later body with the same id says differently.
SELECT
    feedback.id::text AS feedback_id,
    feedback.rating,
    feedback.prediction_id::text AS prediction_id,
    feedback.corrected_label,
    feedback.comment,
    encode(feedback.subject_hash, 'hex') AS subject_hash,
    encode(feedback.session_hash, 'hex') AS session_hash,
    feedback.occurred_at,
    feedback.metadata::text AS metadata,
    external.id IS NOT NULL AS is_external,
    external.text AS external_text,
    external.label AS external_label,
    external.confidence AS external_confidence,
    external.model_version AS external_version
FROM curation_feedback AS feedback
LEFT JOIN curation_prediction AS external
    ON external.id = feedback.prediction_id AND external.is_external
WHERE feedback.id = ANY(%(ids)s::uuid[]);

-- record_predictions --
-- Records served answers, and lands those that ask the digest for work: the audited and the unsure.
WITH incoming AS MATERIALIZED (
    SELECT *
    FROM jsonb_to_recordset(%(predictions)s::jsonb) AS prediction (
        id uuid, project_id bigint, source_id bigint, text text, content_hash text, label text,
        confidence double precision, probabilities jsonb, model_version text, rollout_id bigint,
        arm text, programme_group text, subject_hash text, session_hash text, is_audit boolean,
        is_external boolean, latency_ms double precision, metadata jsonb, asks_for_work boolean
    )
),
landed AS (
    INSERT INTO curation_landed (id, project_id, kind, received_at)
    SELECT id, project_id, 'prediction', %(now)s FROM incoming WHERE asks_for_work
)
INSERT INTO curation_prediction
    (id, project_id, source_id, text, content_hash, label, confidence, probabilities,
     model_version, rollout_id, arm, programme_group, subject_hash, session_hash, is_audit,
     is_external, latency_ms, metadata, created_at)
SELECT
    id, project_id, source_id, text, decode(content_hash, 'hex'), label, confidence, probabilities,
    model_version, rollout_id, arm, programme_group, decode(subject_hash, 'hex'),
    decode(session_hash, 'hex'), is_audit, is_external, latency_ms, metadata, %(now)s
FROM incoming;
