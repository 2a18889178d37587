"""Gold: samples whose answer seniors agree on, served among the others to see how annotators do."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from curation.models.project import Project
from curation.models.sample import Sample


class GoldItem(models.Model):
    """A sample with a known answer, until it is retired: a text is gold once and never again."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="gold_items")
    sample = models.OneToOneField(Sample, models.CASCADE, related_name="gold")
    value = models.CharField(max_length=60, help_text="The answer that counts as right.")
    grounds = models.CharField(max_length=200, help_text="Who agreed on it.")
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)
    retired_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, help_text="Empty: by itself."
    )
    retired_reason = models.CharField(max_length=300, blank=True)
    is_bad = models.BooleanField(
        default=False, help_text="Retired because its answer is in doubt: nobody is judged by it."
    )

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(retired_at=None, retired_reason="", is_bad=False)
                | (Q(retired_at__isnull=False) & ~Q(retired_reason="")),
                name="golditem_retired_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"gold: {self.sample} is {self.value}"
