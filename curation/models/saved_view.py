"""Views of the sample explorer that leads keep by name."""

from django.db import models

from curation.models.project import Project


class SavedView(models.Model):
    """A filter of a project's samples under a name, for everyone who curates it."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=60)
    query = models.TextField(help_text="As it stands in the explorer's address.")
    saved_by = models.CharField(max_length=150)
    saved_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="savedview_name"),
        ]

    def __str__(self) -> str:
        return self.name
