"""Curation in the admin: configure projects and sources; look at events, samples and items."""

from __future__ import annotations  # Generic in the stubs alone.

from collections.abc import Callable
from typing import Any

import rest_framework_api_key.admin  # noqa: F401 # registers the model that is taken out below
from django.contrib import admin
from django.db.models import Count, Prefetch, Q, QuerySet
from django.forms import BaseModelFormSet, ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.text import Truncator
from rest_framework_api_key.models import APIKey
from unfold.admin import StackedInline, TabularInline
from unfold.decorators import action

from curation.admin_scope import EventAdmin, ProjectScopedAdmin, ReadOnlyAdmin
from curation.digest.normalise import content_hash
from curation.label_forms import LabelOptionForm, LabelOptionFormSet
from curation.models import (
    Annotation,
    CurationPolicy,
    Feedback,
    Guideline,
    Label,
    LabelOption,
    Membership,
    Prediction,
    Project,
    RejectedEvent,
    ReviewItem,
    Sample,
    Source,
    SourceKey,
)
from curation.privacy.admin import RetentionPolicyAdmin  # noqa: F401 # registers itself
from curation.review.admin import GoldItemAdmin  # noqa: F401 # registers itself
from curation.source_key_views import create_key, replace_key
from feedbackhub.core.clock import utcnow

# Keys belong to sources here; the package's own keys open nothing.
admin.site.unregister(APIKey)


def _short(text: str | None) -> str:
    return "(erased)" if text is None else Truncator(text).chars(90)


class RoleInline:
    """An inline's rows follow the permissions of the page they stand on."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The page has asked already."""
        return True

    has_add_permission = has_change_permission = has_delete_permission = has_view_permission


class LookInline(RoleInline):
    """Rows to look at."""

    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never by hand."""
        return False

    has_change_permission = has_delete_permission = has_add_permission


class LabelOptionInline(RoleInline, TabularInline):
    """The answers; their names are fixed once events carry them."""

    model = LabelOption
    form = LabelOptionForm
    formset = LabelOptionFormSet
    extra = 0
    fields = ("position", "name", "colour", "hotkey")


class MembershipInline(RoleInline, TabularInline):
    """Who works here, as what."""

    model = Membership
    extra = 0
    raw_id_fields = ("user",)


class PolicyInline(RoleInline, StackedInline):
    """How events become labels."""

    model = CurationPolicy

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A project always has one."""
        return False


class GuidelineInline(RoleInline, StackedInline):
    """Guidelines are never edited: a new version follows the old one."""

    model = Guideline
    extra = 0
    fields = ("number", "text")
    readonly_fields = ("number",)
    verbose_name = "version of the guidelines"
    verbose_name_plural = "guidelines"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Answers name the version they were given under, so it stays as it was."""
        return False

    has_delete_permission = has_change_permission


@admin.register(Project)
class ProjectAdmin(ProjectScopedAdmin):
    """A project with its labels, guidelines, people and policy."""

    project_path = ""
    list_display = ("name", "slug", "labels", "is_demo", "created_at")
    fields = ("name", "slug", "is_demo")
    prepopulated_fields = {"slug": ("name",)}
    inlines = (LabelOptionInline, GuidelineInline, MembershipInline, PolicyInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Project]:
        """With the labels of the whole list in one query."""
        return super().get_queryset(request).prefetch_related("label_options")

    @admin.display(description="labels")
    def labels(self, project: Project) -> str:
        """Their names in display order."""
        return ", ".join(option.name for option in project.label_options.all())

    def has_add_permission(self, request: HttpRequest) -> bool:
        """New projects are an administrator's."""
        return request.user.is_superuser

    def has_module_permission(self, request: HttpRequest) -> bool:
        """An administrator must reach the first project's form too."""
        return request.user.is_superuser or super().has_module_permission(request)

    def save_model(
        self, request: HttpRequest, obj: Project, form: ModelForm[Project], change: bool
    ) -> None:
        """Stamp a new project."""
        if not change:
            obj.created_at = utcnow()
        super().save_model(request, obj, form, change)

    def save_formset(
        self,
        request: HttpRequest,
        form: ModelForm[Project],
        formset: BaseModelFormSet[Any, Any],
        change: bool,
    ) -> None:
        """Number new guidelines and name their author."""
        if formset.model is Guideline:
            number = form.instance.guidelines.count()
            for each in formset.extra_forms:
                if each.has_changed():
                    number += 1
                    each.instance.number = number
                    each.instance.created_by = request.user
                    each.instance.created_at = utcnow()
        super().save_formset(request, form, formset, change)

    def save_related(
        self, request: HttpRequest, form: ModelForm[Project], formsets: Any, change: bool
    ) -> None:
        """A policy left at its defaults is no changed form, yet every project has one."""
        super().save_related(request, form, formsets, change)
        CurationPolicy.objects.get_or_create(project=form.instance)


class SourceKeyInline(LookInline, TabularInline):
    """A source's keys: their beginnings only. Revoking is for good."""

    model = SourceKey
    readonly_fields = (
        "prefix",
        "name",
        "scopes",
        "created",
        "expiry_date",
        "last_used_at",
        "successor",
    )
    fields = (*readonly_fields, "revoked")

    @admin.display(description="replace")
    def successor(self, key: SourceKey) -> str:
        """Leads to the page that makes a successor, or says that there is one."""
        if key.replaced_at:
            return f"replaced {key.replaced_at:%Y-%m-%d %H:%M}"
        if key.revoked or key.has_expired:
            return "–"
        address = reverse("admin:curation_source_key_replace", args=[key.prefix])
        return format_html('<a href="{}">Replace it</a>', address)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """To revoke."""
        return True


