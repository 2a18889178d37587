"""Files that people bring: what each one is, and how far its import has come."""

from django.conf import settings
from django.db import models

from curation.models.project import Project


class FileImport(models.Model):
    """One uploaded file of texts on its way in; the file itself goes when it is done."""

    class Status(models.TextChoices):
        """Whether it is still to be read."""

        WAITING = "waiting", "Waiting"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    project = models.ForeignKey(Project, models.CASCADE, related_name="file_imports")
    name = models.CharField(max_length=200, help_text="Of the file, as it was uploaded.")
    stored_as = models.CharField(max_length=80, help_text="Its name in the hub's home.")
    text_column = models.CharField(max_length=100)
    label_column = models.CharField(max_length=100, blank=True)
    mapping = models.JSONField(default=dict, help_text="From the file's values to labels.")
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.WAITING)
    total = models.PositiveBigIntegerField(help_text="Bytes, or rows of a Parquet file.")
    position = models.PositiveBigIntegerField(default=0, help_text="How much of it is read.")
    tally = models.JSONField(default=dict)
    faults = models.JSONField(default=list, help_text="The first bad lines: number and reason.")
    error = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["id"], condition=models.Q(status="waiting"), name="fileimport_waiting"
            )
        ]

    def __str__(self) -> str:
        return self.name
