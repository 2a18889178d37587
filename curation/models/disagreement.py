"""Disagreement about a sample, and how far its voices have earned to be believed.

What is here is derived: from feedback, annotations, labels and answers of models. Deleting a row
loses nothing that the next weighing of its sample would not find again.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from curation.models.project import Project
from curation.models.sample import Sample


class DisagreementKind(models.TextChoices):
    """Who contradicts whom about a sample."""

    USER_MODEL = "user_model", "Users and the model"
    USER_USER = "user_user", "Users among themselves"
    USER_ANNOTATOR = "user_annotator", "Users and annotators"
    ANNOTATOR_ANNOTATOR = "annotators", "Annotators among themselves"
    MODEL_MODEL = "models", "Model versions"
    NEIGHBOURS = "neighbours", "Labels of near-duplicates"


class Disagreement(models.Model):
    """Everything that contradicts itself about one sample; one record a sample, for good.

    ``evidence`` holds an object for each of ``kinds``, with counts and label names only: no text
    and nobody's name. ``strength`` joins the kinds into one number in [0, 1]. When nothing is
    contradicted any more the record stays as it last was, with the time it was resolved.
    """

    sample = models.OneToOneField(
        Sample, models.CASCADE, primary_key=True, related_name="disagreement"
    )
    project = models.ForeignKey(Project, models.CASCADE, related_name="disagreements")
    kinds = ArrayField(models.CharField(max_length=14, choices=DisagreementKind.choices))
    strength = models.FloatField(help_text="In [0, 1], to two decimals.")
    evidence = models.JSONField(default=dict, help_text="By kind: counts and labels.")
    opened_at = models.DateTimeField(help_text="Of this stretch: anew after it was resolved.")
    updated_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                "project",
                F("strength").desc(),
                "sample",
                condition=Q(resolved_at__isnull=True),
                name="disagreement_open",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(strength__gte=0, strength__lte=1), name="disagreement_strength"
            ),
        ]

    def __str__(self) -> str:
        return f"disagreement about sample {self.sample_id} ({self.strength:.2f})"

    def kind_names(self) -> list[str]:
        """Its kinds in words."""
        return [str(DisagreementKind(kind).label) for kind in self.kinds]


class WeighingDue(models.Model):
    """A sample whose voices are to be weighed anew: someone answered, took back, or was judged.

    Appended by whoever changes something, in the same transaction, and never waited for: the same
    sample may stand here many times. The digest takes the rows and does the work.
    """

    sample_id = models.BigIntegerField()

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "weighings due"

    def __str__(self) -> str:
        return f"sample {self.sample_id}"


class TrustCounts(models.Model):
    """How often someone agreed with adjudicated labels: whole counts, and decayed to ``as_of``."""

    project_id = models.BigIntegerField()
    source_id = models.BigIntegerField()
    agreed = models.FloatField(default=0, help_text="Decayed to as_of.")
    disagreed = models.FloatField(default=0, help_text="Decayed to as_of.")
    agreed_count = models.IntegerField(default=0)
    disagreed_count = models.IntegerField(default=0)
    as_of = models.DateTimeField()

    class Meta:
        abstract = True


class SubjectTrust(TrustCounts):
    """The adjudicated voices of one subject, known by its keyed hash only; gone when erased."""

    pk = models.CompositePrimaryKey("project_id", "subject_hash")
    subject_hash = models.BinaryField(max_length=16)

    class Meta:
        verbose_name_plural = "trust of subjects"

    def __str__(self) -> str:
        return f"{self.agreed_count} of {self.agreed_count + self.disagreed_count}"


class SourceTrust(TrustCounts):
    """The adjudicated voices that came by one source, with and without a subject."""

    pk = models.CompositePrimaryKey("project_id", "source_id")
    half_life_days = models.FloatField(help_text="That its counts, and its project's, faded by.")

    class Meta:
        verbose_name_plural = "trust of sources"

    def __str__(self) -> str:
        return f"{self.agreed_count} of {self.agreed_count + self.disagreed_count}"


class AdjudicatedVoice(models.Model):
    """One voice that an annotators' label proved right or wrong: what the counts are made of.

    The key makes an adjudication count once; deleting the row takes it back.
    """

    feedback_id = models.UUIDField(primary_key=True)
    project_id = models.BigIntegerField()
    sample_id = models.BigIntegerField(db_index=True)
    source_id = models.BigIntegerField()
    subject_hash = models.BinaryField(max_length=16, null=True)
    has_agreed = models.BooleanField()
    spoken_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(
                fields=["project_id", "subject_hash"],
                condition=Q(subject_hash__isnull=False),
                name="adjudicatedvoice_subject",
            ),
            models.Index(fields=["spoken_at"], name="adjudicatedvoice_spoken"),
        ]

    def __str__(self) -> str:
        return f"{self.feedback_id}: {'agreed' if self.has_agreed else 'disagreed'}"
