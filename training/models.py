"""The rows of the training room: policy, snapshots, runs, model versions and their gate results."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from curation.models import Project
from feedbackhub.core.transitions import Moves
from training.active_learning import DEFAULT_SHARES

SHARE = [MinValueValidator(0.0), MaxValueValidator(1.0)]


def usual_mixture() -> dict[str, float]:
    """What uncertain texts are picked by, in a new project."""
    return dict(DEFAULT_SHARES)


class TrainingPolicy(models.Model):
    """When a project retrains, with what, and what its gates ask."""

    project = models.OneToOneField(Project, models.CASCADE, related_name="training_policy")
    is_enabled = models.BooleanField(default=True, help_text="Retrain by itself when due.")
    min_new_labels = models.PositiveIntegerField(
        default=100, help_text="New trainable labels since the last run that start one."
    )
    max_age_hours = models.PositiveIntegerField(
        default=168, help_text="Retrain after this long when there is any new label."
    )
    estimator = models.CharField(max_length=40, default="tfidf_logreg")
    parameters = models.JSONField(default=dict, blank=True)
    seed = models.PositiveIntegerField(default=7)
    delta = models.FloatField(
        default=0.01, validators=SHARE, help_text="Non-inferiority margin on accuracy."
    )
    min_test_labels = models.PositiveIntegerField(default=250)
    macro_f1_floor = models.FloatField(default=0.6, validators=SHARE)
    recall_floor = models.FloatField(default=0.5, validators=SHARE)
    sampling = models.JSONField(
        default=usual_mixture,
        help_text="How the texts of the uncertain queue are picked: strategies and their shares.",
    )

    class Meta:
        verbose_name_plural = "training policies"

    def __str__(self) -> str:
        return f"Training policy of {self.project}"


class Snapshot(models.Model):
    """An immutable, content-hashed list of (sample, label, weight, split); the hash names it."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="snapshots")
    digest = models.CharField(max_length=64, help_text="SHA-256 over its items, in order.")
    train_digest = models.CharField(
        max_length=64, help_text="Over its training items alone: what a model learns from."
    )
    counts = models.JSONField(help_text="Items by split, label and origin.")
    policy = models.JSONField(help_text="The selection it was frozen under.")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint("project", "digest", name="snapshot_digest")]

    def __str__(self) -> str:
        return self.digest[:12]


class SnapshotItem(models.Model):
    """One sample of a snapshot with the label it had; plain ids, so that history outlives rows."""

    snapshot = models.ForeignKey(Snapshot, models.CASCADE, related_name="items")
    sample_id = models.BigIntegerField()
    label_id = models.BigIntegerField(db_index=True)
    value = models.CharField(max_length=60)
    weight = models.FloatField()
    split = models.CharField(max_length=9)

    class Meta:
        constraints = [models.UniqueConstraint("snapshot", "sample_id", name="snapshotitem_once")]

    def __str__(self) -> str:
        return f"{self.sample_id}: {self.value}"


class TrainingRun(models.Model):
    """One attempt to make a better version: from a reason to a model version or an error."""

    class Status(models.TextChoices):
        """Where the run stands."""

        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    # A run whose worker died goes back to queued until its attempts are spent.
    MOVES: Moves = {
        Status.QUEUED: frozenset({Status.RUNNING, Status.CANCELLED, Status.FAILED}),
        Status.RUNNING: frozenset(
            {Status.SUCCEEDED, Status.FAILED, Status.QUEUED, Status.CANCELLED}
        ),
    }

    project = models.ForeignKey(Project, models.CASCADE, related_name="training_runs")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    trigger = models.CharField(max_length=20, help_text="labels, age, button or first.")
    reason = models.TextField(help_text="Why it was started, as a sentence.")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True
    )
    snapshot = models.ForeignKey(Snapshot, models.PROTECT, null=True, related_name="runs")
    estimator = models.CharField(max_length=40)
    parameters = models.JSONField(default=dict)
    seed = models.PositiveIntegerField()
    attempt = models.PositiveSmallIntegerField(default=0)
    step = models.CharField(max_length=40, blank=True, help_text="What it is doing now.")
    outcome = models.TextField(blank=True, help_text="What came of it, as a sentence.")
    error = models.TextField(blank=True, help_text="Why it failed and what to do, as a sentence.")
    sent_at = models.DateTimeField(null=True, help_text="When a worker was last told of it.")
    heartbeat_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["project"],
                condition=Q(status__in=["queued", "running"]),
                name="trainingrun_one_active",
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.pk} of {self.project} ({self.status})"


