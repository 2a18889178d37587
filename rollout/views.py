"""The rollout pages: what serves, what is being tried, and the buttons that change it."""

import hashlib
from typing import Any

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from curation.models import Project
from feedbackhub.core.clock import utcnow
from feedbackhub.core.models import User
from feedbackhub.core.roles import Can
from feedbackhub.core.transitions import StaleTransition
from rollout import charts, pages, queries, steps
from rollout.models import Rollout
from rollout.steps import Offer, Refused, Step

PARTS = ("headline", "next", "arms", "findings", "health", "effect_table", "rates_table", "log")
ONLY_LEADS = "You may look; an ML lead or an admin of this project may do this."


class StepForm(forms.Form):
    """The reason a step is taken for, and the state of the rollout it was decided on."""

    expected_state = forms.CharField(widget=forms.HiddenInput)
    reason = forms.CharField(
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept in the history for whoever comes after you.",
    )


@login_required
@never_cache
@require_safe
def rollouts_page(request: HttpRequest, project: str) -> HttpResponse:
    """What serves now, what waits, what was tried."""
    found, user = _project(request, project)
    standing = queries.standing(project=found)
    refusal = "" if found.allows(user, Can.PROMOTE) else ONLY_LEADS
    waiting = queries.rollouts(project=found).filter(status=Rollout.Status.WAITING)
    context = {
        "project": found,
        "sentence": pages.serving_sentence(standing),
        "standing": standing,
        "active": [_entry(standing.active, standing, refusal)] if standing.active else [],
        "waiting": [_entry(each, standing, refusal) for each in waiting],
        "ended": [(each, pages.state_badge(each)) for each in queries.ended(project=found)],
        "champions": queries.champions(project=found),
    }
    return render(request, "rollout/rollouts.html", context)


# Plotly sizes its drawing by style attributes; scripts stay under the strict policy.
@csp_replace({"style-src": [SELF, UNSAFE_INLINE]})  # type: ignore[arg-type] # its type knows no address with parts
@login_required
@never_cache
@require_safe
def rollout_page(request: HttpRequest, project: str, pk: int) -> HttpResponse:
    """One rollout: what is awaited, what the arms say, and the steps one may take."""
    rollout, user = _rollout(request, project, pk)
    standing = queries.standing(project=rollout.project)
    offered = _offers(rollout, standing, user)
    context = {
        "offers": [(offer, _form(rollout, offer.step)) for offer in offered],
        "signature": _signature(rollout, offered),
        "evaluation": queries.latest_evaluation(version=rollout.candidate),
        "over": steps.over(rollout),
        **_live_context(rollout, standing, theme="light"),
    }
    return render(request, "rollout/rollout.html", context)


@login_required
@never_cache
@require_safe
def live(request: HttpRequest, project: str, pk: int) -> JsonResponse:
    """What has changed on the page of a rollout: its live parts as HTML, its figures as JSON."""
    rollout, user = _rollout(request, project, pk)
    standing = queries.standing(project=rollout.project)
    theme: charts.Theme = "dark" if request.GET.get("theme") == "dark" else "light"
    context = _live_context(rollout, standing, theme=theme)
    parts = {part: render_to_string(f"rollout/parts/{part}.html", context) for part in PARTS}
    return JsonResponse(
        {
            "signature": _signature(rollout, _offers(rollout, standing, user)),
            "is_over": bool(steps.over(rollout)),
            "parts": parts,
            "figures": {"effect": context["effect"], "rates": context["rates"]},
            "config": charts.CONFIG,
        }
    )


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def step_page(request: HttpRequest, project: str, pk: int, step: str) -> HttpResponse:
    """Asks whether a step is meant, and takes it; works without a script."""
    rollout, user = _rollout(request, project, pk)
    rollout.project.require(user, Can.PROMOTE)
    try:
        taken = Step(step)
    except ValueError as error:
        raise Http404 from error
    if request.method != "POST":
        return _confirm(request, rollout, taken, _form(rollout, taken))
    form = StepForm(request.POST)
    if not form.is_valid():
        return _confirm(request, rollout, taken, form, status=422)
    return _take(request, rollout, taken, form, actor=user.username)


