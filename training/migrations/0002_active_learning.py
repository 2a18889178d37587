"""How a project picks the texts of its uncertain queue."""

from django.db import migrations, models

import training.models


class Migration(migrations.Migration):
    dependencies = [("training", "0001_runs_versions_gates")]

    operations = [
        migrations.AddField(
            model_name="trainingpolicy",
            name="sampling",
            field=models.JSONField(
                default=training.models.usual_mixture,
                help_text="How the texts of the uncertain queue are picked: strategies and their shares.",
            ),
        ),
    ]
