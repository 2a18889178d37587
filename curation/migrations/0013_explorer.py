"""The sample explorer: the indexes its pages are read along, and bulk actions."""

import django.db.models.deletion
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("curation", "0012_review_page")]

    operations = [
        # The project's own index gives way to one that also knows the order.
        migrations.AddIndex(
            model_name="sample",
            index=models.Index(fields=["project", "-id"], name="sample_newest"),
        ),
        migrations.AlterField(
            model_name="sample",
            name="project",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="samples",
                to="curation.project",
            ),
        ),
        migrations.AddIndex(
            model_name="sample",
            index=GinIndex(SearchVector("text", config="simple"), name="sample_words"),
        ),
        migrations.AddIndex(
            model_name="label",
            index=models.Index(
                condition=Q(("is_current", True)),
                fields=["value", "-sample"],
                name="label_by_value",
            ),
        ),
        migrations.AddIndex(
            model_name="label",
            index=models.Index(
                condition=Q(("is_current", True)),
                fields=["quality", "sample"],
                name="label_by_quality",
            ),
        ),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                ("query", models.TextField(help_text="As it stands in the explorer's address.")),
                ("saved_by", models.CharField(max_length=150)),
                ("saved_at", models.DateTimeField()),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="saved_views",
                        to="curation.project",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(fields=("project", "name"), name="savedview_name")
                ],
            },
        ),
        migrations.CreateModel(
            name="BulkAction",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("label", "Set a label"),
                            ("queue", "Send to a review queue"),
                            ("exclude", "Exclude from training"),
                            ("include", "Include in training again"),
                            ("retract_source", "Retract the thumbs of a source"),
                            ("retract_annotator", "Retract the answers of an annotator"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "target",
                    models.CharField(
                        blank=True,
                        help_text="The label, the queue, or whose words.",
                        max_length=150,
                    ),
                ),
                ("filters", models.JSONField(help_text="As they stand in the explorer's address.")),
                ("reason", models.TextField()),
                ("requested_by", models.CharField(max_length=150)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("collecting", "Collecting"),
                            ("ready", "Ready"),
                            ("applying", "Applying"),
                            ("applied", "Applied"),
                            ("undoing", "Undoing"),
                            ("undone", "Undone"),
                            ("cancelled", "Cancelled"),
                            ("failed", "Failed"),
                        ],
                        default="collecting",
                        max_length=10,
                    ),
                ),
                (
                    "is_frozen",
                    models.BooleanField(default=False, help_text="Its samples are written down."),
                ),
                (
                    "failure",
                    models.TextField(
                        blank=True, help_text="Why nothing can be done, as a sentence."
                    ),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="bulk_actions",
                        to="curation.project",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="BulkRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("found", "Found"),
                            ("planned", "Planned"),
                            ("left_out", "Left Out"),
                            ("applied", "Applied"),
                            ("kept", "Kept"),
                            ("undone", "Undone"),
                            ("stuck", "Stuck"),
                        ],
                        default="found",
                        max_length=8,
                    ),
                ),
                (
                    "why",
                    models.TextField(
                        blank=True, help_text="Why it was left out, kept as it was, or not undone."
                    ),
                ),
                (
                    "change",
                    models.JSONField(default=dict, help_text="What was done, for taking it back."),
                ),
                (
                    "action",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="curation.bulkaction",
                    ),
                ),
                (
                    "label",
                    models.ForeignKey(
                        help_text="The one it made.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="bulk_rows",
                        to="curation.label",
                    ),
                ),
                (
                    "sample",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="bulk_rows",
                        to="curation.sample",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TrainingExclusion",
            fields=[
                (
                    "sample",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="exclusion",
                        serialize=False,
                        to="curation.sample",
                    ),
                ),
                ("reason", models.TextField()),
                ("excluded_by", models.CharField(max_length=150)),
                ("at", models.DateTimeField()),
                (
                    "action",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="exclusions",
                        to="curation.bulkaction",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="bulkaction",
            index=models.Index(
                condition=models.Q(("status__in", ["collecting", "applying", "undoing"])),
                fields=["id"],
                name="bulkaction_due",
            ),
        ),
        migrations.AddIndex(
            model_name="bulkrow",
            index=models.Index(fields=["action", "state", "sample"], name="bulkrow_by_state"),
        ),
        migrations.AddConstraint(
            model_name="bulkrow",
            constraint=models.UniqueConstraint(fields=("action", "sample"), name="bulkrow_once"),
        ),
    ]
