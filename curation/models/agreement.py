"""How right annotators are, what their answers make of samples, and how far that is worked out."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from curation.models.project import Project
from curation.models.sample import Sample


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


class SampleConsensus(models.Model):
    """What the answers to a sample with several make of it, by the annotators' records.

    Beside it, where a model has answered too, what CROWDLAB makes of answers and model together:
    a second look at the label, never its ground.
    """

    sample = models.OneToOneField(
        Sample, models.CASCADE, primary_key=True, related_name="consensus"
    )
    value = models.CharField(max_length=60, help_text="The most likely label.")
    posterior = models.FloatField(help_text="How likely it is, in [0, 1].")
    n_answers = models.PositiveSmallIntegerField(help_text="Blind answers of several annotators.")
    crowd_value = models.CharField(
        max_length=60, blank=True, help_text="The most likely label with the model's view, if any."
    )
    crowd_quality = models.FloatField(null=True, help_text="How likely that is, in [0, 1].")
    model_version = models.CharField(max_length=60, blank=True, help_text="Whose view that was.")
    computed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.value} ({self.posterior:.2f})"


class AgreementState(models.Model):
    """How far a project's answers have been looked at; what is due is done by the next tick."""

    project = models.OneToOneField(
        Project, models.CASCADE, primary_key=True, related_name="agreement_state"
    )
    is_due = models.BooleanField(help_text="Answers came or went since the records were made.")
    seen_annotation_id = models.BigIntegerField(help_text="Later annotations were not noticed yet.")
    seen_at = models.DateTimeField(help_text="Later undos were not noticed yet.")
    weighed_by = models.JSONField(
        default=dict, help_text="The accuracies labels were last weighed by, by annotator."
    )
    weighed_to = models.BigIntegerField(
        null=True, help_text="The sample labels are weighed anew up to; null when they all are."
    )
    weighed_at = models.DateTimeField(null=True, help_text="When weighing anew last began.")

    def __str__(self) -> str:
        return f"agreement in {self.project}{', due' if self.is_due else ''}"
