"""Groups of traffic: how often each is heard, and how right the model is about it."""

from django.conf import settings
from django.db import models

from curation.models.project import Project


class WordGroup(models.Model):
    """Words that mark a topic: written by a lead, or found in the texts."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="word_groups")
    name = models.CharField(max_length=60)
    words = models.JSONField(help_text="From word or phrase to weight; equal where a lead wrote.")
    is_found = models.BooleanField(default=False, help_text="Found in the texts, by no person.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["is_found", "name"]
        constraints = [
            models.UniqueConstraint("project", "is_found", "name", name="wordgroup_name")
        ]

    def __str__(self) -> str:
        return self.name


class GroupMeasurement(models.Model):
    """The latest look at a project's groups, and the totals each of them is compared with."""

    project = models.OneToOneField(Project, models.CASCADE, related_name="group_measurement")
    since = models.DateTimeField()
    share = models.FloatField(help_text="Of the predictions looked at, drawn by hash.")
    predictions = models.PositiveIntegerField()
    feedback = models.PositiveIntegerField()
    down = models.PositiveIntegerField()
    audited = models.PositiveIntegerField()
    correct = models.PositiveIntegerField()
    is_stale = models.BooleanField(default=False, help_text="Its groups were changed since.")
    measured_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"groups of {self.project} at {self.measured_at}"


class GroupMeasure(models.Model):
    """One group: what was counted in it, and what the comparison with the rest says."""

    measurement = models.ForeignKey(GroupMeasurement, models.CASCADE, related_name="groups")
    dimension = models.CharField(max_length=80)
    name = models.CharField(max_length=120)
    predictions = models.PositiveIntegerField()
    feedback = models.PositiveIntegerField()
    down = models.PositiveIntegerField()
    audited = models.PositiveIntegerField()
    correct = models.PositiveIntegerField()
    heard_q = models.FloatField(null=True, help_text="Adjusted p of the feedback rate.")
    correct_q = models.FloatField(null=True, help_text="Adjusted p of the audited accuracy.")
    is_under_heard = models.BooleanField()
    is_failing = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint("measurement", "dimension", "name", name="groupmeasure_once")
        ]

    def __str__(self) -> str:
        return f"{self.dimension}: {self.name}"
