"""Rollouts in the admin: set the policy; look at rollouts and what was measured."""

from __future__ import annotations  # Generic in the stubs alone.

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from curation.admin_scope import ProjectScopedAdmin, ReadOnlyAdmin
from rollout.models import Rollout, RolloutEvidence, RolloutPolicy


@admin.register(RolloutPolicy)
class RolloutPolicyAdmin(ProjectScopedAdmin):
    """How candidates of a project are tried, and what promotes or stops them."""

    list_display = (
        "project",
        "treatment_share",
        "min_hours",
        "min_audit_labels",
        "auto_promote",
        "holdback_share",
    )
    # The first promotion sets it, and the proof that the loop pays rests on it.
    readonly_fields = ("day0_version",)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Model | None = None
    ) -> tuple[str, ...]:
        """A policy stays with its project."""
        return (*self.readonly_fields, "project") if obj else self.readonly_fields


@admin.register(Rollout)
class RolloutAdmin(ReadOnlyAdmin):
    """Every rollout; its steps are taken on its page, where they ask for a reason."""

    list_display = (
        "candidate",
        "champion",
        "project",
        "status",
        "started_at",
        "finished_at",
        "page",
    )
    list_filter = ("status",)
    list_select_related = ("project", "candidate__project", "champion__project")

    @admin.display(description="page")
    def page(self, rollout: Rollout) -> str:
        """A link to the rollout's own page."""
        address = reverse(
            "rollouts-rollout", kwargs={"project": rollout.project.slug, "pk": rollout.pk}
        )
        return format_html('<a href="{}">Open</a>', address)


@admin.register(RolloutEvidence)
class RolloutEvidenceAdmin(ReadOnlyAdmin):
    """What was known of the arms at each look."""

    project_path = "rollout__project"
    list_display = ("rollout_id", "computed_at", "verdict")
    ordering = ("-id",)

    @admin.display(description="what the audit labels say")
    def verdict(self, evidence: RolloutEvidence) -> str:
        """The finding as a sentence."""
        return str(evidence.comparison.get("sentence", ""))
