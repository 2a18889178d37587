"""Seed the periodic tasks once; afterwards they belong to whoever edits them in the admin."""

from django.db import migrations

SCHEDULES = [
    # (name, task, every, period, expires in seconds)
    ("Digest landed events", "curation.tasks.digest", 2, "seconds", 10),
    ("Advance bulk actions", "curation.tasks.advance_bulk_actions", 2, "seconds", 10),
    ("Free expired leases", "curation.tasks.sweep_leases", 30, "seconds", 30),
    ("Weigh annotators", "curation.tasks.weigh_annotators", 2, "minutes", 120),
    ("Index precedents", "curation.tasks.index_precedents", 10, "seconds", 20),
    ("Tend gold", "curation.tasks.tend_gold", 30, "seconds", 30),
    ("Reconcile review counters", "curation.tasks.reconcile_review", 24, "hours", 3600),
    ("Create partitions ahead", "curation.tasks.make_partitions", 12, "hours", 3600),
    ("Retire old months", "curation.tasks.retire_partitions", 6, "hours", 3600),
    ("Weigh labels by age", "curation.tasks.age_labels", 1, "minutes", 60),
    ("Tidy trust", "curation.tasks.tidy_trust", 5, "minutes", 300),
    ("Carry out erasures", "feedbackhub.tasks.erase", 30, "seconds", 30),
    ("Read uploaded files", "curation.tasks.import_files", 3, "seconds", 10),
    ("Measure groups", "curation.tasks.measure_groups", 30, "seconds", 30),
    ("Plan training", "training.tasks.plan", 3, "seconds", 10),
    ("Score the pool", "training.tasks.score", 5, "seconds", 10),
    ("Look for label errors", "training.tasks.doubt", 30, "seconds", 30),
    ("Advance rollouts", "rollout.tasks.advance", 3, "seconds", 10),
]


def seed(apps, schema_editor):
    interval_model = apps.get_model("django_celery_beat", "IntervalSchedule")
    task_model = apps.get_model("django_celery_beat", "PeriodicTask")
    for name, task, every, period, expires in SCHEDULES:
        interval, _ = interval_model.objects.get_or_create(every=every, period=period)
        task_model.objects.get_or_create(
            name=name,
            # A tick that waited longer than this would only repeat what the next one does.
            defaults={"task": task, "interval": interval, "expire_seconds": expires},
        )


class Migration(migrations.Migration):
    dependencies = [
        ("django_celery_beat", "0001_initial"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
