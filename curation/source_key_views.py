"""The page that makes an API key and shows it, once."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache

from curation.admin_scope import configured_projects
from curation.intake.sources import create_source_key
from curation.models import Source
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


@never_cache
def create_key(request: HttpRequest, source_id: int) -> HttpResponse:
    """Ask for scopes, then show the new key; it is stored nowhere in this form."""
    source = get_object_or_404(Source.objects.select_related("project"), pk=source_id)
    if not configured_projects(request).filter(pk=source.project_id).exists():
        raise PermissionDenied("Only those who configure the project make keys for it.")
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
