"""Predictions and feedback: partitioned by month on their UUIDv7 key, append-only by trigger."""

from datetime import UTC, datetime

from django.db import migrations, models

from feedbackhub.core.partitions import ensure_partitions

EVENT_TABLES = """
CREATE TABLE curation_prediction (
    id uuid PRIMARY KEY,
    project_id bigint NOT NULL,
    source_id bigint NOT NULL,
    text text,
    content_hash bytea NOT NULL,
    label varchar(60) NOT NULL,
    confidence double precision CHECK (confidence >= 0 AND confidence <= 1),
    probabilities jsonb,
    model_version varchar(60) NOT NULL,
    rollout_id bigint,
    arm varchar(30) NOT NULL,
    programme_group varchar(30) NOT NULL,
    subject_hash bytea,
    session_hash bytea,
    is_audit boolean NOT NULL,
    is_external boolean NOT NULL,
    latency_ms double precision,
    metadata jsonb,
    created_at timestamptz NOT NULL
) PARTITION BY RANGE (id);
CREATE TABLE curation_prediction_default PARTITION OF curation_prediction DEFAULT;
CREATE INDEX prediction_rollout ON curation_prediction (rollout_id, arm, id) WHERE rollout_id IS NOT NULL;
CREATE INDEX prediction_project ON curation_prediction (project_id, id);
CREATE INDEX prediction_content ON curation_prediction (project_id, content_hash);

CREATE TABLE curation_feedback (
    id uuid PRIMARY KEY,
    project_id bigint NOT NULL,
    source_id bigint NOT NULL,
    event_id varchar(200) NOT NULL,
    prediction_id uuid,
    rating varchar(4) NOT NULL CHECK (rating IN ('up', 'down')),
    corrected_label varchar(60) NOT NULL,
    comment text,
    subject_hash bytea,
    session_hash bytea,
    address_hash bytea,
    predicted_label varchar(60) NOT NULL,
    confidence double precision,
    model_version varchar(60) NOT NULL,
    rollout_id bigint,
    arm varchar(30) NOT NULL,
    programme_group varchar(30) NOT NULL,
    quarantine_reasons jsonb NOT NULL,
    metadata jsonb,
    occurred_at timestamptz,
    received_at timestamptz NOT NULL
) PARTITION BY RANGE (id);
CREATE TABLE curation_feedback_default PARTITION OF curation_feedback DEFAULT;
CREATE INDEX feedback_project ON curation_feedback (project_id, id);
CREATE INDEX feedback_prediction ON curation_feedback (prediction_id);
CREATE INDEX feedback_address ON curation_feedback (project_id, address_hash, id)
    WHERE address_hash IS NOT NULL;
CREATE INDEX feedback_rollout ON curation_feedback (rollout_id, arm, id) WHERE rollout_id IS NOT NULL;

-- An accepted event is never changed in place. Erasure and retention say so for their own
-- transaction (SET LOCAL feedbackhub.erasure = 'on') and may only null what identifies or tells. A
-- subject may also become a tombstone, which keeps its rows one subject's, and nobody's.
CREATE FUNCTION curation_refuse_event_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    erasable text[] := ARRAY[
        'text', 'comment', 'metadata', 'subject_hash', 'session_hash', 'address_hash'
    ];
    old_row jsonb;
    new_row jsonb;
BEGIN
    IF coalesce(current_setting('feedbackhub.erasure', true), '') <> 'on' THEN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION '% rows are erased column by column or dropped by partition', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    old_row := to_jsonb(OLD);
    new_row := to_jsonb(NEW);
    IF NEW.subject_hash IS NOT NULL AND NEW.subject_hash IS DISTINCT FROM OLD.subject_hash AND (
        OLD.subject_hash IS NULL OR length(NEW.subject_hash) <> 16
        OR substring(NEW.subject_hash FROM 1 FOR 7) <> 'erased:'::bytea
    ) THEN
        RAISE EXCEPTION 'a subject of % may only become a tombstone', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF (old_row - erasable) <> (new_row - erasable) OR EXISTS (
        SELECT 1 FROM unnest(erasable) AS name
        WHERE name <> 'subject_hash' AND new_row -> name IS DISTINCT FROM old_row -> name
          AND coalesce(new_row -> name, 'null'::jsonb) <> 'null'::jsonb
    ) THEN
        RAISE EXCEPTION 'erasure may only null % of %', erasable, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER prediction_append_only BEFORE UPDATE OR DELETE ON curation_prediction
    FOR EACH ROW EXECUTE FUNCTION curation_refuse_event_change();
CREATE TRIGGER feedback_append_only BEFORE UPDATE OR DELETE ON curation_feedback
    FOR EACH ROW EXECUTE FUNCTION curation_refuse_event_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON curation_prediction
    EXECUTE FUNCTION core_refuse_truncate();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON curation_prediction_default
    EXECUTE FUNCTION core_refuse_truncate();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON curation_feedback
    EXECUTE FUNCTION core_refuse_truncate();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON curation_feedback_default
    EXECUTE FUNCTION core_refuse_truncate();
"""
DROP_EVENT_TABLES = """
DROP TABLE curation_prediction;
DROP TABLE curation_feedback;
DROP FUNCTION curation_refuse_event_change();
"""
# Retention deletes keys whose time is past; the answer given to an event id is never another.
KEYS_ARE_NEVER_REWRITTEN = """
CREATE TRIGGER feedbackkey_immutable BEFORE UPDATE ON curation_feedbackkey
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON curation_feedbackkey
    EXECUTE FUNCTION core_refuse_truncate();
"""
KEYS_MAY_BE_REWRITTEN = """
DROP TRIGGER no_truncate ON curation_feedbackkey;
DROP TRIGGER feedbackkey_immutable ON curation_feedbackkey;
"""


