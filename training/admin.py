"""Training in the admin: leads set the policy; everything else is looked at."""

from __future__ import annotations  # Generic in the stubs alone.

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms import ChoiceField, ModelForm
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget

from curation.admin_scope import ProjectScopedAdmin, ReadOnlyAdmin
from training import estimators
from training.models import Evaluation, ModelVersion, Snapshot, TrainingPolicy, TrainingRun


class TrainingPolicyForm(ModelForm):  # type: ignore[type-arg] # generic in the stubs alone
    """Offers the recipes there are, and refuses parameters that do not fit the chosen one."""

    estimator = ChoiceField(
        choices=[(each.name, each.title) for each in estimators.ESTIMATORS.values()],
        widget=UnfoldAdminSelectWidget,
    )

    def clean(self) -> dict[str, Any]:
        """The policy's fields, with the parameters checked against the estimator's limits."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "estimator" not in cleaned:
            return cleaned
        try:
            estimators.check(cleaned["estimator"], params=cleaned.get("parameters") or {})
        except estimators.BadEstimatorParameters as error:
            raise ValidationError({"parameters": str(error)}) from error
        return cleaned


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
