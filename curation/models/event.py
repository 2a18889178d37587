"""Events: predictions and feedback, append-only and partitioned by month on their UUIDv7 key.

No foreign key points into the partitioned tables, and they name versions, rollouts and arms as
plain values. The DDL is SQL in the migrations, which also hold the triggers that refuse changes;
the models here are what the ORM may read.
"""

from collections.abc import Mapping
from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models


class Rating(models.TextChoices):
    """What a subject pressed."""

    UP = "up", "👍"
    DOWN = "down", "👎"


class Prediction(models.Model):
    """A served answer. Its unit of randomisation is the subject, or itself when there is none."""

    id = models.UUIDField(primary_key=True)
    project_id = models.BigIntegerField()
    source_id = models.BigIntegerField()
    text = models.TextField(null=True, help_text="Null once erased.")
    content_hash = models.BinaryField(max_length=32)
    label = models.CharField(max_length=60)
    confidence = models.FloatField(null=True)
    probabilities = models.JSONField(null=True)
    model_version = models.CharField(max_length=60)
    rollout_id = models.BigIntegerField(null=True)
    arm = models.CharField(max_length=30, blank=True)
    programme_group = models.CharField(max_length=30, blank=True)
    subject_hash = models.BinaryField(max_length=16, null=True)
    session_hash = models.BinaryField(max_length=16, null=True)
    is_audit = models.BooleanField()
    is_external = models.BooleanField(help_text="Served elsewhere, reported with its feedback.")
    latency_ms = models.FloatField(null=True)
    metadata = models.JSONField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        # The indexes stand in the migration: they are made on the partitioned parent.
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.label} by {self.model_version}"


class FeedbackKey(models.Model):
    """Makes intake idempotent: the first answer given to an event id (status and reasons), and a
    digest of its body.

    Outlives the event; its retention is the documented window of idempotency.
    """

    pk = models.CompositePrimaryKey("project_id", "event_id")
    project_id = models.BigIntegerField()
    event_id = models.CharField(max_length=200)
    feedback_id = models.UUIDField()
    body_digest = models.BinaryField(max_length=32)
    answer = models.JSONField()
    received_at = models.DateTimeField()

    class Meta:
        # Rows come in the order of time, so that a few pages of ranges find the old ones.
        indexes = [
            BrinIndex(fields=["received_at"], name="feedbackkey_received", autosummarize=True)
        ]

    def __str__(self) -> str:
        return self.event_id


class Feedback(models.Model):
    """A subject's thumb on a prediction, as it was received; carries what it knew of the answer."""

    id = models.UUIDField(primary_key=True)
    project_id = models.BigIntegerField()
    source_id = models.BigIntegerField()
    event_id = models.CharField(max_length=200)
    prediction_id = models.UUIDField(null=True, help_text="As the caller named it, known or not.")
    rating = models.CharField(max_length=4, choices=Rating.choices)
    corrected_label = models.CharField(max_length=60, blank=True)
    comment = models.TextField(null=True)
    subject_hash = models.BinaryField(max_length=16, null=True)
    session_hash = models.BinaryField(max_length=16, null=True)
    address_hash = models.BinaryField(
        max_length=16, null=True, help_text="Keyed; of the client's address, where that is known."
    )
    predicted_label = models.CharField(max_length=60, blank=True)
    confidence = models.FloatField(null=True)
    model_version = models.CharField(max_length=60, blank=True)
    rollout_id = models.BigIntegerField(null=True)
    arm = models.CharField(max_length=30, blank=True)
    programme_group = models.CharField(max_length=30, blank=True)
    quarantine_reasons = models.JSONField(default=list, help_text="Empty when accepted.")
    metadata = models.JSONField(null=True)
    occurred_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "feedback"

    def __str__(self) -> str:
        return f"{self.rating} on {self.prediction_id}"


