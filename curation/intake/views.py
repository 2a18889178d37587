"""The intake page: what comes in, what becomes of it, and whether the digest keeps up."""

from datetime import datetime, timedelta
from typing import Any

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from curation.intake import charts, pages, pulse
from curation.intake.charts import Bar
from curation.intake.pulse import HOUR, WINDOWS, Window
from curation.models import Project
from feedbackhub.core.clock import utcnow
from feedbackhub.core.models import User
from feedbackhub.core.roles import Can

PARTS = ("headline", "health", "stats", "reasons", "flow_table")
RATE_OVER = timedelta(minutes=5)
# The page has no buttons that could be out of date.
SIGNATURE = "intake"


def project_and_user(request: HttpRequest, slug: str) -> tuple[Project, User]:
    """The project, for its members; a stranger is told there is no such page."""
    user = request.user
    assert isinstance(user, User)
    project = get_object_or_404(Project.objects.visible_to(user), slug=slug)
    project.require(user, Can.VIEW)
    return project, user


# Plotly sizes its drawing by style attributes; scripts stay under the strict policy.
@csp_replace({"style-src": [SELF, UNSAFE_INLINE]})  # type: ignore[arg-type] # its type knows no address with parts
@login_required
@never_cache
@require_safe
def intake_page(request: HttpRequest, project: str) -> HttpResponse:
    """How much comes in, how much of it counts, and why not."""
    found, user = project_and_user(request, project)
    window = _window(request.GET.get("window", ""))
    context = _context(found, window, theme="light", now=utcnow())
    context |= {"signature": SIGNATURE, "may_configure": found.allows(user, Can.CONFIGURE)}
    return render(request, "intake/intake.html", context)


@login_required
@never_cache
@require_safe
def live(request: HttpRequest, project: str, window: str) -> JsonResponse:
    """What has changed on the page: its live parts as HTML, its figure as JSON."""
    found, _ = project_and_user(request, project)
    theme: charts.Theme = "dark" if request.GET.get("theme") == "dark" else "light"
    context = _context(found, _window(window), theme=theme, now=utcnow())
    return JsonResponse(
        {
            "signature": SIGNATURE,
            "is_over": False,
            "parts": {
                part: render_to_string(f"intake/parts/{part}.html", context) for part in PARTS
            },
            "figures": {"flow": context["figure"]},
            "config": charts.CONFIG,
        }
    )


def _window(key: str) -> Window:
    return WINDOWS.get(key, WINDOWS["hour"])


def _context(
    project: Project, window: Window, *, theme: charts.Theme, now: datetime
) -> dict[str, Any]:
    minutes = pulse.flow(project=project, since=now - HOUR, step=WINDOWS["hour"].step)
    since = now - window.length
    shown = (
        minutes
        if window.length == HOUR
        else pulse.flow(project=project, since=since, step=window.step)
    )
    bars = [
        Bar(each.at, (each.accepted, each.quarantined, each.rejected, each.duplicates))
        for each in shown
    ]
    hour = pulse.total(minutes, at=now)
    recent = pulse.total([each for each in minutes if each.at >= now - RATE_OVER], at=now)
    lag = pulse.digest_lag(project=project, now=now)
    latest = now if hour.events else pulse.latest_request(project=project)
    held = pulse.held_reasons(project=project, now=now)
    return {
        "project": project,
        "window": window,
        "windows": WINDOWS.values(),
        "is_empty": latest is None,
        "headline": pages.headline(hour, lag=lag, latest=latest, now=now),
        "is_late": lag > pages.LATE,
        "lag": pages.in_words(lag),
        "set_aside": pulse.set_aside(project=project),
        "stats": [
            ("Events per second", f"{recent.events / RATE_OVER.total_seconds():,.1f}", "5 minutes"),
            ("Accepted", f"{hour.accepted:,}", "last hour"),
            ("Quarantined", f"{hour.quarantined:,}", "last hour"),
            ("Rejected", f"{hour.rejected:,}", "last hour"),
            ("Duplicates", f"{hour.duplicates:,}", "last hour"),
            ("Digest behind by", pages.in_words(lag), "oldest event that waits"),
        ],
        "held": [(pages.reason_title(each.code), each) for each in held],
        "refused": pulse.rejected_reasons(project=project, now=now),
        "figure": charts.events_over_time(
            bars, since=since, until=now, step=window.step, theme=theme
        ),
        "flow_data": charts.data_table(bars),
    }
