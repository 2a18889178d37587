import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("curation", "0014_slices"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="FileImport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.CharField(help_text="Of the file, as it was uploaded.", max_length=200),
                ),
                (
                    "stored_as",
                    models.CharField(help_text="Its name in the hub's home.", max_length=80),
                ),
                ("text_column", models.CharField(max_length=100)),
                ("label_column", models.CharField(blank=True, max_length=100)),
                (
                    "mapping",
                    models.JSONField(default=dict, help_text="From the file's values to labels."),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("done", "Done"), ("failed", "Failed")],
                        default="waiting",
                        max_length=7,
                    ),
                ),
                (
                    "total",
                    models.PositiveBigIntegerField(help_text="Bytes, or rows of a Parquet file."),
                ),
                (
                    "position",
                    models.PositiveBigIntegerField(default=0, help_text="How much of it is read."),
                ),
                ("tally", models.JSONField(default=dict)),
                (
                    "faults",
                    models.JSONField(
                        default=list, help_text="The first bad lines: number and reason."
                    ),
                ),
                ("error", models.CharField(blank=True, max_length=500)),
                ("created_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
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
                        related_name="file_imports",
                        to="curation.project",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "waiting")),
                        fields=["id"],
                        name="fileimport_waiting",
                    )
                ],
            },
        ),
    ]
