"""A project: one classification task, who works on it, who posts to it, and how it is curated."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from rest_framework_api_key.models import AbstractAPIKey

from feedbackhub.core.keys import Scope
from feedbackhub.core.models import User
from feedbackhub.core.roles import CAPABILITIES, Can, Role

SHARE = [MinValueValidator(0.0), MaxValueValidator(1.0)]
ORIGIN = RegexValidator(
    r"^https?://([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:]+\])(:[0-9]{1,5})?\Z",
    "Write each as browsers send it, such as https://shop.example.com: scheme and host in lower "
    "case, a port only if it is unusual, and no path.",
)


class ProjectQuerySet(models.QuerySet["Project"]):
    """Questions about many projects."""

    def visible_to(self, user: User) -> "ProjectQuerySet":
        """The projects ``user`` is a member of; all of them for a superuser."""
        return self if user.is_superuser else self.filter(memberships__user=user).distinct()


class Project(models.Model):
    """One classification task."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=120)
    is_demo = models.BooleanField(default=False, help_text="Filled by simulated subjects.")
    created_at = models.DateTimeField()

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name

    def label_names(self) -> list[str]:
        """The names of the labels, in display order."""
        return list(self.label_options.order_by("position", "id").values_list("name", flat=True))

    def role_of(self, user: User) -> Role | None:
        """The role of ``user`` here, or None for a stranger."""
        if user.is_superuser:
            return Role.ADMIN
        role = self.memberships.filter(user=user).values_list("role", flat=True).first()
        return Role(role) if role else None

    def allows(self, user: User, capability: Can) -> bool:
        """Whether ``user`` has ``capability`` here."""
        role = self.role_of(user) if user.is_active else None
        return role is not None and capability in CAPABILITIES[role]

    def require(self, user: User, capability: Can) -> None:
        """Raise ``PermissionDenied`` unless ``user`` has ``capability`` here."""
        if not self.allows(user, capability):
            raise PermissionDenied(f"Your role in {self.name} does not allow: {capability}.")


class LabelOption(models.Model):
    """One answer the project's classifier and annotators can give."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="label_options")
    name = models.CharField(max_length=60)
    colour = models.CharField(
        max_length=7, default="#64748b", validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$")]
    )
    hotkey = models.CharField(max_length=1, validators=[RegexValidator(r"^[1-9]$")])
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint("project", "name", name="labeloption_name"),
            models.UniqueConstraint("project", "hotkey", name="labeloption_hotkey"),
        ]

    def __str__(self) -> str:
        return self.name


class Guideline(models.Model):
    """One version of a project's annotation guidelines (Markdown); never edited, only followed."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="guidelines")
    number = models.PositiveIntegerField()
    text = models.TextField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint("project", "number", name="guideline_number")]

    def __str__(self) -> str:
        return f"{self.project} guidelines v{self.number}"


class Membership(models.Model):
    """A person's role in a project."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role.choices)

    class Meta:
        constraints = [models.UniqueConstraint("project", "user", name="membership_user")]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.project}"


class Source(models.Model):
    """Who posts events: a frontend or a job, with API keys of its own."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="sources")
    name = models.CharField(max_length=80)
    is_active = models.BooleanField(default=True)
    allowed_origins = ArrayField(
        models.CharField(max_length=200, validators=[ORIGIN]),
        default=list,
        blank=True,
        help_text="Web pages that may call the API with this source's keys: their origins as "
        "browsers send them, such as https://shop.example.com, separated by commas.",
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint("project", "name", name="source_name")]

    def __str__(self) -> str:
        return self.name


class SourceKey(AbstractAPIKey):
    """A source's API key: hashed at rest, scoped, expiring; shown once when it is made."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="keys")
    scopes = ArrayField(models.CharField(max_length=10, choices=[(s, s) for s in Scope]))
    last_used_at = models.DateTimeField(null=True, editable=False, help_text="To the minute.")
    replaced_at = models.DateTimeField(
        null=True, editable=False, help_text="When a successor was made for it."
    )

    class Meta(AbstractAPIKey.Meta):
        verbose_name = "API key"
        verbose_name_plural = "API keys"


class CurationPolicy(models.Model):
    """How a project's events become labels."""

    # The share of predictions labelled blind: the only unbiased window on accuracy.
    AUDIT_HELP: ClassVar[str] = "Share of predictions, chosen by hash, that are labelled blind."

    project = models.OneToOneField(Project, models.CASCADE, related_name="curation_policy")
    audit_share = models.FloatField(default=0.02, validators=SHARE, help_text=AUDIT_HELP)
    pool_margin = models.FloatField(
        default=0.5,
        validators=SHARE,
        help_text="Predictions whose two best probabilities differ by less become samples.",
    )
    test_share = models.FloatField(
        default=0.25, validators=SHARE, help_text="Share of imported clusters held out for tests."
    )
    min_label_quality = models.FloatField(
        default=0.6, validators=SHARE, help_text="Labels below this quality are not trained on."
    )
    trust_half_life_days = models.PositiveIntegerField(
        db_default=90,
        default=90,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text="After so many days a proven right or wrong voice weighs half for its trust.",
    )
    uncertain_queue_size = models.PositiveIntegerField(
        default=50, help_text="Open items the uncertain queue is refilled to."
    )
    overlap = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1)], help_text="Annotators asked for each item."
    )
    dispute_overlap = models.PositiveSmallIntegerField(
        default=2,
        db_default=2,
        validators=[MinValueValidator(1), MaxValueValidator(3)],
        help_text="Annotators asked where users contradict the model, or the first answer "
        "contradicts what was believed. A tie asks one more, up to three; then a senior decides.",
    )
    confident_posterior = models.FloatField(
        default=0.95,
        db_default=0.95,
        validators=[MinValueValidator(0.5), MaxValueValidator(1.0)],
        help_text="Nobody else is asked once the annotators' records make an answer this likely.",
    )
    confident_model = models.FloatField(
        default=0.9,
        db_default=0.9,
        validators=SHARE,
        help_text="An answer against a model at least this sure asks a second annotator.",
    )
    random_share = models.FloatField(
        default=0.1,
        db_default=0.1,
        validators=[MinValueValidator(0.0), MaxValueValidator(0.5)],
        help_text="Share of served items drawn by lot from all that are open.",
    )
    gold_share = models.FloatField(
        default=0.07,
        db_default=0.07,
        validators=[MinValueValidator(0.0), MaxValueValidator(0.2)],
        help_text="Share of served items whose answer is known; annotators cannot tell which.",
    )
    lease_seconds = models.PositiveIntegerField(default=300)
    shown_first_share = models.FloatField(
        db_default=0.05,
        default=0.05,
        validators=[MinValueValidator(0.0), MaxValueValidator(0.2)],
        help_text="Share of reviewed texts, none of them audit or gold, whose prediction is shown "
        "before the answer, to measure how far it sways annotators; 0 shows none.",
    )
    rejected_per_day = models.PositiveIntegerField(
        db_default=1_000,
        default=1_000,
        help_text="Refused events kept for replay, per source and day; more are only counted.",
    )
    mask_personal_data = models.BooleanField(
        default=False,
        help_text="Replace e-mail addresses, phone and card numbers in texts before they are "
        "stored. The model still reads the original.",
    )

    class Meta:
        verbose_name_plural = "curation policies"

    def __str__(self) -> str:
        return f"Curation policy of {self.project}"
