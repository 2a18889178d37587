"""Bulk actions: what a lead did to many samples at once, row by row, so that it can be undone."""

from django.db import models
from django.db.models import Q

from curation.models.project import Project
from curation.models.sample import Label, Sample
from feedbackhub.core.transitions import Moves


class BulkKind(models.TextChoices):
    """What can be done to many samples."""

    LABEL = "label", "Set a label"
    QUEUE = "queue", "Send to a review queue"
    EXCLUDE = "exclude", "Exclude from training"
    INCLUDE = "include", "Include in training again"
    RETRACT_SOURCE = "retract_source", "Retract the thumbs of a source"
    RETRACT_ANNOTATOR = "retract_annotator", "Retract the answers of an annotator"


class BulkAction(models.Model):
    """One thing done to every sample that fitted a filter when it was asked for.

    First the samples are collected and judged one by one: that frozen list is what is previewed,
    and nothing else is ever touched. A worker does it in batches, and takes it back in batches.
    """

    class Status(models.TextChoices):
        """How far it is."""

        COLLECTING = "collecting"
        READY = "ready"
        APPLYING = "applying"
        APPLIED = "applied"
        UNDOING = "undoing"
        UNDONE = "undone"
        CANCELLED = "cancelled"
        FAILED = "failed"

    # Undone while it is applied: what is left of the list is not touched any more.
    MOVES: Moves = {
        Status.COLLECTING: frozenset({Status.READY, Status.CANCELLED, Status.FAILED}),
        Status.READY: frozenset({Status.APPLYING, Status.CANCELLED}),
        Status.APPLYING: frozenset({Status.APPLIED, Status.UNDOING}),
        Status.APPLIED: frozenset({Status.UNDOING}),
        Status.UNDOING: frozenset({Status.UNDONE}),
    }

    project = models.ForeignKey(Project, models.CASCADE, related_name="bulk_actions")
    kind = models.CharField(max_length=20, choices=BulkKind.choices)
    target = models.CharField(
        max_length=150, blank=True, help_text="The label, the queue, or whose words."
    )
    filters = models.JSONField(help_text="As they stand in the explorer's address.")
    reason = models.TextField()
    requested_by = models.CharField(max_length=150)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.COLLECTING)
    is_frozen = models.BooleanField(default=False, help_text="Its samples are written down.")
    failure = models.TextField(blank=True, help_text="Why nothing can be done, as a sentence.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(status__in=["collecting", "applying", "undoing"]),
                name="bulkaction_due",
            ),
        ]

    def __str__(self) -> str:
        return f"bulk action {self.pk}: {self.get_kind_display()}"


class BulkRow(models.Model):
    """One sample of a bulk action, and what became of it."""

    class State(models.TextChoices):
        """How far it is with this sample."""

        FOUND = "found"
        PLANNED = "planned"
        LEFT_OUT = "left_out"
        APPLIED = "applied"
        KEPT = "kept"
        UNDONE = "undone"
        STUCK = "stuck"

    action = models.ForeignKey(BulkAction, models.CASCADE, related_name="rows", db_index=False)
    sample = models.ForeignKey(Sample, models.CASCADE, related_name="bulk_rows")
    state = models.CharField(max_length=8, choices=State.choices, default=State.FOUND)
    why = models.TextField(
        blank=True, help_text="Why it was left out, kept as it was, or not undone."
    )
    label = models.ForeignKey(
        Label, models.SET_NULL, null=True, related_name="bulk_rows", help_text="The one it made."
    )
    change = models.JSONField(default=dict, help_text="What was done, for taking it back.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["action", "sample"], name="bulkrow_once"),
        ]
        indexes = [
            models.Index(fields=["action", "state", "sample"], name="bulkrow_by_state"),
        ]

    def __str__(self) -> str:
        return f"sample {self.sample_id}: {self.state}"


class TrainingExclusion(models.Model):
    """A sample that nothing may learn from, because a lead said so; the row is the exclusion."""

    sample = models.OneToOneField(
        Sample, models.CASCADE, primary_key=True, related_name="exclusion"
    )
    reason = models.TextField()
    excluded_by = models.CharField(max_length=150)
    action = models.ForeignKey(BulkAction, models.SET_NULL, null=True, related_name="exclusions")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"sample {self.sample_id} is excluded from training"
