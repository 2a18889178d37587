"""Review: samples waiting for a person, the leases on them, and what people answered."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Random

from curation.models.project import Guideline, Project
from curation.models.sample import Sample


class Queue(models.TextChoices):
    """Why a sample waits for a person."""

    DISPUTED = "disputed", "Disputed"
    UNCERTAIN = "uncertain", "Uncertain"
    AUDIT = "audit", "Audit"
    LABEL_ERROR = "label_error", "Label error"
    GOLD = "gold", "Gold"
    SLICE = "slice", "Slice"
    SPAM = "spam", "Spam"


class SkipReason(models.TextChoices):
    """Why an annotator passed an item on."""

    UNCLEAR = "unclear", "Unclear"
    SPAM = "spam", "Spam or garbage"
    OTHER_LANGUAGE = "language", "Another language"
    OTHER = "other", "Something else"


class Routed(models.TextChoices):
    """Why an item went another way than to the next annotator."""

    OPENED = "opened", "Only a senior annotator can decide it"
    SPLIT = "split", "Annotators are split"
    UNCLEAR = "unclear", "Annotators find it unclear"
    LANGUAGE = "language", "Annotators say it is in another language"
    PASSED = "passed", "Annotators keep passing it on"
    SPAM = "spam", "Annotators call it spam"


class Draw(models.TextChoices):
    """How an item came to an annotator."""

    QUEUE = "queue", "As the most urgent of its queue"
    RANDOM = "random", "By lot, of all that are open"


class ReviewItem(models.Model):
    """A sample waiting in a queue for ``needed`` answers.

    ``taken`` counts live leases and answers together, ``done`` the answers: an item can be claimed
    while ``taken < needed``. Both are changed only by the statements of the queue engine.
    """

    class Status(models.TextChoices):
        """Whether anyone still has to look."""

        OPEN = "open"
        DONE = "done"
        CLOSED = "closed"

    project = models.ForeignKey(Project, models.CASCADE, related_name="review_items")
    sample = models.ForeignKey(Sample, models.CASCADE, related_name="review_items")
    queue = models.CharField(max_length=12, choices=Queue.choices)
    status = models.CharField(max_length=6, choices=Status.choices, default=Status.OPEN)
    priority = models.FloatField(default=0)
    needed = models.PositiveSmallIntegerField(default=1)
    taken = models.PositiveSmallIntegerField(default=0)
    done = models.PositiveSmallIntegerField(default=0)
    skips = models.PositiveSmallIntegerField(default=0)
    for_senior = models.BooleanField(default=False, db_default=False)
    routed = models.CharField(
        max_length=8, choices=Routed.choices, blank=True, default="", db_default=""
    )
    saved = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="Answers not asked for, because it was sure without."
    )
    is_adopted = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Done by blind answers to the same text in another queue.",
    )
    lot = models.FloatField(db_default=Random(), help_text="Uniform in [0, 1): its place by lot.")
    why = models.JSONField(default=dict, help_text="Why it is here; shown only after the answer.")
    prediction_id = models.UUIDField(null=True)
    model_version = models.CharField(
        max_length=60, blank=True, help_text="Which version ranked it."
    )
    inclusion_probability = models.FloatField(
        null=True, help_text="How likely it was to be picked."
    )
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                "project",
                "queue",
                F("for_senior").desc(),
                F("priority").desc(),
                "id",
                condition=Q(status="open", taken__lt=F("needed")),
                name="reviewitem_claimable",
            ),
            models.Index(
                "project",
                "lot",
                condition=Q(status="open", taken__lt=F("needed")),
                name="reviewitem_lot",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["sample", "queue"], condition=Q(status="open"), name="reviewitem_one_open"
            ),
            models.CheckConstraint(
                condition=Q(done__lte=F("taken"), taken__lte=F("needed")), name="reviewitem_slots"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.queue} item {self.pk}"


class Lease(models.Model):
    """A short claim of one annotator on one item; it runs out unless its page keeps it alive."""

    item = models.ForeignKey(ReviewItem, models.CASCADE, related_name="leases")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="leases")
    claimed_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    draw = models.CharField(
        max_length=6, choices=Draw.choices, default=Draw.QUEUE, db_default=Draw.QUEUE
    )
    inclusion_probability = models.FloatField(null=True, help_text="Of its draw by lot.")

    class Meta:
        constraints = [models.UniqueConstraint("item", "user", name="lease_once")]

    def __str__(self) -> str:
        return f"{self.user} on {self.item}"


class Annotation(models.Model):
    """One annotator's answer or skip. Withdrawn ones stay, with the time they were undone."""

    class Kind(models.TextChoices):
        """Whether it answers."""

        LABEL = "label"
        SKIP = "skip"

    item = models.ForeignKey(ReviewItem, models.CASCADE, related_name="annotations")
    sample = models.ForeignKey(Sample, models.CASCADE, related_name="annotations")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="annotations")
    kind = models.CharField(max_length=5, choices=Kind.choices)
    value = models.CharField(max_length=60, blank=True)
    skip_reason = models.CharField(max_length=10, choices=SkipReason.choices, blank=True)
    note = models.TextField(blank=True)
    guideline = models.ForeignKey(Guideline, models.PROTECT, null=True)
    is_blind = models.BooleanField(
        default=True, help_text="Given before the prediction and the votes were revealed."
    )
    was_shown = models.BooleanField(
        db_default=False,
        default=False,
        help_text="The first answer after a prediction that was shown by lot; never blind.",
    )
    is_extra = models.BooleanField(default=False, help_text="Came when no slot was free any more.")
    submission_key = models.UUIDField(help_text="Makes a resent submission count once.")
    seconds_spent = models.FloatField(null=True)
    draw = models.CharField(
        max_length=6, choices=Draw.choices, default=Draw.QUEUE, db_default=Draw.QUEUE
    )
    inclusion_probability = models.FloatField(null=True, help_text="Of its draw by lot.")
    submitted_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["user", "-submitted_at"], name="annotation_recent"),
            # What was taken back since a moment.
            models.Index(
                fields=["undone_at"], condition=Q(undone_at__isnull=False), name="annotation_undone"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["item", "user"],
                condition=Q(undone_at__isnull=True),
                name="annotation_one_standing",
            ),
            models.UniqueConstraint("user", "submission_key", name="annotation_submission"),
            models.CheckConstraint(
                condition=Q(kind="label", skip_reason="") | Q(kind="skip", value=""),
                name="annotation_label_or_skip",
            ),
            models.CheckConstraint(
                condition=~Q(was_shown=True, is_blind=True), name="annotation_shown_is_not_blind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.value or self.skip_reason}"


class Exposure(models.Model):
    """Someone has seen what is hidden from annotators about a sample, on a page that shows it.

    Whatever they answer about it from then on is not blind, so the queues never ask them.
    """

    sample = models.ForeignKey(Sample, models.CASCADE, related_name="exposures")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="exposures")
    at = models.DateTimeField(help_text="The first time.")

    class Meta:
        constraints = [models.UniqueConstraint("sample", "user", name="exposure_once")]

    def __str__(self) -> str:
        return f"{self.user} saw {self.sample}"
