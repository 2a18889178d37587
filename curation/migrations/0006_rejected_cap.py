"""How many refused events are kept a day, and who replayed one."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("curation", "0005_privacy"),
    ]

    operations = [
        migrations.AddField(
            model_name="curationpolicy",
            name="rejected_per_day",
            field=models.PositiveIntegerField(
                db_default=1000,
                default=1000,
                help_text="Refused events kept for replay, per source and day; more are only counted.",
            ),
        ),
        migrations.AddField(
            model_name="rejectedevent",
            name="replayed_by",
            field=models.CharField(blank=True, db_default="", default="", max_length=150),
        ),
    ]