class Landed(models.Model):
    """An event the digest has not looked at yet; written with the event, deleted by the digest.

    Predictions get a row only when they are audited or uncertain: the rest asks for no work.
    """

    class Kind(models.TextChoices):
        """Which event table ``id`` stands in."""

        FEEDBACK = "feedback"
        PREDICTION = "prediction"

    id = models.UUIDField(primary_key=True)
    project_id = models.BigIntegerField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    received_at = models.DateTimeField()
    failures = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="How often the digest could not digest it."
    )
    error = models.TextField(blank=True, default="", db_default="", help_text="The latest.")
    retry_at = models.DateTimeField(null=True, help_text="Set aside until then.")

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "landed"
        indexes = [
            # Events that are set aside: none, as a rule.
            models.Index(
                fields=["project_id", "id"],
                condition=models.Q(retry_at__isnull=False),
                name="landed_set_aside",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class FeedbackOutcome(models.Model):
    """What processing learned about a feedback event. The event itself never changes."""

    class State(models.TextChoices):
        """Whether the feedback speaks."""

        COUNTED = "counted"
        SUPERSEDED = "superseded"
        QUARANTINED = "quarantined"
        REJECTED = "rejected"

    # Every later move; the first state is what the digest finds. People release and reject.
    MOVES: ClassVar[Mapping[str, frozenset[str]]] = {
        State.COUNTED: frozenset({State.SUPERSEDED, State.QUARANTINED}),
        State.QUARANTINED: frozenset({State.COUNTED, State.SUPERSEDED, State.REJECTED}),
        State.REJECTED: frozenset({State.COUNTED, State.SUPERSEDED}),
    }

    feedback_id = models.UUIDField(primary_key=True)
    project_id = models.BigIntegerField()
    prediction_id = models.UUIDField(null=True)
    subject_hash = models.BinaryField(max_length=16, null=True)
    sample = models.ForeignKey(
        "curation.Sample", models.SET_NULL, null=True, related_name="feedback_outcomes"
    )
    state = models.CharField(max_length=12, choices=State.choices)
    superseded_by = models.UUIDField(null=True)
    suggested_label = models.CharField(max_length=60, blank=True, help_text="What it says is true.")
    is_disputed = models.BooleanField(default=False, help_text="It contradicts the model.")
    reasons = models.JSONField(default=list)
    rule = models.CharField(
        max_length=30, blank=True, db_default="", default="", help_text="The rule that holds it."
    )
    is_cleared = models.BooleanField(
        db_default=False, default=False, help_text="Released by a person: no rule catches it again."
    )
    comment_hash = models.BinaryField(
        max_length=16, null=True, help_text="Keyed; of comments long enough to be recognised."
    )
    digested_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["project_id", "state"], name="feedbackoutcome_state"),
            # The latest voices about a sample, however many there are.
            models.Index(
                fields=["sample", "-feedback_id"],
                condition=models.Q(state="counted"),
                name="feedbackoutcome_voices",
            ),
            # What a subject said in a day, and who else says the same: for the quarantine rules.
            models.Index(
                fields=["project_id", "subject_hash", "feedback_id"],
                condition=models.Q(subject_hash__isnull=False),
                name="feedbackoutcome_subject",
            ),
            models.Index(
                fields=["project_id", "comment_hash", "feedback_id"],
                condition=models.Q(comment_hash__isnull=False),
                name="feedbackoutcome_comment",
            ),
            models.Index(
                fields=["project_id", "-feedback_id"],
                condition=models.Q(state__in=["quarantined", "rejected"]),
                name="feedbackoutcome_held",
            ),
        ]
        constraints = [
            # One voice per subject and prediction: the later one supersedes the earlier.
            models.UniqueConstraint(
                fields=["prediction_id", "subject_hash"],
                condition=models.Q(state="counted"),
                name="feedbackoutcome_one_voice",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.feedback_id}: {self.state}"


class RejectedEvent(models.Model):
    """Authenticated input that could not land, kept truncated with its reasons for replay."""

    project_id = models.BigIntegerField()
    source_id = models.BigIntegerField()
    payload = models.TextField()
    reasons = models.JSONField()
    received_at = models.DateTimeField()
    replayed_at = models.DateTimeField(null=True)
    replayed_by = models.CharField(max_length=150, blank=True, db_default="", default="")
    position = models.CharField(
        max_length=320, null=True, help_text="Where it stood on a Kafka topic; null over HTTP."
    )

    class Meta:
        indexes = [models.Index(fields=["project_id", "-received_at"], name="rejectedevent_recent")]
        constraints = [
            # A message that Kafka delivers again is kept once.
            models.UniqueConstraint(
                fields=["project_id", "source_id", "position"],
                condition=models.Q(position__isnull=False),
                name="rejectedevent_position",
            ),
        ]

    def __str__(self) -> str:
        return f"rejected {self.pk}"
