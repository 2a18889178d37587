"""The queue engine: exposures, the senior step, draws by lot, and gold."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.math
from django.conf import settings
from django.db import migrations, models

# How an answer came about is written once, as the answer is.
WRITTEN_ONCE = """
CREATE TRIGGER annotation_draw_immutable BEFORE UPDATE OF draw, inclusion_probability
    ON curation_annotation FOR EACH ROW
    WHEN (
        (OLD.draw, OLD.inclusion_probability)
        IS DISTINCT FROM
        (NEW.draw, NEW.inclusion_probability)
    ) EXECUTE FUNCTION core_refuse_rewrite();
"""
REWRITABLE = "DROP TRIGGER annotation_draw_immutable ON curation_annotation;"


class Migration(migrations.Migration):
    dependencies = [("curation", "0009_agreement")]

    operations = [
        migrations.CreateModel(
            name="Exposure",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(help_text="The first time.")),
                (
                    "sample",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="exposures",
                        to="curation.sample",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="exposures",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("sample"), models.F("user"), name="exposure_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="GoldItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "value",
                    models.CharField(help_text="The answer that counts as right.", max_length=60),
                ),
                ("grounds", models.CharField(help_text="Who agreed on it.", max_length=200)),
                ("created_at", models.DateTimeField()),
                ("retired_at", models.DateTimeField(null=True)),
                ("retired_reason", models.CharField(blank=True, max_length=300)),
                (
                    "is_bad",
                    models.BooleanField(
                        default=False,
                        help_text="Retired because its answer is in doubt: nobody is judged by it.",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
            },
        ),
        migrations.RemoveIndex(
            model_name="reviewitem",
            name="reviewitem_claimable",
        ),
        migrations.AddField(
            model_name="annotation",
            name="draw",
            field=models.CharField(
                choices=[
                    ("queue", "As the most urgent of its queue"),
                    ("random", "By lot, of all that are open"),
                ],
                db_default="queue",
                default="queue",
                max_length=6,
            ),
        ),
        migrations.AddField(
            model_name="annotation",
            name="inclusion_probability",
            field=models.FloatField(help_text="Of its draw by lot.", null=True),
        ),
        migrations.AddField(
            model_name="curationpolicy",
            name="confident_model",
            field=models.FloatField(
                db_default=0.9,
                default=0.9,
                help_text="An answer against a model at least this sure asks a second annotator.",
                validators=[
                    django.core.validators.MinValueValidator(0.0),
                    django.core.validators.MaxValueValidator(1.0),
                ],
            ),
        ),
        migrations.AddField(
            model_name="curationpolicy",
            name="confident_posterior",
            field=models.FloatField(
                db_default=0.95,
                default=0.95,
                help_text="Nobody else is asked once the annotators' records make an answer this likely.",
                validators=[
                    django.core.validators.MinValueValidator(0.5),
                    django.core.validators.MaxValueValidator(1.0),
                ],
            ),
        ),
        migrations.AddField(
            model_name="curationpolicy",
            name="dispute_overlap",
            field=models.PositiveSmallIntegerField(
                db_default=2,
                default=2,
                help_text="Annotators asked where users contradict the model, or the first answer contradicts what was believed. A tie asks one more, up to three; then a senior decides.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(3),
                ],
            ),
        ),
        migrations.AddField(
            model_name="curationpolicy",
            name="gold_share",
            field=models.FloatField(
                db_default=0.07,
                default=0.07,
                help_text="Share of served items whose answer is known; annotators cannot tell which.",
                validators=[
                    django.core.validators.MinValueValidator(0.0),
                    django.core.validators.MaxValueValidator(0.2),
                ],
            ),
        ),
        migrations.AddField(
            model_name="curationpolicy",
            name="random_share",
            field=models.FloatField(
                db_default=0.1,
                default=0.1,
                help_text="Share of served items drawn by lot from all that are open.",
                validators=[
                    django.core.validators.MinValueValidator(0.0),
                    django.core.validators.MaxValueValidator(0.5),
                ],
            ),
        ),
        migrations.AddField(
            model_name="lease",
            name="draw",
            field=models.CharField(
                choices=[
                    ("queue", "As the most urgent of its queue"),
                    ("random", "By lot, of all that are open"),
                ],
                db_default="queue",
                default="queue",
                max_length=6,
            ),
        ),
        migrations.AddField(
            model_name="lease",
            name="inclusion_probability",
            field=models.FloatField(help_text="Of its draw by lot.", null=True),
        ),
        migrations.AddField(
            model_name="reviewitem",
            name="for_senior",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="reviewitem",
            name="is_adopted",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Done by blind answers to the same text in another queue.",
            ),
        ),
        migrations.AddField(
            model_name="reviewitem",
            name="lot",
            field=models.FloatField(
                db_default=django.db.models.functions.math.Random(),
                help_text="Uniform in [0, 1): its place by lot.",
            ),
        ),
        migrations.AddField(
            model_name="reviewitem",
            name="routed",
            field=models.CharField(
                blank=True,
                choices=[
                    ("opened", "Only a senior annotator can decide it"),
                    ("split", "Annotators are split"),
                    ("unclear", "Annotators find it unclear"),
                    ("language", "Annotators say it is in another language"),
                    ("passed", "Annotators keep passing it on"),
                    ("spam", "Annotators call it spam"),
                ],
                db_default="",
                default="",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="reviewitem",
            name="saved",
            field=models.PositiveSmallIntegerField(
                db_default=0,
                default=0,
                help_text="Answers not asked for, because it was sure without.",
            ),
        ),
        migrations.AddIndex(
            model_name="reviewitem",
            index=models.Index(
                models.F("project"),
                models.F("queue"),
                models.OrderBy(models.F("for_senior"), descending=True),
                models.OrderBy(models.F("priority"), descending=True),
                models.F("id"),
                condition=models.Q(("status", "open"), ("taken__lt", models.F("needed"))),
                name="reviewitem_claimable",
            ),
        ),
        migrations.AddIndex(
            model_name="reviewitem",
            index=models.Index(
                models.F("project"),
                models.F("lot"),
                condition=models.Q(("status", "open"), ("taken__lt", models.F("needed"))),
                name="reviewitem_lot",
            ),
        ),
        migrations.AddField(
            model_name="golditem",
            name="project",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="gold_items",
                to="curation.project",
            ),
        ),
        migrations.AddField(
            model_name="golditem",
            name="retired_by",
            field=models.ForeignKey(
                help_text="Empty: by itself.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="golditem",
            name="sample",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="gold",
                to="curation.sample",
            ),
        ),
        migrations.AddConstraint(
            model_name="golditem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("is_bad", False), ("retired_at", None), ("retired_reason", "")),
                    models.Q(
                        ("retired_at__isnull", False),
                        models.Q(("retired_reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="golditem_retired_for_a_reason",
            ),
        ),
        migrations.RunSQL(WRITTEN_ONCE, REWRITABLE),
    ]
