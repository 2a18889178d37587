"""The rows every room shares: users, and the history of every status."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person who signs in: annotator, senior, ML lead or admin, by project membership."""


class StatusChange(models.Model):
    """One move of one object from a status to another; written only by ``core.transitions``.

    Review items and outcomes of feedback have histories of their own: annotations and events.
    A database trigger refuses to change or delete a row.
    """

    kind = models.CharField(max_length=60, help_text="Model label, such as rollout.rollout.")
    object_id = models.BigIntegerField()
    from_status = models.CharField(max_length=30, blank=True)
    to_status = models.CharField(max_length=30)
    actor = models.CharField(max_length=150, help_text="A username, or the reconciler that acted.")
    reason = models.TextField(blank=True)
    evidence = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["kind", "object_id", "at"], name="statuschange_object")]
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}: {self.from_status} → {self.to_status}"
