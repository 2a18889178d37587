"""The retention policy in the admin."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from curation.models import RetentionPolicy


@admin.register(RetentionPolicy)
class RetentionPolicyAdmin(ModelAdmin):
    """How long each table is kept: one row, and an administrator's, as it is for every project."""

    list_display = (
        "__str__",
        "prediction_months",
        "feedback_months",
        "key_months",
        "rejected_days",
        "count_days",
    )

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Only an administrator's."""
        return bool(request.user.is_active and request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As the module."""
        return self.has_module_permission(request)

    has_change_permission = has_view_permission

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Once."""
        return self.has_module_permission(request) and not RetentionPolicy.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Emptying its fields keeps everything."""
        return False
