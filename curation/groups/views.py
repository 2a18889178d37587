"""The page of groups: who is heard less, and about whom the model is wrong more often."""

import re
from dataclasses import dataclass
from typing import Any

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from curation.explorer.views import curated_project
from curation.groups import charts
from curation.groups.comparing import LEAST
from curation.intake.charts import Theme
from curation.models import GroupMeasure, GroupMeasurement, Project, ReviewItem, WordGroup
from curation.models.review import Queue
from curation.proportions import Share, wilson
from feedbackhub.core.clock import utcnow
from feedbackhub.core.models import User

MOST_WORDS = 100
_WORD = re.compile(r"\w+")


class WordsForm(forms.Form):
    """A topic that a lead cares about, by the words that mark it."""

    name = forms.CharField(max_length=60, help_text="Such as Delivery.")
    words = forms.CharField(
        max_length=4_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Words and phrases, separated by commas: driver, late, cold on arrival.",
    )

    def clean_words(self) -> dict[str, float]:
        """The words as they are found in texts: letters and digits, in lower case."""
        given = (" ".join(_WORD.findall(each.casefold())) for each in self.data["words"].split(","))
        words = {each: 1.0 for each in given if each}
        if not words:
            raise forms.ValidationError("Write at least one word.")
        if len(words) > MOST_WORDS:
            raise forms.ValidationError(f"Up to {MOST_WORDS} words make a group.")
        return words


@dataclass(frozen=True)
class Written:
    """A share with its interval, as it is written."""

    text: str
    interval: str
    n: int

    @classmethod
    def of(cls, hits: int, n: int) -> "Written":
        """``hits`` of ``n``; a dash where there is nothing."""
        bounds = wilson(Share(hits, n))
        if bounds is None:
            return cls("–", "", 0)
        return cls(f"{hits / n:.0%}", f"{bounds[0]:.0%} to {bounds[1]:.0%}", n)


@dataclass(frozen=True)
class Row:
    """One group on the page."""

    group: GroupMeasure
    heard: Written
    down: Written
    correct: Written
    waiting: int
    """Texts of this group in the slice queue."""


# Plotly sizes its drawing by style attributes; scripts stay under the strict policy.
@csp_replace({"style-src": [SELF, UNSAFE_INLINE]})  # type: ignore[arg-type] # its type knows no address with parts
@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def groups_page(request: HttpRequest, project: str) -> HttpResponse:
    """Every group beside the rest, and the words that make groups."""
    found, user = curated_project(request, project)
    form = WordsForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _add(form, found, user):
        messages.success(request, "The group is kept; it is counted within a minute.")
        return redirect("groups", project=found.slug)
    measurement = GroupMeasurement.objects.filter(project=found).first()
    rows = _rows(measurement) if measurement else []
    context = {
        "project": found,
        "form": form,
        "measurement": measurement,
        "signature": _signature(measurement),
        "rows": rows,
        "sentence": _sentence(rows),
        "least": LEAST,
        "words": WordGroup.objects.filter(project=found),
    }
    return render(request, "groups/groups.html", context)


@login_required
@never_cache
@require_safe
def live(request: HttpRequest, project: str) -> JsonResponse:
    """The charts, in the colours of the page."""
    found, _ = curated_project(request, project)
    measurement = GroupMeasurement.objects.filter(project=found).first()
    theme: Theme = "dark" if request.GET.get("theme") == "dark" else "light"
    figures = _figures(measurement, theme) if measurement else {}
    return JsonResponse(
        {
            "signature": _signature(measurement),
            "is_over": False,
            "parts": {},
            "figures": figures,
            "config": charts.CONFIG,
        }
    )


@login_required
@never_cache
@require_POST
def delete_words(request: HttpRequest, project: str, pk: int) -> HttpResponse:
    """Give up a group of words."""
    found, _ = curated_project(request, project)
    group = get_object_or_404(WordGroup, project=found, pk=pk, is_found=False)
    with transaction.atomic():
        group.delete()
        GroupMeasurement.objects.filter(project=found).update(is_stale=True)
    messages.success(request, f"{group.name} is no group any more.")
    return redirect("groups", project=found.slug)


def _signature(measurement: GroupMeasurement | None) -> str:
    """What the page shows: another one asks it to look again."""
    return measurement.measured_at.isoformat() if measurement else ""


def _add(form: WordsForm, project: Project, user: User) -> bool:
    given = form.cleaned_data
    with transaction.atomic():
        _, is_new = WordGroup.objects.get_or_create(
            project=project,
            is_found=False,
            name=given["name"],
            defaults={"words": given["words"], "created_by": user, "created_at": utcnow()},
        )
        GroupMeasurement.objects.filter(project=project).update(is_stale=True)
    if not is_new:
        form.add_error("name", "There is a group of this name; delete it first.")
    return is_new


def _rows(measurement: GroupMeasurement) -> list[Row]:
    waiting: dict[tuple[str, ...], int] = {}
    open_items = ReviewItem.objects.filter(
        project=measurement.project_id, queue=Queue.SLICE, status="open"
    )
    for group in open_items.values_list("why__group", flat=True):
        waiting[tuple(group or ())] = waiting.get(tuple(group or ()), 0) + 1
    groups = measurement.groups.order_by("dimension", "-predictions", "-audited", "name")
    return [
        Row(
            each,
            Written.of(each.feedback, each.predictions),
            Written.of(each.down, each.feedback),
            Written.of(each.correct, each.audited),
            waiting.get((each.dimension, each.name), 0),
        )
        for each in groups
    ]


def _sentence(rows: list[Row]) -> str:
    if not rows:
        return "No group has been counted yet."
    quiet = sum(row.group.is_under_heard for row in rows)
    failing = sum(row.group.is_failing for row in rows)
    judged = sum(row.group.correct_q is not None for row in rows)
    heard = f"{quiet} of {len(rows)} groups are heard less than the rest" if quiet else (
        f"None of {len(rows)} groups is heard less than the rest"
    )  # fmt: skip
    if not judged:
        return f"{heard}; no group has {LEAST} audited answers yet to judge the model by."
    wrong = f"{failing} of the {judged}" if failing else f"none of the {judged}"
    return f"{heard}; the model is worse on {wrong} that have {LEAST} audited answers."


def _figures(measurement: GroupMeasurement, theme: Theme) -> dict[str, Any]:
    groups = list(measurement.groups.order_by("dimension", "-predictions", "name"))
    heard = [
        _dot(each, each.feedback, each.predictions, is_flagged=each.is_under_heard)
        for each in groups
        if each.predictions >= LEAST
    ]
    right = [
        _dot(each, each.correct, each.audited, is_flagged=each.is_failing)
        for each in groups
        if each.audited >= LEAST
    ]
    m = measurement
    return {
        "heard": charts.shares(
            heard,
            everywhere=m.feedback / m.predictions if m.predictions else None,
            title="Rated",
            theme=theme,
        ),
        "right": charts.shares(
            right,
            everywhere=m.correct / m.audited if m.audited else None,
            title="Right",
            theme=theme,
        ),
    }


def _dot(each: GroupMeasure, hits: int, n: int, *, is_flagged: bool) -> charts.Dot:
    low, high = wilson(Share(hits, n)) or (0.0, 1.0)
    name = f"{each.dimension}: {each.name}"
    return charts.Dot(name[:32], hits / n, low, high, n, is_flagged)
