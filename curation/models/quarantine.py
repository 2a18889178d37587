"""Quarantine and the counts of intake: which rules hold feedback back, who decided, how much came.

The processing row (:class:`~curation.models.event.FeedbackOutcome`) says what an event counts as
now; the rows here say by which rule, and every step that led there.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from curation.models.project import Project


class QuarantineRule(models.Model):
    """How a project uses one statistical rule; without a row the rule's defaults hold."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="quarantine_rules")
    rule = models.CharField(max_length=30)
    is_enabled = models.BooleanField(default=True)
    thresholds = models.JSONField(default=dict, help_text="Typed and checked by the rule itself.")
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint("project", "rule", name="quarantinerule_rule")]

    def __str__(self) -> str:
        return f"{self.rule} of {self.project}"


class QuarantineMove(models.Model):
    """One step of one event into quarantine or out of it. A trigger refuses to change a row."""

    feedback_id = models.UUIDField()
    project_id = models.BigIntegerField()
    from_state = models.CharField(max_length=12)
    to_state = models.CharField(max_length=12)
    rule = models.CharField(max_length=30, blank=True, help_text="That held the event back.")
    actor = models.CharField(max_length=150, help_text="A username, or the digest.")
    reason = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["feedback_id"], name="quarantinemove_feedback")]

    def __str__(self) -> str:
        return f"{self.feedback_id}: {self.from_state} → {self.to_state}"


class ScreeningDue(models.Model):
    """Feedback that was counted and that the statistical rules have not looked at yet."""

    project_id = models.BigIntegerField()
    feedback_ids = ArrayField(models.UUIDField())

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "screenings due"

    def __str__(self) -> str:
        return f"{len(self.feedback_ids)} events of project {self.project_id}"


class IntakeCounts(models.Model):
    """What became of events at intake, as numbers."""

    project_id = models.BigIntegerField()
    source_id = models.BigIntegerField()
    accepted = models.IntegerField(default=0)
    quarantined = models.IntegerField(default=0, help_text="Held back when they landed.")
    caught = models.IntegerField(default=0, help_text="Accepted, and held back by a rule later.")
    rejected = models.IntegerField(default=0)
    duplicates = models.IntegerField(default=0)

    class Meta:
        abstract = True


class IntakeTally(IntakeCounts):
    """One request's counts, inserted with its events and rolled up into minutes.

    A row of its own for each request: requests of one source never wait for each other.
    """

    received_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "intake tallies"

    def __str__(self) -> str:
        return f"source {self.source_id} at {self.received_at}"


class IntakeMinute(IntakeCounts):
    """What became of a source's events in one minute."""

    minute = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint("project_id", "minute", "source_id", name="intakeminute_minute")
        ]

    def __str__(self) -> str:
        return f"source {self.source_id} in {self.minute}"
