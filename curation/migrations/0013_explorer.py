"""The sample explorer: the indexes its pages are read along."""

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
        migrations.AddIndex(
            model_name="samplescore",
            index=models.Index(fields=["margin", "sample"], name="samplescore_by_margin"),
        ),
    ]
