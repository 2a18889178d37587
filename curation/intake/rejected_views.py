"""Rejected events: what came, what was wrong with it, and sending it again once mended."""

import json
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from curation.intake.quarantine_views import ONLY_LEADS
from curation.intake.rejects import MAX_PAYLOAD
from curation.intake.replay import Replayed, replay
from curation.intake.views import project_and_user
from curation.models import RejectedEvent, Source
from feedbackhub.core.clock import utcnow
from feedbackhub.core.problems import Problem
from feedbackhub.core.roles import Can
from feedbackhub.core.transitions import StaleTransition

PAGE = 50
PREVIEW = 160


@login_required
@never_cache
@require_safe
def rejected_page(request: HttpRequest, project: str) -> HttpResponse:
    """Refused events, the latest first; those that wait for someone unless all are asked for."""
    found, _ = project_and_user(request, project)
    everything = request.GET.get("all") == "1"
    rows = RejectedEvent.objects.filter(project_id=found.pk).order_by("-id")
    if not everything:
        rows = rows.filter(replayed_at=None)
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    events = list(rows[: PAGE + 1])
    names = dict(Source.objects.filter(project=found).values_list("pk", "name"))
    context = {
        "project": found,
        "events": [
            (each, each.payload[:PREVIEW], names.get(each.source_id, "")) for each in events[:PAGE]
        ],
        "everything": everything,
        "older": events[PAGE - 1].pk if len(events) > PAGE else "",
    }
    return render(request, "intake/rejected.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def rejected_event_page(request: HttpRequest, project: str, pk: int) -> HttpResponse:
    """One refused event with its faults; mended and replayed by those who configure the project."""
    found, user = project_and_user(request, project)
    event = get_object_or_404(RejectedEvent, pk=pk, project_id=found.pk)
    context: dict[str, Any] = {
        "project": found,
        "event": event,
        "source": Source.objects.filter(pk=event.source_id).first(),
        "text": _pretty(event.payload),
        "errors": event.reasons,
        "is_cut": len(event.payload.encode()) >= MAX_PAYLOAD,
        "refusal": "" if found.allows(user, Can.CONFIGURE) else ONLY_LEADS,
    }
    if request.method != "POST":
        return render(request, "intake/rejected_event.html", context)
    found.require(user, Can.CONFIGURE)
    text = request.POST.get("text", "")
    try:
        result = replay(rejected=event, text=text, actor=user.username, now=utcnow())
    except (Problem, StaleTransition) as refusal:
        errors = refusal.errors if isinstance(refusal, Problem) else []
        status = refusal.status_code if isinstance(refusal, Problem) else 409
        said = str(refusal.detail) if isinstance(refusal, Problem) else str(refusal)
        event.refresh_from_db()
        context |= {"text": text, "errors": errors, "said": said}
        return render(request, "intake/rejected_event.html", context, status=status)
    messages.success(request, _outcome(result))
    return redirect("intake-rejected-event", project=found.slug, pk=event.pk)


def _outcome(result: Replayed) -> str:
    told = [
        f"{n:,} {word}"
        for n, word in (
            (result.accepted, "accepted"),
            (result.quarantined, "quarantined"),
            (result.duplicates, "had landed before"),
        )
        if n
    ]
    return f"Replayed: {', '.join(told)}."


def _pretty(payload: str) -> str:
    try:
        return json.dumps(json.loads(payload), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return payload
