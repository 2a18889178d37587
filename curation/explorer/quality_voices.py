"""Two more quality pages: whose thumbs are believed, and how far the model sways annotators."""

from typing import Any

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from curation.digest.trust_shown import TrustRow, TrustRows, trust_rows
from curation.explorer import charts
from curation.explorer.quality_views import quality_tabs
from curation.explorer.views import curated_project
from curation.intake.charts import CONFIG, Theme
from curation.proportions import Share, wilson
from curation.review.anchoring import Anchoring, anchoring
from feedbackhub.core.clock import utcnow


# Plotly sizes its drawing by style attributes; scripts stay under the strict policy.
@csp_replace({"style-src": [SELF, UNSAFE_INLINE]})  # type: ignore[arg-type] # its type knows no address with parts
@login_required
@never_cache
@require_safe
def trust_page(request: HttpRequest, project: str) -> HttpResponse:
    """How often sources and subjects proved right, and what a voice of theirs counts for."""
    found, _ = curated_project(request, project)
    rows = trust_rows(project=found, now=utcnow())
    context = {
        "project": found,
        "tabs": quality_tabs(project=found, here="quality-trust"),
        "rows": rows,
        "sentence": _trust_sentence(rows),
    }
    return render(request, "quality/trust.html", context)


@login_required
@never_cache
@require_safe
def trust_live(request: HttpRequest, project: str) -> JsonResponse:
    """The chart of the trust page as JSON."""
    found, _ = curated_project(request, project)
    theme: Theme = "dark" if request.GET.get("theme") == "dark" else "light"
    rows = trust_rows(project=found, now=utcnow())
    marks = ((rows.usual, "usual here"),) if rows.usual is not None else ()
    figure = charts.dots(
        [_dot(row) for row in rows.sources],
        axis="Share of thumbs that annotators bore out, 95 % interval",
        theme=theme,
        marks=marks,
    )
    return JsonResponse(
        {
            "signature": "trust",
            "is_over": True,
            "config": CONFIG,
            "parts": {},
            "figures": {"sources": figure},
        }
    )


def _dot(row: TrustRow) -> charts.Dot:
    return charts.Dot(row.name, row.trust, row.low, row.high, f"{row.adjudicated:,} judged")


def _trust_sentence(rows: TrustRows) -> str:
    if rows.usual is None:
        return "No thumb has been judged by annotators yet, so every voice counts the same."
    judged = sum(row.adjudicated for row in rows.sources)
    noun = "thumb that was" if judged == 1 else "thumbs that were"
    return f"Annotators bore out about {100 * rows.usual:.0f} % of the {judged:,} {noun} judged."


@login_required
@never_cache
@require_safe
def anchoring_page(request: HttpRequest, project: str) -> HttpResponse:
    """Whether annotators agree with the model more often when they have seen its answer."""
    found, _ = curated_project(request, project)
    meter = anchoring(project=found)
    context: dict[str, Any] = {
        "project": found,
        "tabs": quality_tabs(project=found, here="quality-anchoring"),
        "meter": meter,
        "percent": f"{100 * meter.share:g}",
        "sides": [
            ("After seeing the model's answer", meter.shown, wilson(meter.shown)),
            ("Blind", meter.blind, wilson(meter.blind)),
        ],
        "sentence": anchoring_sentence(meter),
    }
    return render(request, "quality/anchoring.html", context)


def anchoring_sentence(meter: Anchoring) -> str:
    """What the meter reads, or what it still lacks."""
    if meter.difference is None:
        return _missing_sentence(meter)
    low, high = _points(meter.difference.low), _points(meter.difference.high)
    points = f"{_points(meter.difference.value)} points ({low} to {high})"
    if meter.difference.low > 0:
        return f"Seeing the model's answer sways annotators: {points} more agreement with it."
    if meter.difference.high < 0:
        return f"Annotators agree with the model less when they see its answer: {points}."
    return f"No sway can be seen: {points} of agreement with the model when its answer is shown."


def _missing_sentence(meter: Anchoring) -> str:
    if not meter.share:
        return "The meter is off: no prediction is ever shown before the answer."
    if meter.missing:
        said = f"{_answers(meter.shown)} after a shown prediction"
        return f"Not enough data: {said}, about {meter.missing} more needed."
    return f"Not enough data: {_answers(meter.blind)} given blind meanwhile."


def _points(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "−")


def _answers(share: Share) -> str:
    return "1 answer" if share.n == 1 else f"{share.n:,} answers"
