import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

# A label's value, its word and its grounds stay as written. The quality made of them is weighed anew
# as it ages and as models come that were trained without it, by one statement that says it does so.
WEIGHABLE = """
DROP TRIGGER label_immutable ON curation_label;
CREATE TRIGGER label_immutable BEFORE UPDATE OF
    id, sample_id, value, origin, word, grounds, created_at
    ON curation_label FOR EACH ROW
    WHEN (
        (OLD.id, OLD.sample_id, OLD.value, OLD.origin, OLD.word, OLD.grounds, OLD.created_at)
        IS DISTINCT FROM
        (NEW.id, NEW.sample_id, NEW.value, NEW.origin, NEW.word, NEW.grounds, NEW.created_at)
    ) EXECUTE FUNCTION core_refuse_rewrite();
CREATE TRIGGER label_weighed BEFORE UPDATE OF quality, reasons
    ON curation_label FOR EACH ROW
    WHEN (
        (OLD.quality, OLD.reasons) IS DISTINCT FROM (NEW.quality, NEW.reasons)
        AND (
            NOT OLD.is_current OR OLD.word IS NULL
            OR current_setting('feedbackhub.weighing', true) IS DISTINCT FROM 'on'
        )
    ) EXECUTE FUNCTION core_refuse_rewrite();
"""
UNWEIGHABLE = """
DROP TRIGGER label_weighed ON curation_label;
DROP TRIGGER label_immutable ON curation_label;
CREATE TRIGGER label_immutable BEFORE UPDATE OF
    id, sample_id, value, origin, quality, reasons, created_at
    ON curation_label FOR EACH ROW
    WHEN (
        (OLD.id, OLD.sample_id, OLD.value, OLD.origin, OLD.quality, OLD.reasons,
        OLD.created_at)
        IS DISTINCT FROM
        (NEW.id, NEW.sample_id, NEW.value, NEW.origin, NEW.quality, NEW.reasons,
        NEW.created_at)
    ) EXECUTE FUNCTION core_refuse_rewrite();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("curation", "0007_near_duplicates"),
    ]

    operations = [
        migrations.CreateModel(
            name="AdjudicatedVoice",
            fields=[
                ("feedback_id", models.UUIDField(primary_key=True, serialize=False)),
                ("project_id", models.BigIntegerField()),
                ("sample_id", models.BigIntegerField(db_index=True)),
                ("source_id", models.BigIntegerField()),
                ("subject_hash", models.BinaryField(max_length=16, null=True)),
                ("has_agreed", models.BooleanField()),
                ("spoken_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Disagreement",
            fields=[
                (
                    "sample",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="disagreement",
                        serialize=False,
                        to="curation.sample",
                    ),
                ),
                (
                    "kinds",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("user_model", "Users and the model"),
                                ("user_user", "Users among themselves"),
                                ("user_annotator", "Users and annotators"),
                                ("annotators", "Annotators among themselves"),
                                ("models", "Model versions"),
                                ("neighbours", "Labels of near-duplicates"),
                            ],
                            max_length=14,
                        ),
                        size=None,
                    ),
                ),
                ("strength", models.FloatField(help_text="In [0, 1], to two decimals.")),
                (
                    "evidence",
                    models.JSONField(default=dict, help_text="By kind: counts and labels."),
                ),
                (
                    "opened_at",
                    models.DateTimeField(help_text="Of this stretch: anew after it was resolved."),
                ),
                ("updated_at", models.DateTimeField()),
                ("resolved_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="SourceTrust",
            fields=[
                ("project_id", models.BigIntegerField()),
                ("source_id", models.BigIntegerField()),
                ("agreed", models.FloatField(default=0, help_text="Decayed to as_of.")),
                ("disagreed", models.FloatField(default=0, help_text="Decayed to as_of.")),
                ("agreed_count", models.IntegerField(default=0)),
                ("disagreed_count", models.IntegerField(default=0)),
                ("as_of", models.DateTimeField()),
                (
                    "half_life_days",
                    models.FloatField(help_text="That its counts, and its project's, faded by."),
                ),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "project_id",
                        "source_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "trust of sources",
            },
        ),
        migrations.CreateModel(
            name="SubjectTrust",
            fields=[
                ("project_id", models.BigIntegerField()),
                ("source_id", models.BigIntegerField()),
                ("agreed", models.FloatField(default=0, help_text="Decayed to as_of.")),
                ("disagreed", models.FloatField(default=0, help_text="Decayed to as_of.")),
                ("agreed_count", models.IntegerField(default=0)),
                ("disagreed_count", models.IntegerField(default=0)),
                ("as_of", models.DateTimeField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "project_id",
                        "subject_hash",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("subject_hash", models.BinaryField(max_length=16)),
            ],
            options={
                "verbose_name_plural": "trust of subjects",
            },
        ),
        migrations.CreateModel(
            name="WeighingDue",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sample_id", models.BigIntegerField()),
            ],
            options={
                "verbose_name_plural": "weighings due",
                "ordering": ["id"],
            },
        ),
        migrations.AddField(
            model_name="curationpolicy",
            name="trust_half_life_days",
            field=models.PositiveIntegerField(
                db_default=90,
                default=90,
                help_text="After so many days a proven right or wrong voice weighs half for its trust.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(3650),
                ],
            ),
        ),
        migrations.AddField(
            model_name="label",
            name="grounds",
            field=models.JSONField(
                db_default=models.Value([], models.JSONField()),
                default=list,
                help_text="The reasons of that word alone.",
            ),
        ),
        migrations.AddField(
            model_name="label",
            name="support",
            field=models.FloatField(
                help_text="What models trained without it gave its value, as a probability.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="label",
            name="support_version",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Trained on the others.",
                max_length=60,
            ),
        ),
        migrations.AddField(
            model_name="label",
            name="weigh_at",
            field=models.DateTimeField(help_text="When age next changes its quality.", null=True),
        ),
        migrations.AddField(
            model_name="label",
            name="word",
            field=models.FloatField(
                help_text="What the word it rests on is worth by itself, in [0, 1].", null=True
            ),
        ),
        migrations.AddIndex(
            model_name="label",
            index=models.Index(
                condition=models.Q(("is_current", True), ("weigh_at__isnull", False)),
                fields=["weigh_at"],
                name="label_ageing",
            ),
        ),
        migrations.AddIndex(
            model_name="adjudicatedvoice",
            index=models.Index(
                condition=models.Q(("subject_hash__isnull", False)),
                fields=["project_id", "subject_hash"],
                name="adjudicatedvoice_subject",
            ),
        ),
        migrations.AddIndex(
            model_name="adjudicatedvoice",
            index=models.Index(fields=["spoken_at"], name="adjudicatedvoice_spoken"),
        ),
        migrations.AddField(
            model_name="disagreement",
            name="project",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="disagreements",
                to="curation.project",
            ),
        ),
        migrations.AddIndex(
            model_name="disagreement",
            index=models.Index(
                models.F("project"),
                models.OrderBy(models.F("strength"), descending=True),
                models.F("sample"),
                condition=models.Q(("resolved_at__isnull", True)),
                name="disagreement_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="disagreement",
            constraint=models.CheckConstraint(
                condition=models.Q(("strength__gte", 0), ("strength__lte", 1)),
                name="disagreement_strength",
            ),
        ),
        migrations.RunSQL(WEIGHABLE, UNWEIGHABLE),
    ]