def _take(
    request: HttpRequest, rollout: Rollout, step: Step, form: StepForm, *, actor: str
) -> HttpResponse:
    expected, reason = form.cleaned_data["expected_state"], form.cleaned_data["reason"]
    try:
        steps.take(
            step, rollout=rollout, expected=expected, actor=actor, reason=reason, now=utcnow()
        )
    except StaleTransition as stale:
        said = steps.moved_on(rollout, stale=stale, expected=expected)
        context = {"rollout": rollout, "project": rollout.project, "said": said, "reason": reason}
        return render(request, "rollout/moved_on.html", context, status=409)
    except Refused as refusal:
        rollout.refresh_from_db()
        return _confirm(request, rollout, step, form, status=409, said=str(refusal))
    messages.success(request, steps.done(step, rollout))
    return redirect("rollouts-rollout", project=rollout.project.slug, pk=rollout.pk)


def _confirm(
    request: HttpRequest,
    rollout: Rollout,
    step: Step,
    form: StepForm,
    *,
    status: int = 200,
    said: str = "",
) -> HttpResponse:
    standing = queries.standing(project=rollout.project)
    context = {
        "rollout": rollout,
        "project": rollout.project,
        "offer": steps.offer(step, rollout=rollout, standing=standing),
        "form": form,
        "caution": pages.caution(rollout, queries.latest_evidence(rollout=rollout)),
        "said": said,
    }
    return render(request, "rollout/confirm.html", context, status=status)


def _project(request: HttpRequest, slug: str) -> tuple[Project, User]:
    """The project, for its members; a stranger is told there is no such page."""
    user = request.user
    assert isinstance(user, User)
    return get_object_or_404(Project.objects.visible_to(user), slug=slug), user


def _rollout(request: HttpRequest, slug: str, pk: int) -> tuple[Rollout, User]:
    project, user = _project(request, slug)
    return get_object_or_404(queries.rollouts(project=project), pk=pk), user


def _offers(rollout: Rollout, standing: queries.Standing, user: User) -> list[Offer]:
    refusal = "" if rollout.project.allows(user, Can.PROMOTE) else ONLY_LEADS
    return steps.offers(rollout=rollout, standing=standing, refusal=refusal)


def _entry(rollout: Rollout, standing: queries.Standing, refusal: str) -> dict[str, Any]:
    return {
        "rollout": rollout,
        "badge": pages.state_badge(rollout),
        "next": pages.next_decision(rollout, now=utcnow()),
        "first": (
            steps.offer(Step.PROMOTE, rollout=rollout, standing=standing, refusal=refusal)
            if standing.champion is None
            else None
        ),
    }


def _form(rollout: Rollout, step: Step) -> StepForm:
    # An id for each form: several of them stand on one page.
    return StepForm(initial={"expected_state": rollout.status}, auto_id=f"{step.value}-%s")


def _signature(rollout: Rollout, offered: list[Offer]) -> str:
    """Changes when the buttons on the page would: then the page is loaded again."""
    parts = [rollout.status, *(f"{offer.step}:{offer.refusal}" for offer in offered)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _live_context(
    rollout: Rollout, standing: queries.Standing, *, theme: charts.Theme
) -> dict[str, Any]:
    now = utcnow()
    evidence = queries.latest_evidence(rollout=rollout)
    arms = pages.summaries(evidence)
    headline = pages.headline(rollout, evidence)
    margin = evidence.comparison["margin"] if evidence else 0.0
    effect = charts.effect_over_time(
        queries.effect_points(rollout=rollout) if evidence else [],
        margin=margin,
        theme=theme,
    )
    rates = charts.arm_rates(arms, theme=theme)
    return {
        "rollout": rollout,
        "project": rollout.project,
        "badge": pages.state_badge(rollout),
        "headline": headline,
        "caution": pages.caution(rollout, evidence),
        "serving": pages.serving_sentence(standing),
        "next": pages.next_decision(rollout, now=now, told=headline),
        "columns": pages.COLUMNS,
        "arms": pages.arm_rows(rollout, arms),
        "findings": pages.findings(evidence) if evidence else [],
        "health": pages.health(rollout, evidence, now=now),
        "effect": effect,
        "rates": rates,
        "effect_data": charts.data_table(effect),
        "rates_data": charts.data_table(rates),
        "log": pages.log_entries(queries.event_log(rollout=rollout)),
    }
