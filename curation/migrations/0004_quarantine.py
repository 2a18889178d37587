"""Quarantine by statistical rules, people's decisions about it, and the counts of intake."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

MOVES_ARE_APPEND_ONLY = """
-- Retention says so for its own transaction (SET LOCAL feedbackhub.retention = 'on').
CREATE FUNCTION curation_refuse_move_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('feedbackhub.retention', true), '') <> 'on' THEN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER quarantinemove_append_only BEFORE UPDATE ON curation_quarantinemove
    FOR EACH ROW EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER quarantinemove_kept BEFORE DELETE ON curation_quarantinemove
    FOR EACH ROW EXECUTE FUNCTION curation_refuse_move_delete();
CREATE TRIGGER quarantinemove_no_truncate BEFORE TRUNCATE ON curation_quarantinemove
    EXECUTE FUNCTION core_refuse_truncate();
-- A minute is written again and again: room on the page keeps its updates out of the index.
ALTER TABLE curation_intakeminute SET (fillfactor = 70);
"""
MOVES_MAY_CHANGE = """
DROP TRIGGER quarantinemove_no_truncate ON curation_quarantinemove;
DROP TRIGGER quarantinemove_kept ON curation_quarantinemove;
DROP TRIGGER quarantinemove_append_only ON curation_quarantinemove;
DROP FUNCTION curation_refuse_move_delete();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0001_users_and_status_changes"),
        ("curation", "0003_samples_and_review"),
    ]

    operations = [
        migrations.CreateModel(
            name="IntakeMinute",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("project_id", models.BigIntegerField()),
                ("source_id", models.BigIntegerField()),
                ("accepted", models.IntegerField(default=0)),
                (
                    "quarantined",
                    models.IntegerField(default=0, help_text="Held back when they landed."),
                ),
                (
                    "caught",
                    models.IntegerField(
                        default=0, help_text="Accepted, and held back by a rule later."
                    ),
                ),
                ("rejected", models.IntegerField(default=0)),
                ("duplicates", models.IntegerField(default=0)),
                ("minute", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="IntakeTally",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("project_id", models.BigIntegerField()),
                ("source_id", models.BigIntegerField()),
                ("accepted", models.IntegerField(default=0)),
                (
                    "quarantined",
                    models.IntegerField(default=0, help_text="Held back when they landed."),
                ),
                (
                    "caught",
                    models.IntegerField(
                        default=0, help_text="Accepted, and held back by a rule later."
                    ),
                ),
                ("rejected", models.IntegerField(default=0)),
                ("duplicates", models.IntegerField(default=0)),
                ("received_at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "intake tallies",
            },
        ),
        migrations.CreateModel(
            name="QuarantineMove",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("feedback_id", models.UUIDField()),
                ("project_id", models.BigIntegerField()),
                ("from_state", models.CharField(max_length=12)),
                ("to_state", models.CharField(max_length=12)),
                (
                    "rule",
                    models.CharField(
                        blank=True, help_text="That held the event back.", max_length=30
                    ),
                ),
                ("actor", models.CharField(help_text="A username, or the digest.", max_length=150)),
                ("reason", models.TextField()),
                ("at", models.DateTimeField()),
            ],
            options={
                "ordering": ["at", "id"],
            },
        ),
        migrations.CreateModel(
            name="QuarantineRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("rule", models.CharField(max_length=30)),
                ("is_enabled", models.BooleanField(default=True)),
                (
                    "thresholds",
                    models.JSONField(
                        default=dict, help_text="Typed and checked by the rule itself."
                    ),
                ),
                ("changed_by", models.CharField(max_length=150)),
                ("changed_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="ScreeningDue",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("project_id", models.BigIntegerField()),
                (
                    "feedback_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), size=None
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "screenings due",
                "ordering": ["id"],
            },
        ),
        migrations.AddField(
            model_name="feedbackoutcome",
            name="comment_hash",
            field=models.BinaryField(
                help_text="Keyed; of comments long enough to be recognised.",
                max_length=16,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="feedbackoutcome",
            name="is_cleared",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Released by a person: no rule catches it again.",
            ),
        ),
        migrations.AddField(
            model_name="feedbackoutcome",
            name="rule",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="The rule that holds it.",
                max_length=30,
            ),
        ),
        migrations.AlterField(
            model_name="feedbackoutcome",
            name="state",
            field=models.CharField(
                choices=[
                    ("counted", "Counted"),
                    ("superseded", "Superseded"),
                    ("quarantined", "Quarantined"),
                    ("rejected", "Rejected"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddIndex(
            model_name="feedbackoutcome",
            index=models.Index(
                condition=models.Q(("subject_hash__isnull", False)),
                fields=["project_id", "subject_hash", "feedback_id"],
                name="feedbackoutcome_subject",
            ),
        ),
        migrations.AddIndex(
            model_name="feedbackoutcome",
            index=models.Index(
                condition=models.Q(("comment_hash__isnull", False)),
                fields=["project_id", "comment_hash", "feedback_id"],
                name="feedbackoutcome_comment",
            ),
        ),
        migrations.AddIndex(
            model_name="feedbackoutcome",
            index=models.Index(
                condition=models.Q(("state__in", ["quarantined", "rejected"])),
                fields=["project_id", "-feedback_id"],
                name="feedbackoutcome_held",
            ),
        ),
        migrations.AddConstraint(
            model_name="intakeminute",
            constraint=models.UniqueConstraint(
                models.F("project_id"),
                models.F("minute"),
                models.F("source_id"),
                name="intakeminute_minute",
            ),
        ),
        migrations.AddIndex(
            model_name="quarantinemove",
            index=models.Index(fields=["feedback_id"], name="quarantinemove_feedback"),
        ),
        migrations.AddField(
            model_name="quarantinerule",
            name="project",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="quarantine_rules",
                to="curation.project",
            ),
        ),
        migrations.AddConstraint(
            model_name="quarantinerule",
            constraint=models.UniqueConstraint(
                models.F("project"), models.F("rule"), name="quarantinerule_rule"
            ),
        ),
        migrations.RunSQL(MOVES_ARE_APPEND_ONLY, MOVES_MAY_CHANGE),
    ]
