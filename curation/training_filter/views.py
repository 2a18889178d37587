"""The training filter's page: look at thresholds, then set one."""

from typing import Any

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from curation.explorer.quality_views import quality_tabs
from curation.explorer.views import curated_project
from curation.intake.charts import CONFIG, Theme
from curation.models import Project
from curation.training_filter import charts
from curation.training_filter.preview import (
    Kept,
    NotAThreshold,
    Preview,
    changes,
    preview,
    set_threshold,
    threshold_of,
)
from feedbackhub.core.clock import utcnow
from feedbackhub.core.roles import Can
from feedbackhub.core.transitions import StaleTransition

HERE = "quality-filter"
ONLY_LEADS = "Only an ML lead or an admin of this project sets what is trained on."


# Plotly sizes its drawing by style attributes; scripts stay under the strict policy.
@csp_replace({"style-src": [SELF, UNSAFE_INLINE]})  # type: ignore[arg-type] # its type knows no address with parts
@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def filter_page(request: HttpRequest, project: str) -> HttpResponse:
    """What each threshold lets through; a POST sets one, with a reason."""
    found, user = curated_project(request, project)
    if request.method != "POST":
        return render(request, "quality/filter.html", _context(request, found, {}))
    found.require(user, Can.CONFIGURE)
    given = request.POST
    try:
        set_threshold(
            project=found,
            threshold=_number(given.get("threshold", "")),
            expected=_exact(given.get("expected", "")),
            actor=user.get_username(),
            reason=given.get("reason", ""),
            now=utcnow(),
        )
    except (NotAThreshold, StaleTransition) as refusal:
        said = {"said": str(refusal), "reason": given.get("reason", "")}
        status = 409 if isinstance(refusal, StaleTransition) else 400
        return render(request, "quality/filter.html", _context(request, found, said), status=status)
    messages.success(
        request, f"From now on labels of {given['threshold']} or better are trained on."
    )
    return redirect(HERE, project=found.slug)


@login_required
@never_cache
@require_safe
def filter_live(request: HttpRequest, project: str, percent: int) -> JsonResponse:
    """The chart as JSON, with the threshold looked at in hundredths."""
    found, _ = curated_project(request, project)
    theme: Theme = "dark" if request.GET.get("theme") == "dark" else "light"
    figure = charts.kept_by_threshold(
        preview(project=found),
        current=threshold_of(project=found),
        chosen=min(percent, 100) / 100,
        theme=theme,
    )
    drawn = {"figures": {"kept": figure}, "parts": {}}
    return JsonResponse({"signature": "filter", "is_over": True, "config": CONFIG, **drawn})


def _context(request: HttpRequest, project: Project, said: dict[str, Any]) -> dict[str, Any]:
    user = request.user
    shown, current = preview(project=project), threshold_of(project=project)
    asked = request.POST.get("threshold") or request.GET.get("threshold", "")
    try:
        chosen = _number(asked) if asked else current
    except NotAThreshold as refusal:
        chosen, said = current, {"said": str(refusal), **said}
    may = user.is_authenticated and project.allows(user, Can.CONFIGURE)
    return {
        "project": project,
        "tabs": quality_tabs(project=project, here=HERE),
        "sentence": _sentence(shown, shown.at(current), shown.at(chosen)),
        "shown": shown,
        "origins": [charts.ORIGINS[origin][0] for origin in shown.origins],
        "steps": _steps(shown, current, chosen),
        "current": current,
        "chosen": chosen,
        "chosen_percent": round(chosen * 100),
        "expected": repr(current),
        "is_new": round(chosen, 2) != round(current, 2),
        "kept": shown.at(chosen),
        "refusal": "" if may else ONLY_LEADS,
        "changes": changes(project=project),
        **said,
    }


def _steps(shown: Preview, current: float, chosen: float) -> list[tuple[Kept, str]]:
    """Every twentieth and the two thresholds in question, each with what it is."""
    said = {round(chosen * 100): "looked at"} | {round(current * 100): "in force"}
    wanted = {each.percent: each for each in shown.steps()}
    wanted |= {percent: shown.kept[percent] for percent in said}
    return [(each, said.get(percent, "")) for percent, each in sorted(wanted.items())]


def _sentence(shown: Preview, now: Kept, then: Kept) -> str:
    if not shown.total:
        return "No label of the training split exists yet."
    held = f"{now.n:,} of {shown.total:,} labels are good enough to be trained on"
    if then.percent == now.percent:
        return f"{held}: quality {now.threshold:.2f} or better."
    change = then.n - now.n
    what = f"{abs(change):,} {'more' if change > 0 else 'fewer'}" if change else "just as many"
    return f"{held}; at {then.threshold:.2f} it would be {then.n:,}, {what}."


def _number(text: str) -> float:
    try:
        number = round(float(text.replace(",", ".")), 2)
    except ValueError:
        raise NotAThreshold("The threshold is a number from 0 to 1.") from None
    if not 0 <= number <= 1:
        raise NotAThreshold("The threshold is a number from 0 to 1.")
    return number


def _exact(text: str) -> float:
    """What the page was told is in force, to be compared with what is."""
    try:
        return float(text)
    except ValueError:
        raise NotAThreshold("Load the page again: it does not say what is in force.") from None
