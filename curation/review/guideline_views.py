"""The page of the guidelines: what is in force, what changed when, and writing a new version."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from curation.models import Project
from curation.review.guideline_versions import (
    MOST_CHARACTERS,
    GuidelineRefused,
    publish_guideline,
    versions,
)
from curation.review.guidelines import render_guideline
from feedbackhub.core.clock import utcnow
from feedbackhub.core.models import User
from feedbackhub.core.roles import Can


class GuidelineForm(forms.Form):
    """A new version."""

    text = forms.CharField(
        max_length=MOST_CHARACTERS,
        strip=False,
        label="Text",
        help_text="Markdown: # headings, **strong**, lists, tables. HTML is shown as text; "
        "pictures are left out.",
        widget=forms.Textarea(attrs={"rows": 18, "spellcheck": "true"}),
    )
    follows = forms.IntegerField(min_value=0, widget=forms.HiddenInput)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def guidelines_page(request: HttpRequest, project: str) -> HttpResponse:
    """Shows every version; leads preview and publish the next one, without a script."""
    user = request.user
    assert isinstance(user, User)
    found = get_object_or_404(Project.objects.visible_to(user), slug=project)
    found.require(user, Can.REVIEW)
    if request.method != "POST":
        return _page(request, found, user)
    found.require(user, Can.CURATE)
    form = GuidelineForm(request.POST)
    if not form.is_valid():
        return _page(request, found, user, form=form, status=422)
    if request.POST.get("action") != "publish":
        preview = render_guideline(text=form.cleaned_data["text"])
        return _page(request, found, user, form=form, preview=preview)
    try:
        made = publish_guideline(project=found, user=user, now=utcnow(), **form.cleaned_data)
    except GuidelineRefused as refused:
        # The hidden number must follow the version that is shown now, or it is refused again.
        return _page(request, found, user, text=form.cleaned_data["text"], said=str(refused))
    messages.success(request, f"Version {made.number} is in force; annotators are told at once.")
    return redirect("review-guidelines", project=found.slug)


def _page(
    request: HttpRequest,
    project: Project,
    user: User,
    *,
    form: GuidelineForm | None = None,
    text: str | None = None,
    preview: str = "",
    said: str = "",
    status: int = 200,
) -> HttpResponse:
    history = versions(project=project)
    newest = history[0].guideline if history else None
    number = newest.number if newest else 0
    initial = {"text": text if text is not None else (newest.text if newest else "")}
    context: dict[str, Any] = {
        "project": project,
        "newest": history[0] if history else None,
        "history": history[1:],
        "next_number": number + 1,
        "may_write": project.allows(user, Can.CURATE),
        "form": form or GuidelineForm(initial={**initial, "follows": number}),
        "is_writing": form is not None or bool(said),
        "preview": preview,
        "said": said,
    }
    return render(request, "review/guidelines.html", context, status=409 if said else status)
