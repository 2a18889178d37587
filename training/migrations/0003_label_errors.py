import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("training", "0002_active_learning"),
    ]

    operations = [
        migrations.CreateModel(
            name="LabelErrorScan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("n_labels", models.PositiveIntegerField(default=0, help_text="Looked at.")),
                (
                    "n_judged",
                    models.PositiveIntegerField(
                        default=0, help_text="Of classes common enough to be judged."
                    ),
                ),
                ("n_suspect", models.PositiveIntegerField(default=0, help_text="Likely wrong.")),
                (
                    "n_queued",
                    models.PositiveIntegerField(default=0, help_text="The worst, asked about."),
                ),
                (
                    "temperature",
                    models.FloatField(help_text="Above 1: the models were too sure.", null=True),
                ),
                ("seconds", models.FloatField(null=True)),
                (
                    "note",
                    models.TextField(
                        blank=True, help_text="Why nothing was judged, as a sentence."
                    ),
                ),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "version",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="label_error_scan",
                        to="training.modelversion",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="LabelErrorFlag",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sample_id", models.BigIntegerField(db_index=True)),
                ("label_id", models.BigIntegerField()),
                ("given", models.CharField(help_text="The label that is doubted.", max_length=60)),
                ("suggested", models.CharField(help_text="What the models say.", max_length=60)),
                ("support", models.FloatField(help_text="Their probability of the label given.")),
                ("probability", models.FloatField(help_text="Their probability of what they say.")),
                ("flagged_at", models.DateTimeField()),
                (
                    "scan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="flags",
                        to="training.labelerrorscan",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("scan"), models.F("sample_id"), name="labelerrorflag_once"
                    )
                ],
            },
        ),
    ]
