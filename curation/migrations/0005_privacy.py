"""Erasures and the retention policy, and an index that finds old keys."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("curation", "0004_quarantine"),
    ]

    operations = [
        migrations.CreateModel(
            name="Erasure",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "subject_digest",
                    models.BinaryField(help_text="Keyed, of the keyed hash.", max_length=32),
                ),
                (
                    "subject_hash",
                    models.BinaryField(help_text="Null once finished.", max_length=16, null=True),
                ),
                (
                    "tombstone",
                    models.BinaryField(
                        help_text="Random; stands for the subject. Null once finished.",
                        max_length=16,
                        null=True,
                    ),
                ),
                ("requested_by", models.CharField(max_length=150)),
                ("reason", models.TextField(blank=True)),
                ("requested_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "done",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20),
                        default=list,
                        help_text="Finished steps.",
                        size=None,
                    ),
                ),
                ("counts", models.JSONField(default=dict, help_text="Rows changed, by step.")),
                (
                    "sample_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        default=list,
                        help_text="Until finished.",
                        size=None,
                    ),
                ),
                (
                    "versions",
                    models.JSONField(
                        default=list, help_text="Model versions trained on erased texts."
                    ),
                ),
            ],
            options={
                "ordering": ["-requested_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="RetentionPolicy",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(
                        default=1, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "prediction_months",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="Whole months of predictions kept beside the current one; empty: for ever.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                (
                    "feedback_months",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="Whole months of feedback kept beside the current one; empty: for ever.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                (
                    "key_months",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="How long an event id is remembered: sent again later it lands again.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                (
                    "rejected_days",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        default=30,
                        help_text="How long input that could not land is kept for replay; empty: for ever.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                (
                    "count_days",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        default=400,
                        help_text="How long intake's counts by minute are kept; empty: for ever.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(8)],
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "retention policy",
            },
        ),
        migrations.AddIndex(
            model_name="feedbackkey",
            index=django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True, fields=["received_at"], name="feedbackkey_received"
            ),
        ),
        migrations.AddField(
            model_name="erasure",
            name="project",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="erasures",
                to="curation.project",
            ),
        ),
        migrations.AddConstraint(
            model_name="retentionpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(("id", 1)), name="retentionpolicy_one"
            ),
        ),
        migrations.AddConstraint(
            model_name="retentionpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("key_months__isnull", True),
                    models.Q(
                        ("feedback_months__isnull", False),
                        ("key_months__gte", models.F("feedback_months")),
                    ),
                    _connector="OR",
                ),
                name="retentionpolicy_keys_outlive_events",
            ),
        ),
        migrations.AddConstraint(
            model_name="erasure",
            constraint=models.UniqueConstraint(
                condition=models.Q(("finished_at__isnull", True)),
                fields=("project", "subject_digest"),
                name="erasure_one_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="erasure",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("finished_at__isnull", True),
                    models.Q(
                        ("sample_ids", []),
                        ("subject_hash__isnull", True),
                        ("tombstone__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="erasure_forgets",
            ),
        ),
    ]
