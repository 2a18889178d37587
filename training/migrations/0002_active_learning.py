"""How a project picks its uncertain texts, and what the labels of its queues were worth."""

import django.db.models.deletion
from django.db import migrations, models

import training.models


class Migration(migrations.Migration):
    dependencies = [("training", "0001_runs_versions_gates")]

    operations = [
        migrations.AddField(
            model_name="trainingpolicy",
            name="sampling",
            field=models.JSONField(
                default=training.models.usual_mixture,
                help_text="How the texts of the uncertain queue are picked: strategies and their shares.",
            ),
        ),
        migrations.CreateModel(
            name="VersionValue",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("n_test", models.PositiveIntegerField(default=0)),
                (
                    "method",
                    models.TextField(blank=True, help_text="How it was measured, as a sentence."),
                ),
                (
                    "note",
                    models.TextField(
                        blank=True, help_text="Why nothing could be measured, as a sentence."
                    ),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "predecessor",
                    models.ForeignKey(
                        help_text="Compared with.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="training.modelversion",
                    ),
                ),
                (
                    "version",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="value",
                        to="training.modelversion",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="QueueValue",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "queue",
                    models.CharField(
                        help_text="A review queue, thumbs, import, or all for all together.",
                        max_length=12,
                    ),
                ),
                (
                    "n_labels",
                    models.PositiveIntegerField(help_text="New or changed since the predecessor."),
                ),
                (
                    "delta",
                    models.FloatField(
                        help_text="Accuracy with these labels minus without; null when not measured.",
                        null=True,
                    ),
                ),
                ("low", models.FloatField(help_text="Of a 95 % interval.", null=True)),
                ("high", models.FloatField(null=True)),
                (
                    "value",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="queues",
                        to="training.versionvalue",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint("value", "queue", name="queuevalue_once")],
            },
        ),
    ]
