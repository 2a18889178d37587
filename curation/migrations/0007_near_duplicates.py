import django.db.models.deletion
from django.db import migrations, models

import curation.models.sample

# The vacuum that marks pages as visible to all runs early, so that look-ups read the index alone.
STORAGE = """
ALTER TABLE curation_band SET (autovacuum_vacuum_insert_scale_factor = 0.05);
"""


class Migration(migrations.Migration):
    dependencies = [("curation", "0006_rejected_cap")]

    operations = [
        migrations.AddField(
            "sample",
            "signature",
            curation.models.sample.SignatureField(
                editable=False, help_text="Null for short texts.", null=True
            ),
        ),
        migrations.AddField(
            "cluster",
            "representative",
            models.ForeignKey(
                db_index=False,
                help_text="The earliest of its texts; the next one once that is erased.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="curation.sample",
            ),
        ),
        migrations.CreateModel(
            name="Band",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "hash",
                        "sample_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("hash", models.BigIntegerField(help_text="Of one project alone.")),
                ("sample_id", models.BigIntegerField()),
            ],
        ),
        migrations.RunSQL(STORAGE, migrations.RunSQL.noop),
        migrations.AddField(
            "landed",
            "failures",
            models.PositiveSmallIntegerField(
                db_default=0, default=0, help_text="How often the digest could not digest it."
            ),
        ),
        migrations.AddField(
            "landed",
            "error",
            models.TextField(blank=True, db_default="", default="", help_text="The latest."),
        ),
        migrations.AddField(
            "landed",
            "retry_at",
            models.DateTimeField(help_text="Set aside until then.", null=True),
        ),
        migrations.AddIndex(
            "landed",
            models.Index(
                condition=models.Q(("retry_at__isnull", False)),
                fields=["project_id", "id"],
                name="landed_set_aside",
            ),
        ),
    ]
