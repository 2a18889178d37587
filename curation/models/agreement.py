"""How right annotators are, and how far their records have been worked out."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from curation.models.project import Project


class AnnotatorQuality(models.Model):
    """One annotator's record in a project, worked out from answers others gave too, and gold."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="annotator_qualities")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="annotator_qualities"
    )
    n_answers = models.PositiveIntegerField(help_text="Blind answers that stand.")
    n_compared = models.PositiveIntegerField(help_text="Those that others or gold can be held to.")
    n_gold = models.PositiveIntegerField(help_text="Those whose truth was known beforehand.")
    n_effective = models.FloatField(
        help_text="How many comparisons with a certain truth the evidence is worth."
    )
    accuracy = models.FloatField(null=True, help_text="Null while nothing can be compared.")
    low = models.FloatField(null=True, help_text="Of the 95 % interval of the accuracy.")
    high = models.FloatField(null=True, help_text="Of the 95 % interval of the accuracy.")
    confusion = models.JSONField(
        default=dict, help_text="By truth, then by what was said: effective counts."
    )
    computed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "annotator qualities"
        constraints = [
            models.UniqueConstraint("project", "user", name="annotatorquality_once"),
            models.CheckConstraint(
                condition=Q(accuracy__isnull=True, low__isnull=True, high__isnull=True)
                | Q(low__gte=0, accuracy__gte=F("low"), high__gte=F("accuracy"), high__lte=1),
                name="annotatorquality_interval",
            ),
        ]

    def __str__(self) -> str:
        share = "unknown" if self.accuracy is None else f"{self.accuracy:.2f}"
        return f"{self.user} in {self.project}: {share}"
