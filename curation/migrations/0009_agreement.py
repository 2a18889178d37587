from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("curation", "0008_disagreement_and_trust")]

    operations = []