def first_partitions(apps, schema_editor):
    ensure_partitions(now=datetime.now(UTC))


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0001_users_and_status_changes"),
        ("curation", "0001_projects"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="Prediction",
                    fields=[
                        ("id", models.UUIDField(primary_key=True, serialize=False)),
                        ("project_id", models.BigIntegerField()),
                        ("source_id", models.BigIntegerField()),
                        ("text", models.TextField(help_text="Null once erased.", null=True)),
                        ("content_hash", models.BinaryField(max_length=32)),
                        ("label", models.CharField(max_length=60)),
                        ("confidence", models.FloatField(null=True)),
                        ("probabilities", models.JSONField(null=True)),
                        ("model_version", models.CharField(max_length=60)),
                        ("rollout_id", models.BigIntegerField(null=True)),
                        ("arm", models.CharField(blank=True, max_length=30)),
                        ("programme_group", models.CharField(blank=True, max_length=30)),
                        ("subject_hash", models.BinaryField(max_length=16, null=True)),
                        ("session_hash", models.BinaryField(max_length=16, null=True)),
                        ("is_audit", models.BooleanField()),
                        (
                            "is_external",
                            models.BooleanField(
                                help_text="Served elsewhere, reported with its feedback."
                            ),
                        ),
                        ("latency_ms", models.FloatField(null=True)),
                        ("metadata", models.JSONField(null=True)),
                        ("created_at", models.DateTimeField()),
                    ],
                    options={
                        "ordering": ["id"],
                    },
                ),
                migrations.CreateModel(
                    name="Feedback",
                    fields=[
                        ("id", models.UUIDField(primary_key=True, serialize=False)),
                        ("project_id", models.BigIntegerField()),
                        ("source_id", models.BigIntegerField()),
                        ("event_id", models.CharField(max_length=200)),
                        (
                            "prediction_id",
                            models.UUIDField(
                                help_text="As the caller named it, known or not.", null=True
                            ),
                        ),
                        (
                            "rating",
                            models.CharField(choices=[("up", "👍"), ("down", "👎")], max_length=4),
                        ),
                        ("corrected_label", models.CharField(blank=True, max_length=60)),
                        ("comment", models.TextField(null=True)),
                        ("subject_hash", models.BinaryField(max_length=16, null=True)),
                        ("session_hash", models.BinaryField(max_length=16, null=True)),
                        (
                            "address_hash",
                            models.BinaryField(
                                max_length=16,
                                null=True,
                                help_text="Keyed; of the client's address, where that is known.",
                            ),
                        ),
                        ("predicted_label", models.CharField(blank=True, max_length=60)),
                        ("confidence", models.FloatField(null=True)),
                        ("model_version", models.CharField(blank=True, max_length=60)),
                        ("rollout_id", models.BigIntegerField(null=True)),
                        ("arm", models.CharField(blank=True, max_length=30)),
                        ("programme_group", models.CharField(blank=True, max_length=30)),
                        (
                            "quarantine_reasons",
                            models.JSONField(default=list, help_text="Empty when accepted."),
                        ),
                        ("metadata", models.JSONField(null=True)),
                        ("occurred_at", models.DateTimeField(null=True)),
                        ("received_at", models.DateTimeField()),
                    ],
                    options={
                        "verbose_name_plural": "feedback",
                        "ordering": ["id"],
                    },
                ),
            ],
            database_operations=[migrations.RunSQL(EVENT_TABLES, DROP_EVENT_TABLES)],
        ),
        migrations.RunPython(first_partitions, migrations.RunPython.noop),
        migrations.CreateModel(
            name="FeedbackKey",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "project_id",
                        "event_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("project_id", models.BigIntegerField()),
                ("event_id", models.CharField(max_length=200)),
                ("feedback_id", models.UUIDField()),
                ("body_digest", models.BinaryField(max_length=32)),
                ("answer", models.JSONField()),
                ("received_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Landed",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("project_id", models.BigIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[("feedback", "Feedback"), ("prediction", "Prediction")],
                        max_length=10,
                    ),
                ),
                ("received_at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "landed",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="FeedbackOutcome",
            fields=[
                ("feedback_id", models.UUIDField(primary_key=True, serialize=False)),
                ("project_id", models.BigIntegerField()),
                ("prediction_id", models.UUIDField(null=True)),
                ("subject_hash", models.BinaryField(max_length=16, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("counted", "Counted"),
                            ("superseded", "Superseded"),
                            ("quarantined", "Quarantined"),
                        ],
                        max_length=12,
                    ),
                ),
                ("superseded_by", models.UUIDField(null=True)),
                (
                    "suggested_label",
                    models.CharField(blank=True, help_text="What it says is true.", max_length=60),
                ),
                (
                    "is_disputed",
                    models.BooleanField(default=False, help_text="It contradicts the model."),
                ),
                ("reasons", models.JSONField(default=list)),
                ("digested_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["project_id", "state"], name="feedbackoutcome_state")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "counted")),
                        fields=("prediction_id", "subject_hash"),
                        name="feedbackoutcome_one_voice",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RejectedEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("project_id", models.BigIntegerField()),
                ("source_id", models.BigIntegerField()),
                ("payload", models.TextField()),
                ("reasons", models.JSONField()),
                ("received_at", models.DateTimeField()),
                ("replayed_at", models.DateTimeField(null=True)),
                (
                    "position",
                    models.CharField(
                        max_length=320,
                        null=True,
                        help_text="Where it stood on a Kafka topic; null over HTTP.",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["project_id", "-received_at"], name="rejectedevent_recent")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("position__isnull", False)),
                        fields=["project_id", "source_id", "position"],
                        name="rejectedevent_position",
                    )
                ],
            },
        ),
        migrations.RunSQL(KEYS_ARE_NEVER_REWRITTEN, KEYS_MAY_BE_REWRITTEN),
    ]
