"""The quality pages: how annotators work, how far they agree, and whose thumbs are believed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from curation.explorer import charts
from curation.explorer.board import FEW, SPANS, Board, Line, Span, board
from curation.explorer.views import curated_project
from curation.intake.charts import CONFIG, Figure, Theme
from curation.models import Project
from curation.review.agreement.queries import (
    RELIABLE,
    TENTATIVE,
    AgreementRow,
    agreement_rows,
)
from feedbackhub.core.clock import utcnow

# Title and name of the address. Tabs of other rooms are here when the hub has their pages.
TABS = (
    ("Annotators", "quality"),
    ("Agreement", "quality-agreement"),
    ("Trust", "quality-trust"),
    ("Value", "quality-value"),
    ("Anchoring", "quality-anchoring"),
    ("Training filter", "quality-filter"),
)
GROUPINGS = {
    "queue": "By queue",
    "guideline": "By guideline version",
    "language": "By language",
    "length": "By length",
    "all": "All together",
}


@dataclass(frozen=True)
class Tab:
    """One of the quality pages."""

    title: str
    url: str
    is_current: bool


def quality_tabs(*, project: Project, here: str) -> list[Tab]:
    """The tabs there are; ``here`` is the name of the current address."""
    tabs = []
    for title, name in TABS:
        try:
            url = reverse(name, kwargs={"project": project.slug})
        except NoReverseMatch:
            continue
        tabs.append(Tab(title, url, name == here))
    return tabs


# Plotly sizes its drawing by style attributes; scripts stay under the strict policy.
@csp_replace({"style-src": [SELF, UNSAFE_INLINE]})  # type: ignore[arg-type] # its type knows no address with parts
@login_required
@never_cache
@require_safe
def annotators_page(request: HttpRequest, project: str) -> HttpResponse:
    """Who answers how much, how fast and how well."""
    found, _ = curated_project(request, project)
    span = _span(request)
    context = {
        **_annotators(found, span),
        "project": found,
        "tabs": quality_tabs(project=found, here="quality"),
        "spans": SPANS.values(),
    }
    return render(request, "quality/annotators.html", context)


@csp_replace({"style-src": [SELF, UNSAFE_INLINE]})  # type: ignore[arg-type] # as above
@login_required
@never_cache
@require_safe
def agreement_page(request: HttpRequest, project: str) -> HttpResponse:
    """How far annotators agree with each other, group by group."""
    found, _ = curated_project(request, project)
    by = _grouping(request)
    context = {
        **_agreement(found, by),
        "project": found,
        "tabs": quality_tabs(project=found, here="quality-agreement"),
        "groupings": GROUPINGS.items(),
    }
    return render(request, "quality/agreement.html", context)


@login_required
@never_cache
@require_safe
def live(request: HttpRequest, project: str, tab: str, choice: str) -> JsonResponse:
    """The charts of a tab as JSON, its tables as HTML."""
    found, _ = curated_project(request, project)
    theme: Theme = "dark" if request.GET.get("theme") == "dark" else "light"
    drawn = DRAWN[tab if tab in DRAWN else "annotators"](found, choice, theme)
    return JsonResponse({"signature": tab, "is_over": True, "config": CONFIG, **drawn})


def _annotators(project: Project, span: Span) -> dict[str, Any]:
    shown = board(project=project, span=span, now=utcnow())
    return {"board": shown, "span": span, "sentence": _work_sentence(shown, span), "few": FEW}


def _work_sentence(shown: Board, span: Span) -> str:
    if not shown.lines:
        return "Nobody has answered anything in this time."
    answers = sum(line.work.answers for line in shown.lines)
    people = "1 annotator" if len(shown.lines) == 1 else f"{len(shown.lines)} annotators"
    seconds = sorted(
        line.work.median_seconds for line in shown.lines if line.work.median_seconds is not None
    )
    pace = f", half of them within {seconds[len(seconds) // 2]:.0f} s" if seconds else ""
    said = "1 answer" if answers == 1 else f"{answers:,} answers"
    return f"{people} gave {said} in the {span.title.lower()}{pace}."


def _agreement(project: Project, by: str) -> dict[str, Any]:
    rows = agreement_rows(project=project, by=by)
    return {"rows": rows, "by": by, "sentence": _agreement_sentence(rows)}


def _agreement_sentence(rows: list[AgreementRow]) -> str:
    if not rows:
        return "No text has two blind answers yet, so nothing can be said."
    if len(rows) == 1:
        return rows[0].sentence
    known = [row for row in rows if row.alpha is not None]
    low = [row.name for row in known if row.high is not None and row.high < TENTATIVE]
    if low:
        return f"Annotators agree too little on {', '.join(low)}: look at the guidelines there."
    return f"{len(known)} of {len(rows)} groups can be told; none is surely too low to rely on."


def _annotator_figures(project: Project, choice: str, theme: Theme) -> dict[str, Any]:
    context = _annotators(project, SPANS.get(choice, SPANS["month"]))
    shown: Board = context["board"]
    figures: dict[str, Figure] = {
        "days": charts.bars(
            [(each.day, each.n) for each in shown.days], axis="Answers per day", theme=theme
        ),
        "accuracy": charts.dots(
            [dot for line in shown.lines if (dot := _dot(line))],
            axis="Expected share of right answers, 95 % interval",
            theme=theme,
        ),
    }
    return {"figures": figures, "parts": {"board": _part("board", context)}}


def _dot(line: Line) -> charts.Dot | None:
    record = line.record
    if record is None or record.accuracy is None or record.low is None or record.high is None:
        return None
    note = f"{record.n_compared:,} compared, {record.n_gold:,} gold"
    return charts.Dot(line.work.name, record.accuracy, record.low, record.high, note)


def _agreement_figures(project: Project, choice: str, theme: Theme) -> dict[str, Any]:
    context = _agreement(project, choice if choice in GROUPINGS else "queue")
    rows: list[AgreementRow] = context["rows"]
    dots = [
        charts.Dot(row.name, row.alpha, row.low, row.high, f"{row.n_units:,} texts")
        for row in rows
        if row.alpha is not None and row.low is not None and row.high is not None
    ]
    marks = ((TENTATIVE, "tentative"), (RELIABLE, "reliable"))
    axis = "Krippendorff's alpha, 95 % interval"
    figures = {"alpha": charts.dots(dots, axis=axis, theme=theme, marks=marks)}
    return {"figures": figures, "parts": {"rows": _part("agreement_rows", context)}}


def _part(name: str, context: Mapping[str, Any]) -> str:
    return render_to_string(f"quality/parts/{name}.html", dict(context))


Drawing = Callable[[Project, str, Theme], dict[str, Any]]
DRAWN: Mapping[str, Drawing] = {
    "annotators": _annotator_figures,
    "agreement": _agreement_figures,
}


def _span(request: HttpRequest) -> Span:
    return SPANS.get(request.GET.get("span", ""), SPANS["month"])


def _grouping(request: HttpRequest) -> str:
    by = request.GET.get("by", "")
    return by if by in GROUPINGS else "queue"
