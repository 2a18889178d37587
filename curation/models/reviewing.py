"""What the review page keeps: how a person works, which predictions it showed, what was alike."""

from django.conf import settings
from django.db import models

from curation.models.review import ReviewItem
from curation.models.sample import Sample


class ReviewPreference(models.Model):
    """One person's keys and goal on the review page, in every project."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        primary_key=True,
        related_name="review_preference",
    )
    keys = models.JSONField(
        default=dict, help_text="Key by action, where it is another than the usual one."
    )
    daily_goal = models.PositiveSmallIntegerField(null=True, help_text="Answers a day; none: null.")
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"how {self.user} reviews"


class ShownPrediction(models.Model):
    """A prediction a person was shown before their answer, by lot, to measure how far it sways.

    Its text is never answered blind by them afterwards.
    """

    item = models.ForeignKey(ReviewItem, models.CASCADE, related_name="shown_predictions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    label = models.CharField(max_length=60)
    confidence = models.FloatField(null=True)
    model_version = models.CharField(max_length=60, blank=True)
    shown_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint("item", "user", name="shownprediction_once")]

    def __str__(self) -> str:
        return f"{self.label} shown to {self.user}"


class Precedent(models.Model):
    """An answered sample that others can be likened to; its words stand in ``PrecedentWord``."""

    sample = models.OneToOneField(Sample, models.CASCADE, primary_key=True, related_name="+")
    annotation_id = models.BigIntegerField(
        db_index=True, help_text="The answer it was indexed for: how far the index has come."
    )

    def __str__(self) -> str:
        return f"precedent {self.sample_id}"


class PrecedentWord(models.Model):
    """One word of an answered sample, as a hash; the key alone answers "who has this word"."""

    pk = models.CompositePrimaryKey("project_id", "word", "sample_id")
    project_id = models.IntegerField()
    word = models.BigIntegerField()
    sample = models.ForeignKey(Sample, models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"a word of precedent {self.sample_id}"
