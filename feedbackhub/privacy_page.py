"""The privacy page: ask for an erasure, and see what became of those asked for."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import pluralize
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from curation.models import Erasure, Project
from curation.privacy.erasure import request_erasure
from feedbackhub.core.clock import utcnow
from feedbackhub.core.models import User
from feedbackhub.core.roles import Can

SHOWN = 50
WORDS = {
    "predictions": "prediction",
    "unnamed_predictions": "unsigned prediction",
    "feedback": "thumb",
    "samples": "text",
    "rejected": "rejected event",
}


class ErasureForm(forms.Form):
    """Whom to erase, and why."""

    subject = forms.CharField(
        max_length=200,
        strip=False,
        label="Subject",
        help_text="Exactly as the frontend sends it. Only its keyed hash is kept, until all is "
        "erased.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    reason = forms.CharField(
        max_length=1000,
        help_text="Kept as the proof; do not name the person here.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    is_understood = forms.BooleanField(label="I know that this cannot be undone")


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def privacy_page(request: HttpRequest, project: str) -> HttpResponse:
    """Asks whom to erase, and lists the erasures so far; works without a script."""
    user = request.user
    assert isinstance(user, User)
    found = get_object_or_404(Project.objects.visible_to(user), slug=project)
    found.require(user, Can.CONFIGURE)
    form = ErasureForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        request_erasure(
            project=found,
            subject=form.cleaned_data["subject"],
            requested_by=user.username,
            reason=form.cleaned_data["reason"],
            now=utcnow(),
        )
        messages.success(request, "The erasure is on record; a worker begins within a minute.")
        return redirect("privacy", project=found.slug)
    erasures = list(found.erasures.all()[:SHOWN])
    context = {
        "project": found,
        "form": form,
        "sentence": _sentence(erasures),
        "rows": [_row(erasure) for erasure in erasures],
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "hub/privacy.html", context, status=status)


def _sentence(erasures: list[Erasure]) -> str:
    waiting = sum(1 for each in erasures if each.finished_at is None)
    if not erasures:
        return "Nobody has been erased from this project."
    if waiting:
        noun = "erasure is" if waiting == 1 else "erasures are"
        return f"{waiting} {noun} being carried out; each goes on by itself if it is interrupted."
    return "Every erasure that was asked for is finished."


def _row(erasure: Erasure) -> dict[str, Any]:
    counts = [
        f"{count:,} {word}{pluralize(count)}"
        for name, word in WORDS.items()
        if (count := erasure.counts.get(name))
    ]
    return {
        "erasure": erasure,
        "what": ", ".join(counts) or ("nothing was found" if erasure.finished_at else ""),
        "learned": ", ".join(erasure.versions) or "none",
    }
