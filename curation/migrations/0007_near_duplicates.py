from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("curation", "0006_rejected_cap")]

    operations = []
