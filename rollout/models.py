"""The rows of the rollout room: policy, the journey of each candidate, and its evidence."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from curation.models import Project
from feedbackhub.core.transitions import Moves
from training.models import ModelVersion

SHARE = [MinValueValidator(0.0), MaxValueValidator(1.0)]


class RolloutPolicy(models.Model):
    """How candidates of a project are tried on traffic, and what promotes or stops them."""

    project = models.OneToOneField(Project, models.CASCADE, related_name="rollout_policy")
    treatment_share = models.FloatField(
        default=0.5, validators=SHARE, help_text="Share of subjects the candidate answers."
    )
    min_hours = models.FloatField(default=24.0, validators=[MinValueValidator(0.0)])
    min_audit_labels = models.PositiveIntegerField(
        default=100, help_text="Audit labels in each arm before a promotion is proposed."
    )
    guardrail_alpha = models.FloatField(default=0.05, validators=SHARE)
    auto_promote = models.BooleanField(
        default=False, help_text="Promote without a person's approval when all is well."
    )
    holdback_share = models.FloatField(
        default=0.0, validators=SHARE, help_text="Subjects kept on the day-0 version."
    )
    day0_version = models.ForeignKey(
        ModelVersion, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name_plural = "rollout policies"

    def __str__(self) -> str:
        return f"Rollout policy of {self.project}"


class Rollout(models.Model):
    """The journey of one candidate, from waiting to promoted or rolled back."""

    class Status(models.TextChoices):
        """Where the candidate stands."""

        WAITING = "waiting"
        AB_TEST = "ab_test", "A/B test"
        PAUSED = "paused"
        PROMOTED = "promoted"
        ROLLED_BACK = "rolled_back", "rolled back"
        CANCELLED = "cancelled"

    _ENDS = (Status.PROMOTED, Status.ROLLED_BACK, Status.CANCELLED)
    # ab_test -> cancelled: the champion it was compared with is gone.
    # waiting -> promoted: the first champion, with nothing to compare it to.
    # promoted -> rolled_back: the old champion is put back after a promotion.
    MOVES: Moves = {
        Status.WAITING: frozenset({Status.AB_TEST, Status.PROMOTED, Status.CANCELLED}),
        Status.AB_TEST: frozenset({Status.PAUSED, *_ENDS}),
        Status.PAUSED: frozenset({Status.AB_TEST, *_ENDS}),
        Status.PROMOTED: frozenset({Status.ROLLED_BACK}),
    }
    ACTIVE = (Status.AB_TEST, Status.PAUSED)

    project = models.ForeignKey(Project, models.CASCADE, related_name="rollouts")
    candidate = models.ForeignKey(ModelVersion, models.PROTECT, related_name="rollouts")
    champion = models.ForeignKey(
        ModelVersion, models.PROTECT, null=True, related_name="rollouts_as_champion"
    )
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.WAITING)
    salt = models.CharField(max_length=40, help_text="Of the hash that puts subjects into arms.")
    treatment_share = models.FloatField(validators=SHARE)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    decision = models.JSONField(default=dict, help_text="What the last look decided, and why.")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["project"],
                condition=Q(status__in=["ab_test", "paused"]),
                name="rollout_one_active",
            ),
            models.UniqueConstraint(
                fields=["candidate"],
                condition=Q(status__in=["waiting", "ab_test", "paused"]),
                name="rollout_one_of_candidate",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.candidate} ({self.status})"


class RolloutEvidence(models.Model):
    """What was known of a rollout's arms at one look; the chart and the decisions rest on it."""

    rollout = models.ForeignKey(Rollout, models.CASCADE, related_name="evidence")
    computed_at = models.DateTimeField()
    arms = models.JSONField(help_text="Counts by arm.")
    comparison = models.JSONField(help_text="Effect, interval and verdicts derived from them.")

    class Meta:
        ordering = ["computed_at", "id"]
        indexes = [models.Index(fields=["rollout", "-computed_at"], name="rolloutevidence_recent")]

    def __str__(self) -> str:
        return f"{self.rollout_id} at {self.computed_at:%F %T}"


class ServingFailure(models.Model):
    """A request of an arm that its version could not answer; the champion answered instead."""

    rollout = models.ForeignKey(Rollout, models.CASCADE, related_name="serving_failures")
    arm = models.CharField(max_length=30)
    detail = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.arm} at {self.at:%F %T}: {self.detail[:60]}"
