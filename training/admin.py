"""Training in the admin: leads set the policy; everything else is looked at."""

from __future__ import annotations  # Generic in the stubs alone.

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms import ChoiceField, FloatField, ModelForm
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget

from curation.admin_scope import ProjectScopedAdmin, ReadOnlyAdmin
from training import estimators
from training.active_learning import STRATEGIES, BadMixture, checked_shares
from training.inclusion import UNIFORM
from training.models import Evaluation, ModelVersion, Snapshot, TrainingPolicy, TrainingRun

SHARE_HELP = "How much of the uncertain queue, against the other shares."


def _share(strategy: str) -> FloatField:
    """The field for one strategy's share of the uncertain queue."""
    said = (
        STRATEGIES[strategy].help
        if strategy != UNIFORM
        else (
            "Drawn from the whole pool; at least a hundredth. Only these say what the pool is like."
        )
    )
    title = STRATEGIES[strategy].title if strategy != UNIFORM else "At random"
    return FloatField(
        label=f"Share: {title.lower()}",
        min_value=0,
        required=False,
        help_text=f"{said} {SHARE_HELP}",
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "0.05"}),
    )


class TrainingPolicyForm(ModelForm):  # type: ignore[type-arg] # generic in the stubs alone
    """Offers the recipes and strategies there are, and refuses what does not fit them."""

    estimator = ChoiceField(
        choices=[(each.name, each.title) for each in estimators.ESTIMATORS.values()],
        widget=UnfoldAdminSelectWidget,
    )
    share_margin = _share("margin")
    share_diversity = _share("diversity")
    share_entropy = _share("entropy")
    share_least_confident = _share("least_confident")
    share_committee = _share("committee")
    share_uniform = _share(UNIFORM)

    class Meta:
        model = TrainingPolicy
        exclude = ("sampling",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in (*STRATEGIES, UNIFORM):
            self.initial.setdefault(f"share_{name}", self.instance.sampling.get(name, 0))

    def clean(self) -> dict[str, Any]:
        """The policy's fields, with parameters and mixture checked against what there is."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self._check_parameters(cleaned)
        shares = {name: cleaned.get(f"share_{name}") or 0 for name in (*STRATEGIES, UNIFORM)}
        try:
            checked_shares(shares)
        except BadMixture as error:
            raise ValidationError({f"share_{UNIFORM}": str(error)}) from error
        self.instance.sampling = {name: share for name, share in shares.items() if share}
        return cleaned

    def _check_parameters(self, cleaned: dict[str, Any]) -> None:
        if "estimator" not in cleaned:
            return
        try:
            estimators.check(cleaned["estimator"], params=cleaned.get("parameters") or {})
        except estimators.BadEstimatorParameters as error:
            raise ValidationError({"parameters": str(error)}) from error


@admin.register(TrainingPolicy)
class TrainingPolicyAdmin(ProjectScopedAdmin):
    """When a project retrains, and what its gates ask."""

    form = TrainingPolicyForm
    list_display = ("project", "is_enabled", "min_new_labels", "estimator", "delta")
    list_select_related = ("project",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Every project has one from the start."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A policy stays with its project."""
        return ("project",)


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    """Every run and what came of it."""

    list_display = ("id", "project", "status", "trigger", "reason", "created_at", "finished_at")
    list_filter = ("status", "trigger")
    list_select_related = ("project",)
    fields = (
        *("project", "status", "step", "trigger", "reason", "requested_by", "outcome", "error"),
        *("snapshot", "estimator", "parameters", "seed", "attempt", "heartbeat_at", "sent_at"),
        *("created_at", "started_at", "finished_at"),
    )


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    """Every version; its status moves through the registry alone."""

    list_display = ("name", "project", "status", "fingerprint", "created_at")
    list_filter = ("status",)
    list_select_related = ("project",)


@admin.register(Snapshot)
class SnapshotAdmin(ReadOnlyAdmin):
    """What runs trained on, by hash."""

    list_display = ("__str__", "project", "created_at")
    list_select_related = ("project",)


@admin.register(Evaluation)
class EvaluationAdmin(ReadOnlyAdmin):
    """Every verdict with its numbers."""

    project_path = "version__project"
    list_display = ("version", "verdict", "champion", "n_test", "created_at")
    list_filter = ("verdict",)
    list_select_related = ("version__project", "champion__project")