class ModelVersion(models.Model):
    """An immutable artifact with its lineage; only its status moves."""

    class Status(models.TextChoices):
        """What the gates and the rollouts have said of it so far."""

        CANDIDATE = "candidate"
        BLESSED = "blessed"
        REJECTED = "rejected"
        INSUFFICIENT = "insufficient", "insufficient evidence"
        LIVE = "live"
        SUPERSEDED = "superseded"
        QUARANTINED = "quarantined"

    # superseded -> live is a rollback; live -> quarantined is the version rolled back from. A new
    # champion renews the verdicts on blessed versions, which may lose them; one that lost it while
    # it was under test is quarantined all the same when that test is rolled back.
    MOVES: Moves = {
        Status.CANDIDATE: frozenset({Status.BLESSED, Status.REJECTED, Status.INSUFFICIENT}),
        Status.INSUFFICIENT: frozenset(
            {Status.BLESSED, Status.REJECTED, Status.SUPERSEDED, Status.QUARANTINED}
        ),
        Status.REJECTED: frozenset({Status.QUARANTINED}),
        Status.BLESSED: frozenset(
            {
                Status.LIVE,
                Status.SUPERSEDED,
                Status.QUARANTINED,
                Status.REJECTED,
                Status.INSUFFICIENT,
            }
        ),
        Status.LIVE: frozenset({Status.SUPERSEDED, Status.QUARANTINED}),
        Status.SUPERSEDED: frozenset({Status.LIVE, Status.QUARANTINED}),
    }

    project = models.ForeignKey(Project, models.CASCADE, related_name="model_versions")
    number = models.PositiveIntegerField()
    run = models.OneToOneField(TrainingRun, models.PROTECT, related_name="version")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.CANDIDATE)
    artifact_path = models.CharField(max_length=200, help_text="Relative to the artifacts folder.")
    artifact_sha256 = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64, help_text="What the model is, not which file.")
    classes = models.JSONField()
    metrics = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint("project", "number", name="modelversion_number"),
            models.UniqueConstraint(
                fields=["project"], condition=Q(status="live"), name="modelversion_one_live"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project} {self.name}"

    @property
    def name(self) -> str:
        """How it is called in answers, events and pages: ``v14``."""
        return f"v{self.number}"


class Evaluation(models.Model):
    """One judgement of a candidate against the champion of that moment, on the same labels."""

    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="evaluations")
    champion = models.ForeignKey(
        ModelVersion, models.PROTECT, null=True, related_name="evaluations_as_champion"
    )
    verdict = models.CharField(max_length=12, help_text="blessed, rejected or insufficient.")
    summary = models.TextField(help_text="The verdict as a sentence.")
    n_test = models.PositiveIntegerField()
    test_digest = models.CharField(max_length=64, help_text="SHA-256 over the test labels used.")
    metrics = models.JSONField(help_text="Of candidate and champion on those labels.")
    policy = models.JSONField(help_text="The thresholds in force.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.version}: {self.verdict}"


class GateResult(models.Model):
    """What one gate said in one evaluation."""

    class Status(models.TextChoices):
        """Three answers; only one of them opens the gate."""

        PASSED = "passed"
        FAILED = "failed"
        INSUFFICIENT = "insufficient", "insufficient evidence"

    evaluation = models.ForeignKey(Evaluation, models.CASCADE, related_name="gate_results")
    gate = models.CharField(max_length=40)
    status = models.CharField(max_length=12, choices=Status.choices)
    is_required = models.BooleanField(default=True)
    summary = models.TextField()
    evidence = models.JSONField(default=dict)
    needs = models.PositiveIntegerField(null=True, help_text="About how many more labels decide.")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint("evaluation", "gate", name="gateresult_once")]

    def __str__(self) -> str:
        return f"{self.gate}: {self.status}"


class VersionValue(models.Model):
    """Which labels moved a version, measured once after it was judged."""

    version = models.OneToOneField(ModelVersion, models.CASCADE, related_name="value")
    predecessor = models.ForeignKey(
        ModelVersion, models.SET_NULL, null=True, related_name="+", help_text="Compared with."
    )
    n_test = models.PositiveIntegerField(default=0)
    method = models.TextField(blank=True, help_text="How it was measured, as a sentence.")
    note = models.TextField(blank=True, help_text="Why nothing could be measured, as a sentence.")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"value of the labels of {self.version}"


class QueueValue(models.Model):
    """What the new labels of one queue did to the accuracy of a version."""

    value = models.ForeignKey(VersionValue, models.CASCADE, related_name="queues")
    queue = models.CharField(
        max_length=12, help_text="A review queue, thumbs, import, or all for all together."
    )
    n_labels = models.PositiveIntegerField(help_text="New or changed since the predecessor.")
    delta = models.FloatField(
        null=True, help_text="Accuracy with these labels minus without; null when not measured."
    )
    low = models.FloatField(null=True, help_text="Of a 95 % interval.")
    high = models.FloatField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint("value", "queue", name="queuevalue_once")]

    def __str__(self) -> str:
        return f"{self.queue}: {self.n_labels} labels"


class LabelErrorScan(models.Model):
    """One look at the labels a version was taught, by models that were each taught a part."""

    version = models.OneToOneField(ModelVersion, models.CASCADE, related_name="label_error_scan")
    n_labels = models.PositiveIntegerField(default=0, help_text="Looked at.")
    n_judged = models.PositiveIntegerField(
        default=0, help_text="Of classes common enough to be judged."
    )
    n_suspect = models.PositiveIntegerField(default=0, help_text="Likely wrong.")
    n_queued = models.PositiveIntegerField(default=0, help_text="The worst, asked about.")
    temperature = models.FloatField(null=True, help_text="Above 1: the models were too sure.")
    seconds = models.FloatField(null=True)
    note = models.TextField(blank=True, help_text="Why nothing was judged, as a sentence.")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"labels of {self.version}"


class LabelErrorFlag(models.Model):
    """One label that was doubted and asked about; what people said is read from their answers."""

    scan = models.ForeignKey(LabelErrorScan, models.CASCADE, related_name="flags")
    sample_id = models.BigIntegerField(db_index=True)
    label_id = models.BigIntegerField()
    given = models.CharField(max_length=60, help_text="The label that is doubted.")
    suggested = models.CharField(max_length=60, help_text="What the models say.")
    support = models.FloatField(help_text="Their probability of the label given.")
    probability = models.FloatField(help_text="Their probability of what they say.")
    flagged_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint("scan", "sample_id", name="labelerrorflag_once")]

    def __str__(self) -> str:
        return f"{self.sample_id}: {self.given}, perhaps {self.suggested}"
