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
    ]
