"""How right annotators are."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("curation", "0008_disagreement_and_trust"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AnnotatorQuality",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("n_answers", models.PositiveIntegerField(help_text="Blind answers that stand.")),
                (
                    "n_compared",
                    models.PositiveIntegerField(
                        help_text="Those that others or gold can be held to."
                    ),
                ),
                (
                    "n_gold",
                    models.PositiveIntegerField(
                        help_text="Those whose truth was known beforehand."
                    ),
                ),
                (
                    "n_effective",
                    models.FloatField(
                        help_text="How many comparisons with a certain truth the evidence is worth."
                    ),
                ),
                (
                    "accuracy",
                    models.FloatField(help_text="Null while nothing can be compared.", null=True),
                ),
                (
                    "low",
                    models.FloatField(help_text="Of the 95 % interval of the accuracy.", null=True),
                ),
                (
                    "high",
                    models.FloatField(help_text="Of the 95 % interval of the accuracy.", null=True),
                ),
                (
                    "confusion",
                    models.JSONField(
                        default=dict, help_text="By truth, then by what was said: effective counts."
                    ),
                ),
                ("computed_at", models.DateTimeField()),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="annotator_qualities",
                        to="curation.project",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="annotator_qualities",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "annotator qualities",
                "constraints": [
                    models.UniqueConstraint(
                        models.F("project"), models.F("user"), name="annotatorquality_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("accuracy__isnull", True),
                                ("high__isnull", True),
                                ("low__isnull", True),
                            ),
                            models.Q(
                                ("accuracy__gte", models.F("low")),
                                ("high__gte", models.F("accuracy")),
                                ("high__lte", 1),
                                ("low__gte", 0),
                            ),
                            _connector="OR",
                        ),
                        name="annotatorquality_interval",
                    ),
                ],
            },
        ),
    ]
