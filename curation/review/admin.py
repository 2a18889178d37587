"""Gold in the admin: leads look at it, and retire what they doubt."""

from __future__ import annotations  # Generic in the stubs alone.

from typing import Any

from django.contrib import admin
from django.forms import CharField, ModelForm, Textarea
from django.http import HttpRequest, HttpResponse
from django.utils.text import Truncator

from curation.admin_scope import ProjectScopedAdmin
from curation.models import GoldItem
from curation.review import gold, services
from feedbackhub.core.clock import utcnow
from feedbackhub.core.models import User


class RetireForm(ModelForm):  # type: ignore[type-arg] # generic in the stubs alone
    """Nothing of gold is edited; a reason retires it."""

    retired_reason = CharField(
        label="Retire it because",
        max_length=300,
        widget=Textarea(attrs={"rows": 2}),
        help_text="Saving retires it for good: nobody is judged by it, and a senior annotator is "
        "asked about its text.",
    )


@admin.register(GoldItem)
class GoldItemAdmin(ProjectScopedAdmin):
    """What seniors agree on. Whoever looks is never asked about these texts blind."""

    list_display = ("short_text", "value", "grounds", "created_at", "retired_at", "retired_reason")
    list_filter = ("project", "is_bad")
    list_select_related = ("sample", "project")
    readonly_fields = (
        "project",
        "text",
        "value",
        "grounds",
        "created_at",
        "retired_at",
        "retired_by",
        "is_bad",
    )
    fields = (*readonly_fields, "retired_reason")

    @admin.display(description="text")
    def short_text(self, item: GoldItem) -> str:
        """The text, shortened."""
        return Truncator(item.sample.text or "(erased)").chars(80)

    @admin.display(description="text")
    def text(self, item: GoldItem) -> str:
        """The whole text."""
        return item.sample.text or "(erased)"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """It grows from what seniors answer."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What is retired stays so."""
        retired = isinstance(obj, GoldItem) and obj.retired_at is not None
        return (*self.readonly_fields, "retired_reason") if retired else self.readonly_fields

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """A reason is asked for while there is something to retire."""
        if isinstance(obj, GoldItem) and obj.retired_at is None:
            kwargs["form"] = RetireForm
        return super().get_form(request, obj, **kwargs)

    def save_model(self, request: HttpRequest, obj: GoldItem, form: Any, change: bool) -> None:
        """Saving is retiring."""
        assert isinstance(request.user, User)
        found = GoldItem.objects.select_related("project").get(pk=obj.pk)
        gold.retire(gold=found, by=request.user, reason=obj.retired_reason, now=utcnow())

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list shows texts with their answers."""
        response: HttpResponse = super().changelist_view(request, extra_context)
        shown = getattr(response, "context_data", {}).get("cl")
        if shown is not None and isinstance(request.user, User):
            ids = [item.sample_id for item in shown.result_list]
            services.expose(sample_ids=ids, user=request.user, now=utcnow())
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page shows one."""
        item = self.get_object(request, object_id)
        if item is not None and isinstance(request.user, User):
            services.expose(sample_ids=[item.sample_id], user=request.user, now=utcnow())
        page: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
        return page
