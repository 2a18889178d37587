from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("training", "0001_runs_versions_gates")]

    operations = []
