from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("curation", "0010_queue_engine")]

    operations = []