@admin.register(Source)
class SourceAdmin(ProjectScopedAdmin):
    """Who posts events, and with which keys."""

    list_display = ("name", "project", "is_active", "usable_keys", "created_at")
    list_select_related = ("project",)
    list_filter = ("is_active",)
    fields = ("project", "name", "is_active", "allowed_origins")
    inlines = (SourceKeyInline,)
    actions_detail = ("create_key",)

    def get_readonly_fields(self, request: HttpRequest, obj: Source | None = None) -> Any:
        """Its events and keys belong to its project for good."""
        return ("project",) if obj else ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Source]:
        """With the number of keys that are not revoked."""
        usable = Count("keys", filter=Q(keys__revoked=False))
        sources: QuerySet[Source] = super().get_queryset(request).annotate(n_keys=usable)
        return sources

    @admin.display(description="keys")
    def usable_keys(self, source: Any) -> int:
        """Keys that are not revoked."""
        return int(source.n_keys)

    def get_urls(self) -> list[URLPattern]:
        """With the pages that make keys."""
        view: Callable[..., HttpResponse] = self.admin_site.admin_view(create_key)
        own = path("<int:source_id>/key/", view, name="curation_source_key")
        replacing: Callable[..., HttpResponse] = self.admin_site.admin_view(replace_key)
        other = path("key/<str:prefix>/replace/", replacing, name="curation_source_key_replace")
        return [own, other, *super().get_urls()]

    @action(description="Create an API key", icon="key")  # type: ignore[untyped-decorator]
    def create_key(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Leads to the page that asks for scopes and shows the key once."""
        return create_key(request, source_id=int(object_id))

    def save_model(
        self, request: HttpRequest, obj: Source, form: ModelForm[Source], change: bool
    ) -> None:
        """Stamp a new source."""
        if not change:
            obj.created_at = utcnow()
        super().save_model(request, obj, form, change)


class LabelInline(LookInline, TabularInline):
    """What was believed about the sample, and what is now."""

    model = Label
    fields = ("value", "origin", "quality", "reasons", "is_current", "created_at")


@admin.register(Sample)
class SampleAdmin(ReadOnlyAdmin):
    """Distinct texts with what is believed about them."""

    list_display = ("id", "short_text", "label", "origin", "split", "created_at")
    list_filter = ("origin", "cluster__split")
    list_select_related = ("cluster",)
    ordering = ("-id",)
    search_fields = ("id",)
    search_help_text = "The whole text, or an id"
    raw_id_fields = ("cluster",)
    exclude = ("content_hash",)
    inlines = (LabelInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Sample]:
        """With the current labels of the page in one query."""
        current = Label.objects.filter(is_current=True)
        prefetch = Prefetch("labels", queryset=current, to_attr="current_labels")
        return super().get_queryset(request).prefetch_related(prefetch)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By content hash or id, which have indexes; a search inside texts would read them all."""
        if not search_term:
            return queryset, False
        found = Q(content_hash=content_hash(search_term))
        if search_term.isdecimal():
            found |= Q(pk=int(search_term))
        return queryset.filter(found), False

    @admin.display(description="text")
    def short_text(self, sample: Sample) -> str:
        """The text, shortened."""
        return _short(sample.text)

    @admin.display(description="label")
    def label(self, sample: Any) -> str:
        """What is believed now."""
        return ", ".join(str(each) for each in sample.current_labels) or "–"

    @admin.display(description="split")
    def split(self, sample: Sample) -> str:
        """What its cluster may be used for."""
        return sample.cluster.split if sample.cluster else "none"


class AnnotationInline(LookInline, TabularInline):
    """What people answered."""

    model = Annotation
    fields = ("user", "kind", "value", "skip_reason", "note", "is_blind", "submitted_at")


@admin.register(ReviewItem)
class ReviewItemAdmin(ReadOnlyAdmin):
    """What waits for a person; the queue engine alone changes it."""

    list_display = ("id", "queue", "status", "short_text", "priority", "slots", "created_at")
    list_filter = ("queue", "status")
    list_select_related = ("sample",)
    ordering = ("-id",)
    raw_id_fields = ("sample",)
    inlines = (AnnotationInline,)

    @admin.display(description="text")
    def short_text(self, item: ReviewItem) -> str:
        """The sample's text, shortened."""
        return _short(item.sample.text)

    @admin.display(description="answers")
    def slots(self, item: ReviewItem) -> str:
        """Answers given of those asked for."""
        return f"{item.done} of {item.needed}"


@admin.register(Prediction)
class PredictionAdmin(EventAdmin):
    """Served answers."""

    list_display = ("created_at", "short_text", "label", "confidence", "model_version", "arm")
    list_filter = ("is_audit", "is_external")
    exclude = ("content_hash", "subject_hash", "session_hash")

    @admin.display(description="text")
    def short_text(self, prediction: Prediction) -> str:
        """The text, shortened."""
        return _short(prediction.text)


@admin.register(Feedback)
class FeedbackAdmin(EventAdmin):
    """Thumbs as they were received."""

    list_display = (
        "received_at",
        "rating",
        "predicted_label",
        "corrected_label",
        "model_version",
        "arm",
        "quarantine_reasons",
    )
    list_filter = ("rating",)
    exclude = ("subject_hash", "session_hash")


@admin.register(RejectedEvent)
class RejectedEventAdmin(EventAdmin):
    """Input that could not land, with the reasons."""

    list_display = ("received_at", "reasons", "short_payload", "replayed_at")

    @admin.display(description="payload")
    def short_payload(self, event: RejectedEvent) -> str:
        """The payload, shortened."""
        return _short(event.payload)
