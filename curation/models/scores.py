"""How unsure model versions are about samples, and whose word the queues are ranked by."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from curation.models.project import Project
from curation.models.sample import Sample


class SampleScore(models.Model):
    """How unsure one model version is about a sample; written by scoring, read by queues.

    The scores of several versions stand side by side: a new one fills up while an older one ranks.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="+", db_index=False)
    sample = models.ForeignKey(Sample, models.CASCADE, related_name="scores", db_index=False)
    model_version = models.CharField(max_length=60)
    predicted_label = models.CharField(max_length=60)
    confidence = models.FloatField(help_text="Probability of the predicted label.")
    margin = models.FloatField(help_text="Difference of the two best probabilities.")
    entropy = models.FloatField(help_text="Of the class probabilities, in nats.")
    scored_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint("sample", "model_version", name="samplescore_once")]
        indexes = [
            models.Index(
                fields=["project", "model_version", "margin", "sample"],
                name="samplescore_by_margin",
            )
        ]

    def __str__(self) -> str:
        return f"margin {self.margin:.3f} by {self.model_version}"


class Ranking(models.Model):
    """Which version's scores a project's queues are ranked by, and how far the next one has got.

    Changed only by ``curation.rankings``, under a lock of the row.
    """

    project = models.OneToOneField(
        Project, models.CASCADE, primary_key=True, related_name="ranking"
    )
    version = models.CharField(
        max_length=60, blank=True, help_text="Whose scores rank the queues; empty before the first."
    )
    ranked_at = models.DateTimeField(null=True, help_text="Since when it is that version.")
    pending = models.CharField(
        max_length=60, blank=True, help_text="The version that scores the pool to take over."
    )
    pending_since = models.DateTimeField(null=True)
    cursor = models.BigIntegerField(
        default=0, help_text="Samples up to this id were looked at for the version that scores."
    )
    swept_at = models.DateTimeField(null=True, help_text="When the cursor last began anew.")
    n_pool = models.PositiveIntegerField(default=0, help_text="Texts to score when last counted.")
    n_scored = models.PositiveIntegerField(
        default=0, help_text="Those of them that the version that scores has scored."
    )
    stored = ArrayField(
        models.CharField(max_length=60),
        default=list,
        help_text="Versions with scores, the one wanted last at the end.",
    )
    exhausted_at = models.DateTimeField(
        null=True, help_text="When a queue last took all that the pool had."
    )

    def __str__(self) -> str:
        return f"{self.project}: ranked by {self.version or 'nobody'}"
