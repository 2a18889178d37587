"""How right annotators are, and what their answers make of samples."""

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
        migrations.CreateModel(
            name="SampleConsensus",
            fields=[
                (
                    "sample",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="consensus",
                        serialize=False,
                        to="curation.sample",
                    ),
                ),
                ("value", models.CharField(help_text="The most likely label.", max_length=60)),
                ("posterior", models.FloatField(help_text="How likely it is, in [0, 1].")),
                (
                    "n_answers",
                    models.PositiveSmallIntegerField(
                        help_text="Blind answers of several annotators."
                    ),
                ),
                (
                    "crowd_value",
                    models.CharField(
                        blank=True,
                        help_text="The most likely label with the model's view, if any.",
                        max_length=60,
                    ),
                ),
                (
                    "crowd_quality",
                    models.FloatField(help_text="How likely that is, in [0, 1].", null=True),
                ),
                (
                    "model_version",
                    models.CharField(blank=True, help_text="Whose view that was.", max_length=60),
                ),
                ("computed_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="AgreementState",
            fields=[
                (
                    "project",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="agreement_state",
                        serialize=False,
                        to="curation.project",
                    ),
                ),
                (
                    "is_due",
                    models.BooleanField(
                        help_text="Answers came or went since the records were made."
                    ),
                ),
                (
                    "seen_annotation_id",
                    models.BigIntegerField(help_text="Later annotations were not noticed yet."),
                ),
                ("seen_at", models.DateTimeField(help_text="Later undos were not noticed yet.")),
                (
                    "weighed_by",
                    models.JSONField(
                        default=dict,
                        help_text="The accuracies labels were last weighed by, by annotator.",
                    ),
                ),
                (
                    "weighed_to",
                    models.BigIntegerField(
                        help_text="The sample labels are weighed anew up to; null when they all are.",
                        null=True,
                    ),
                ),
                (
                    "weighed_at",
                    models.DateTimeField(help_text="When weighing anew last began.", null=True),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="annotation",
            index=models.Index(
                condition=models.Q(("undone_at__isnull", False)),
                fields=["undone_at"],
                name="annotation_undone",
            ),
        ),
    ]
