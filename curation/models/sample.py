"""Samples: distinct texts, the clusters that split them, and what we believe about them."""

from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Q

from curation.models.project import Project


class Split(models.TextChoices):
    """What a cluster's samples may be used for; decided once, when the cluster is made."""

    TRAIN = "train"
    CALIBRATE = "calibrate"
    TEST = "test"


class SignatureField(models.Field):  # type: ignore[type-arg] # No subscripts at run time.
    """The bits by which the database tells near-duplicates apart; only its statements read them."""

    def db_type(self, connection: Any) -> str:
        """``SIGNATURE_BITS`` of :mod:`curation.digest.sketch`."""
        return "bit(320)"


class Cluster(models.Model):
    """Texts so alike that they must share a split. Clusters never merge, splits never change."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="clusters")
    split = models.CharField(max_length=9, choices=Split.choices)
    # Found by the cluster alone, and samples are never deleted one by one: no index.
    representative = models.ForeignKey(
        "curation.Sample",
        models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
        help_text="The earliest of its texts; the next one once that is erased.",
    )
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"cluster {self.pk} ({self.split})"


class Sample(models.Model):
    """One distinct text of a project.

    Without a cluster it is used in no split: it is a near-duplicate of texts in different ones.
    """

    class Origin(models.TextChoices):
        """How the text first came to us."""

        IMPORT = "import"
        FEEDBACK = "feedback"
        AUDIT = "audit"
        POOL = "pool"

    # The index below begins with the project.
    project = models.ForeignKey(Project, models.CASCADE, related_name="samples", db_index=False)
    cluster = models.ForeignKey(Cluster, models.SET_NULL, null=True, related_name="samples")
    text = models.TextField(null=True, help_text="Null once erased.")
    length = models.PositiveIntegerField(null=True, help_text="Of the text, in characters.")
    language = models.CharField(
        max_length=8, blank=True, help_text="ISO 639 code; und where it is too little to tell."
    )
    content_hash = models.BinaryField(max_length=32)
    signature = SignatureField(null=True, editable=False, help_text="Null for short texts.")
    origin = models.CharField(max_length=8, choices=Origin.choices)
    prediction_id = models.UUIDField(null=True, help_text="The prediction it first came with.")
    metadata = models.JSONField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint("project", "content_hash", name="sample_content")]
        indexes = [
            # What the sample explorer reads its pages along.
            models.Index(fields=["project", "-id"], name="sample_newest"),
            GinIndex(SearchVector("text", config="simple"), name="sample_words"),
        ]

    def __str__(self) -> str:
        return (self.text or "(erased)")[:80]


class Band(models.Model):
    """A sample as it is found by later near-duplicates: one of the hashes of its sketch.

    No foreign keys: rows are written by the million, and one without its sample finds nothing.
    """

    pk = models.CompositePrimaryKey("hash", "sample_id")
    hash = models.BigIntegerField(help_text="Of one project alone.")
    sample_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"band {self.hash} of sample {self.sample_id}"


class Label(models.Model):
    """What we believe about a sample, since when, and on what grounds; one is current."""

    class Origin(models.TextChoices):
        """Whose word the label rests on."""

        IMPORT = "import"
        FEEDBACK = "feedback"
        ANNOTATION = "annotation"

    sample = models.ForeignKey(Sample, models.CASCADE, related_name="labels")
    value = models.CharField(max_length=60)
    origin = models.CharField(max_length=10, choices=Origin.choices)
    quality = models.FloatField(help_text="In [0, 1].")
    reasons = models.JSONField(default=list, help_text="Readable grounds of the quality.")
    # Value, word and grounds never change; the quality made of them follows support and age.
    word = models.FloatField(
        null=True, help_text="What the word it rests on is worth by itself, in [0, 1]."
    )
    grounds = models.JSONField(
        db_default=models.Value([], models.JSONField()),
        default=list,
        help_text="The reasons of that word alone.",
    )
    support = models.FloatField(
        null=True, help_text="What models trained without it gave its value, as a probability."
    )
    support_version = models.CharField(
        max_length=60, blank=True, db_default="", default="", help_text="Trained on the others."
    )
    weigh_at = models.DateTimeField(null=True, help_text="When age next changes its quality.")
    is_current = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["created_at"], name="label_created"),
            models.Index(
                fields=["weigh_at"],
                condition=Q(is_current=True, weigh_at__isnull=False),
                name="label_ageing",
            ),
            # What the sample explorer reads its pages along.
            models.Index(
                fields=["value", "-sample"], condition=Q(is_current=True), name="label_by_value"
            ),
            models.Index(
                fields=["quality", "sample"], condition=Q(is_current=True), name="label_by_quality"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["sample"], condition=Q(is_current=True), name="label_one_current"
            ),
            models.CheckConstraint(
                condition=Q(quality__gte=0, quality__lte=1), name="label_quality_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.value} ({self.origin}, {self.quality:.2f})"


class LabelEvidence(models.Model):
    """One thumb or one annotation that a label rests on: the last link of the lineage."""

    label = models.ForeignKey(Label, models.CASCADE, related_name="evidence")
    feedback_id = models.UUIDField(null=True, db_index=True)
    annotation = models.ForeignKey(
        "curation.Annotation", models.CASCADE, null=True, related_name="label_evidence"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(feedback_id__isnull=False) ^ Q(annotation__isnull=False),
                name="labelevidence_one_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"evidence of label {self.label_id}"
