import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("curation", "0013_explorer"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="GroupMeasurement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("since", models.DateTimeField()),
                (
                    "share",
                    models.FloatField(help_text="Of the predictions looked at, drawn by hash."),
                ),
                ("predictions", models.PositiveIntegerField()),
                ("feedback", models.PositiveIntegerField()),
                ("down", models.PositiveIntegerField()),
                ("audited", models.PositiveIntegerField()),
                ("correct", models.PositiveIntegerField()),
                (
                    "is_stale",
                    models.BooleanField(default=False, help_text="Its groups were changed since."),
                ),
                ("measured_at", models.DateTimeField()),
                (
                    "project",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="group_measurement",
                        to="curation.project",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="GroupMeasure",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("dimension", models.CharField(max_length=80)),
                ("name", models.CharField(max_length=120)),
                ("predictions", models.PositiveIntegerField()),
                ("feedback", models.PositiveIntegerField()),
                ("down", models.PositiveIntegerField()),
                ("audited", models.PositiveIntegerField()),
                ("correct", models.PositiveIntegerField()),
                (
                    "heard_q",
                    models.FloatField(help_text="Adjusted p of the feedback rate.", null=True),
                ),
                (
                    "correct_q",
                    models.FloatField(help_text="Adjusted p of the audited accuracy.", null=True),
                ),
                ("is_under_heard", models.BooleanField()),
                ("is_failing", models.BooleanField()),
                (
                    "measurement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="groups",
                        to="curation.groupmeasurement",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("measurement"),
                        models.F("dimension"),
                        models.F("name"),
                        name="groupmeasure_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="WordGroup",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                (
                    "words",
                    models.JSONField(
                        help_text="From word or phrase to weight; equal where a lead wrote."
                    ),
                ),
                (
                    "is_found",
                    models.BooleanField(
                        default=False, help_text="Found in the texts, by no person."
                    ),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="word_groups",
                        to="curation.project",
                    ),
                ),
            ],
            options={
                "ordering": ["is_found", "name"],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("project"),
                        models.F("is_found"),
                        models.F("name"),
                        name="wordgroup_name",
                    )
                ],
            },
        ),
    ]
