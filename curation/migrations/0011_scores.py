"""Scores of several versions side by side, and which of them ranks the queues.

The scores of before are dropped with their table: they are computed from the models, and the next
ticks do so again.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("curation", "0010_queue_engine")]

    operations = [
        migrations.DeleteModel(name="SampleScore"),
        migrations.CreateModel(
            name="SampleScore",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="curation.project",
                    ),
                ),
                (
                    "sample",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="scores",
                        to="curation.sample",
                    ),
                ),
                ("model_version", models.CharField(max_length=60)),
                ("predicted_label", models.CharField(max_length=60)),
                (
                    "confidence",
                    models.FloatField(help_text="Probability of the predicted label."),
                ),
                (
                    "margin",
                    models.FloatField(help_text="Difference of the two best probabilities."),
                ),
                ("entropy", models.FloatField(help_text="Of the class probabilities, in nats.")),
                ("scored_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["project", "model_version", "margin", "sample"],
                        name="samplescore_by_margin",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint("sample", "model_version", name="samplescore_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Ranking",
            fields=[
                (
                    "project",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="ranking",
                        serialize=False,
                        to="curation.project",
                    ),
                ),
                (
                    "version",
                    models.CharField(
                        blank=True,
                        help_text="Whose scores rank the queues; empty before the first.",
                        max_length=60,
                    ),
                ),
                (
                    "ranked_at",
                    models.DateTimeField(help_text="Since when it is that version.", null=True),
                ),
                (
                    "pending",
                    models.CharField(
                        blank=True,
                        help_text="The version that scores the pool to take over.",
                        max_length=60,
                    ),
                ),
                ("pending_since", models.DateTimeField(null=True)),
                (
                    "cursor",
                    models.BigIntegerField(
                        default=0,
                        help_text="Samples up to this id were looked at for the version that scores.",
                    ),
                ),
                (
                    "swept_at",
                    models.DateTimeField(help_text="When the cursor last began anew.", null=True),
                ),
                (
                    "n_pool",
                    models.PositiveIntegerField(
                        default=0, help_text="Texts to score when last counted."
                    ),
                ),
                (
                    "n_scored",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Those of them that the version that scores has scored.",
                    ),
                ),
                (
                    "stored",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60),
                        default=list,
                        help_text="Versions with scores, the one wanted last at the end.",
                        size=None,
                    ),
                ),
                (
                    "exhausted_at",
                    models.DateTimeField(
                        help_text="When a queue last took all that the pool had.", null=True
                    ),
                ),
            ],
        ),
    ]
