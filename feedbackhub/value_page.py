"""Which queue's labels moved the last models: a quality page that needs the training room."""

from itertools import groupby
from typing import Any

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from curation.explorer import charts
from curation.explorer.quality_views import quality_tabs
from curation.explorer.views import curated_project
from curation.intake.charts import CONFIG, Theme
from training.value import ALL, QueueWorth, notes, queue_value


# Plotly sizes its drawing by style attributes; scripts stay under the strict policy.
@csp_replace({"style-src": [SELF, UNSAFE_INLINE]})  # type: ignore[arg-type] # its type knows no address with parts
@login_required
@never_cache
@require_safe
def value_page(request: HttpRequest, project: str) -> HttpResponse:
    """What the new labels of each queue did for the accuracy of the last versions."""
    found, _ = curated_project(request, project)
    worths = queue_value(project=found)
    context: dict[str, Any] = {
        "project": found,
        "tabs": quality_tabs(project=found, here="quality-value"),
        "versions": [
            (name, [_line(row) for row in rows])
            for name, rows in groupby(worths, lambda row: row.version)
        ],
        "note": notes(project=found),
        "sentence": sentence(worths),
    }
    return render(request, "quality/value.html", context)


@login_required
@never_cache
@require_safe
def value_live(request: HttpRequest, project: str) -> JsonResponse:
    """The chart of the newest version as JSON."""
    found, _ = curated_project(request, project)
    theme: Theme = "dark" if request.GET.get("theme") == "dark" else "light"
    worths = queue_value(project=found, versions=1)
    dots = [dot for row in worths if (dot := _dot(row))]
    figure = charts.gains(dots, axis="Accuracy gained (points), 95 % interval", theme=theme)
    return JsonResponse(
        {
            "signature": "value",
            "is_over": True,
            "config": CONFIG,
            "parts": {},
            "figures": {"value": figure},
        }
    )


def _dot(row: QueueWorth) -> charts.Dot | None:
    if row.delta is None or row.low is None or row.high is None:
        return None
    note = f"{row.n_labels:,} new labels"
    return charts.Dot(row.title, 100 * row.delta, 100 * row.low, 100 * row.high, note)


def _line(row: QueueWorth) -> dict[str, Any]:
    """One line of the table, its numbers in words."""
    known = row.delta is not None and row.low is not None and row.high is not None
    return {
        "title": row.title,
        "predecessor": row.predecessor,
        "n_labels": row.n_labels,
        "points": _points(row.delta) if known else None,
        "interval": f"{_points(row.low)} to {_points(row.high)}",
        "n_test": row.n_test,
        "method": row.method,
    }


def _points(share: float | None) -> str:
    return f"{100 * (share or 0.0):+.1f}".replace("-", "−")


def sentence(worths: list[QueueWorth]) -> str:
    """What the newest version owes to which queue, or that it cannot be told."""
    if not worths:
        return "No version's labels have been valued yet."
    version = worths[0].version
    newest = [row for row in worths if row.version == version]
    helped = [row for row in newest if row.is_sure and (row.delta or 0) > 0 and row.queue != ALL]
    harmed = [row for row in newest if row.is_sure and (row.delta or 0) < 0 and row.queue != ALL]
    if helped:
        best = helped[0]
        interval = f"{_points(best.low)} to {_points(best.high)}"
        return (
            f"{version} owes most to the labels from “{best.title}”: "
            f"{_points(best.delta)} points ({interval})."
        )
    if harmed:
        return f"The labels from “{harmed[-1].title}” made {version} worse; look at them."
    return f"No queue alone moved {version} beyond chance."
