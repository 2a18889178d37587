"""Privacy: what was erased for whom, and how long each table is kept."""

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from curation.models.project import Project


class Erasure(models.Model):
    """One request to erase a subject: asked for, carried out step by step, kept as the proof.

    While it is open it knows whose rows to look for. A finished one no longer does: it can confirm
    a name to who has the key, and leads to no row.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="erasures")
    subject_digest = models.BinaryField(max_length=32, help_text="Keyed, of the keyed hash.")
    subject_hash = models.BinaryField(max_length=16, null=True, help_text="Null once finished.")
    tombstone = models.BinaryField(
        max_length=16, null=True, help_text="Random; stands for the subject. Null once finished."
    )
    requested_by = models.CharField(max_length=150)
    reason = models.TextField(blank=True)
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    done = ArrayField(models.CharField(max_length=20), default=list, help_text="Finished steps.")
    counts = models.JSONField(default=dict, help_text="Rows changed, by step.")
    sample_ids = ArrayField(models.BigIntegerField(), default=list, help_text="Until finished.")
    versions = models.JSONField(default=list, help_text="Model versions trained on erased texts.")

    class Meta:
        ordering = ["-requested_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "subject_digest"],
                condition=Q(finished_at__isnull=True),
                name="erasure_one_open",
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True)
                | Q(subject_hash__isnull=True, tombstone__isnull=True, sample_ids=[]),
                name="erasure_forgets",
            ),
        ]

    def __str__(self) -> str:
        return f"erasure {self.pk} in {self.project}"


class RetentionPolicy(models.Model):
    """How long the hub keeps each event table. One row: partitions hold every project's events."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    prediction_months = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Whole months of predictions kept beside the current one; empty: for ever.",
    )
    feedback_months = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Whole months of feedback kept beside the current one; empty: for ever.",
    )
    key_months = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="How long an event id is remembered: sent again later it lands again.",
    )
    rejected_days = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        default=30,
        validators=[MinValueValidator(1)],
        help_text="How long input that could not land is kept for replay; empty: for ever.",
    )
    count_days = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        default=400,
        # The intake page shows a week.
        validators=[MinValueValidator(8)],
        help_text="How long intake's counts by minute are kept; empty: for ever.",
    )

    class Meta:
        verbose_name_plural = "retention policy"
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="retentionpolicy_one"),
            # A key that goes before its event would let the event land a second time.
            models.CheckConstraint(
                condition=Q(key_months__isnull=True)
                | Q(feedback_months__isnull=False, key_months__gte=models.F("feedback_months")),
                name="retentionpolicy_keys_outlive_events",
            ),
        ]

    def __str__(self) -> str:
        return "Retention policy"

    def clean(self) -> None:
        """Say in words what the database would refuse."""
        if self.key_months and (not self.feedback_months or self.key_months < self.feedback_months):
            raise ValidationError({"key_months": "Keys must be kept as long as feedback is."})
