import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# What was shown is known to the database alone: whoever sends the answer cannot forget to say so.
# The engine has found such an answer not to be blind; here it learns why. Only the first one tells
# how far the prediction swayed: what comes after the reveal has seen everything.
MARK_SHOWN = """
CREATE FUNCTION curation_mark_shown() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.was_shown := EXISTS (
        SELECT 1 FROM curation_shownprediction
        WHERE item_id = NEW.item_id AND user_id = NEW.user_id
    ) AND NOT EXISTS (
        SELECT 1 FROM curation_annotation
        WHERE sample_id = NEW.sample_id AND user_id = NEW.user_id AND kind = 'label'
    );
    RETURN NEW;
END $$;
CREATE TRIGGER annotation_mark_shown BEFORE INSERT ON curation_annotation FOR EACH ROW
    WHEN (NEW.kind = 'label' AND NOT NEW.is_blind) EXECUTE FUNCTION curation_mark_shown();
CREATE TRIGGER annotation_shown_immutable BEFORE UPDATE OF was_shown ON curation_annotation
    FOR EACH ROW WHEN (OLD.was_shown IS DISTINCT FROM NEW.was_shown)
    EXECUTE FUNCTION core_refuse_rewrite();
"""
UNMARK_SHOWN = """
DROP TRIGGER annotation_shown_immutable ON curation_annotation;
DROP TRIGGER annotation_mark_shown ON curation_annotation;
DROP FUNCTION curation_mark_shown();
"""

# An erased text must not live on as the hashes of its words.
FORGET_WORDS = """
CREATE FUNCTION curation_forget_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM curation_precedentword WHERE sample_id = NEW.id;
    DELETE FROM curation_precedent WHERE sample_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER sample_forget_words AFTER UPDATE OF text ON curation_sample FOR EACH ROW
    WHEN (NEW.text IS NULL AND OLD.text IS NOT NULL) EXECUTE FUNCTION curation_forget_words();
"""
REMEMBER_WORDS = """
DROP TRIGGER sample_forget_words ON curation_sample;
DROP FUNCTION curation_forget_words();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("curation", "0011_scores"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ReviewPreference",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="review_preference",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "keys",
                    models.JSONField(
                        default=dict,
                        help_text="Key by action, where it is another than the usual one.",
                    ),
                ),
                (
                    "daily_goal",
                    models.PositiveSmallIntegerField(
                        help_text="Answers a day; none: null.", null=True
                    ),
                ),
                ("updated_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="ShownPrediction",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="shown_predictions",
                        to="curation.reviewitem",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("label", models.CharField(max_length=60)),
                ("confidence", models.FloatField(null=True)),
                ("model_version", models.CharField(blank=True, max_length=60)),
                ("shown_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint("item", "user", name="shownprediction_once")
                ],
            },
        ),
        migrations.AddField(
            model_name="annotation",
            name="was_shown",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="The first answer after a prediction that was shown by lot; never blind.",
            ),
        ),
        migrations.AddConstraint(
            model_name="annotation",
            constraint=models.CheckConstraint(
                condition=~models.Q(was_shown=True, is_blind=True),
                name="annotation_shown_is_not_blind",
            ),
        ),
        migrations.AddField(
            model_name="curationpolicy",
            name="shown_first_share",
            field=models.FloatField(
                db_default=0.05,
                default=0.05,
                help_text="Share of reviewed texts, none of them audit or gold, whose prediction is shown "
                "before the answer, to measure how far it sways annotators; 0 shows none.",
                validators=[
                    django.core.validators.MinValueValidator(0.0),
                    django.core.validators.MaxValueValidator(0.2),
                ],
            ),
        ),
        migrations.RunSQL(MARK_SHOWN, UNMARK_SHOWN),
        migrations.CreateModel(
            name="Precedent",
            fields=[
                (
                    "sample",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="curation.sample",
                    ),
                ),
                (
                    "annotation_id",
                    models.BigIntegerField(
                        db_index=True,
                        help_text="The answer it was indexed for: how far the index has come.",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PrecedentWord",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "project_id",
                        "word",
                        "sample_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("project_id", models.IntegerField()),
                ("word", models.BigIntegerField()),
                (
                    "sample",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="curation.sample",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(FORGET_WORDS, REMEMBER_WORDS),
    ]
