"""Admin classes that know projects: people see and change what their role there allows.

Django's own permissions are not asked: a role in a project decides, as on every other page. The
rooms above use these for their models too.
"""

from __future__ import annotations  # Generic in the stubs alone.

from collections.abc import Collection
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.core.paginator import Paginator
from django.db.models import ForeignKey, Model, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin

from curation.models import Project
from feedbackhub.core.models import User
from feedbackhub.core.roles import CAPABILITIES, Can, Role

CONFIGURING = [role for role in Role if Can.CONFIGURE in CAPABILITIES[role]]


def configured_projects(request: HttpRequest) -> QuerySet[Project]:
    """The projects whose settings and data the person may see in the admin."""
    user = request.user
    if not isinstance(user, User) or not user.is_active:
        return Project.objects.none()
    if user.is_superuser:
        return Project.objects.all()
    # A subquery rather than a join: it needs no DISTINCT.
    return Project.objects.filter(
        pk__in=user.memberships.filter(role__in=CONFIGURING).values("project")
    )


class CappedPaginator(Paginator):  # type: ignore[type-arg] # generic in the stubs alone
    """Counts no further than a person pages: a full count of a big table takes seconds."""

    LIMIT = 10_000

    @cached_property
    def count(self) -> int:
        """Rows, or the limit when there are more."""
        rows = self.object_list
        return rows[: self.LIMIT].count() if isinstance(rows, QuerySet) else len(rows)


class ProjectScopedAdmin(ModelAdmin):
    """Rows of the projects the person configures; superusers see all."""

    project_path = "project"
    """Look-up from the model to its project, empty for the project itself."""
    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Only rows of projects the person configures."""
        rows: QuerySet[Any] = super().get_queryset(request)
        if request.user.is_superuser:
            return rows
        return rows.filter(**{f"{self.project_path or 'pk'}__in": self._projects(request)})

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        """A project is chosen among those the person configures."""
        if db_field.related_model is Project:
            kwargs["queryset"] = configured_projects(request)
        field: ModelChoiceField[Any] | None = super().formfield_for_foreignkey(
            db_field, request, **kwargs
        )
        return field

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the person configures any project."""
        return request.user.is_staff and self._projects(request).exists()

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """The queryset has already left out what is not theirs."""
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """As viewing; read-only models say no."""
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """As changing."""
        return self.has_module_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing is deleted by hand unless a model says so: labels and models rest on it."""
        return False

    def _projects(self, request: HttpRequest) -> Any:
        """Projects, or their ids where events carry them as plain values."""
        return configured_projects(request)


class ProjectIdFilter(SimpleListFilter):
    """Chooses a project without asking the event table which ones occur in it."""

    title = "project"
    parameter_name = "project_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The projects the person configures."""
        return [(str(each.pk), each.name) for each in configured_projects(request)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Rows of the chosen project."""
        return queryset.filter(project_id=int(self.value() or 0)) if self.value() else queryset


class ReadOnlyAdmin(ProjectScopedAdmin):
    """Rows that only the hub writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never by hand."""
        return False


class EventAdmin(ReadOnlyAdmin):
    """Events name their project by id, without a foreign key."""

    project_path = "project_id"
    ordering = ("-id",)

    def get_list_filter(self, request: HttpRequest) -> Collection[Any]:
        """One filter by project, made from the projects and not from the events."""
        return [ProjectIdFilter, *self.list_filter]
