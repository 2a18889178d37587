"""The pages that make an API key, or a successor of one, and show it, once."""

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache

from curation.admin_scope import configured_projects
from curation.intake.sources import GRACE, CannotRotate, create_source_key, rotate_key
from curation.models import Source, SourceKey
from feedbackhub.core.clock import utcnow
from feedbackhub.core.keys import Scope

WHAT = {
    Scope.PREDICT: "predict: ask for predictions",
    Scope.FEEDBACK: "feedback: post feedback",
    Scope.IMPORT: "import: import samples",
    Scope.REVIEW: "review: claim and answer review items",
    Scope.MANAGE: "manage: start training and move rollouts",
}


class KeyForm(forms.Form):
    """What the key may do, and until when."""

    scopes = forms.MultipleChoiceField(
        choices=[(str(scope), words) for scope, words in WHAT.items()],
        widget=forms.CheckboxSelectMultiple,
        initial=[str(Scope.PREDICT), str(Scope.FEEDBACK)],
        label="It may",
    )
    expires_at = forms.DateTimeField(
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        label="Expires (UTC)",
        help_text="Empty: never. A key can be revoked at any time.",
    )

    def clean_expires_at(self) -> Any:
        """A key that is born expired helps nobody."""
        at = self.cleaned_data["expires_at"]
        if at and at <= utcnow():
            raise forms.ValidationError("That is in the past.")
        return at


class RotateForm(forms.Form):
    """How long both keys are valid."""

    grace_hours = forms.FloatField(
        min_value=0,
        max_value=24 * 365,
        initial=GRACE / timedelta(hours=1),
        label="Hours the old key stays valid",
        help_text="Until then both keys work; have the new one in use by that time.",
    )


@never_cache
def create_key(request: HttpRequest, source_id: int) -> HttpResponse:
    """Ask for scopes, then show the new key; it is stored nowhere in this form."""
    source = get_object_or_404(Source.objects.select_related("project"), pk=source_id)
    _require_configuring(request, source)
    form = KeyForm(request.POST or None)
    key = ""
    if request.method == "POST" and form.is_valid():
        key = create_source_key(
            project=source.project,
            source_name=source.name,
            scopes=[Scope(each) for each in form.cleaned_data["scopes"]],
            now=utcnow(),
            expires_at=form.cleaned_data["expires_at"],
        )
    return render(request, "hub/source_key.html", {"source": source, "form": form, "key": key})


@never_cache
def replace_key(request: HttpRequest, prefix: str) -> HttpResponse:
    """Ask for the grace period, then show the successor of a key."""
    keys = SourceKey.objects.select_related("source__project")
    old = get_object_or_404(keys, prefix=prefix)
    _require_configuring(request, old.source)
    form = RotateForm(request.POST or None)
    key = ""
    if request.method == "POST" and form.is_valid():
        grace = timedelta(hours=form.cleaned_data["grace_hours"])
        try:
            key = rotate_key(prefix=prefix, now=utcnow(), grace=grace)
        except CannotRotate as error:
            form.add_error(None, str(error))
    context = {"source": old.source, "form": form, "key": key, "replaced": old}
    return render(request, "hub/source_key.html", context)


def _require_configuring(request: HttpRequest, source: Source) -> None:
    if not configured_projects(request).filter(pk=source.project_id).exists():
        raise PermissionDenied("Only those who configure the project make keys for it.")
