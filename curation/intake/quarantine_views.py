"""Quarantine by people: look at what is held, decide about it in bulk, and set the rules."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from curation.digest.quarantine import reject_feedback, release_feedback
from curation.digest.rehearsal import Rehearsal, rehearse
from curation.digest.rule_book import rule_books, save_rules
from curation.intake import pages, pulse
from curation.intake.pages import RulesForm, reason_title
from curation.intake.views import project_and_user
from curation.models import FeedbackOutcome, Project
from feedbackhub.core.clock import utcnow
from feedbackhub.core.models import User
from feedbackhub.core.roles import Can
from feedbackhub.core.transitions import StaleTransition

State = FeedbackOutcome.State
STATES = (State.QUARANTINED, State.REJECTED)
PAGE = 25
ONLY_LEADS = "You may look; an ML lead or an admin of this project decides."


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def quarantine_page(request: HttpRequest, project: str) -> HttpResponse:
    """What is held back and why; release and reject for those who configure the project."""
    found, user = project_and_user(request, project)
    if request.method == "POST":
        return _decide(request, found, user)
    state, rule = _filters(request.GET)
    return _held_page(request, found, user, state=state, rule=rule)


def _held_page(
    request: HttpRequest,
    project: Project,
    user: User,
    *,
    state: str,
    rule: str,
    status: int = 200,
    said: str = "",
) -> HttpResponse:
    counts = pulse.held_counts(project=project)
    before = _uuid(request.GET.get("before", ""))
    events = pulse.held_events(
        project=project, state=state, rule=rule, before=before, limit=PAGE + 1
    )
    shown = events[:PAGE]
    matching = sum(each.n for each in counts if each.state == state and rule in ("", each.rule))
    context = {
        "project": project,
        "state": state,
        "rule": rule,
        "is_waiting": state == State.QUARANTINED,
        "waiting": sum(each.n for each in counts if each.state == State.QUARANTINED),
        "rejected": sum(each.n for each in counts if each.state == State.REJECTED),
        "rules": [(each, reason_title(each.rule)) for each in counts if each.state == state],
        "events": [(each, reason_title(each.rule)) for each in shown],
        "matching": matching,
        "at_once": min(matching, pulse.ALL_AT_ONCE),
        "older": shown[-1].feedback_id if len(events) > PAGE else "",
        "refusal": "" if project.allows(user, Can.CONFIGURE) else ONLY_LEADS,
        "said": said,
        "reason": request.POST.get("reason", ""),
    }
    return render(request, "intake/quarantine.html", context, status=status)


def _decide(request: HttpRequest, project: Project, user: User) -> HttpResponse:
    project.require(user, Can.CONFIGURE)
    state, rule = _filters(request.POST)
    reason = request.POST.get("reason", "").strip()[:1000]
    action = request.POST.get("action", "")
    everything = action.endswith("-all")
    ids = (
        pulse.held_ids(project=project, state=state, rule=rule)
        if everything
        else [str(one) for one in map(_uuid, request.POST.getlist("ids")) if one is not None]
    )
    wrong = "" if reason else "Say why: whoever comes after you will ask."
    if not ids:
        wrong = "Choose the events first."
    if wrong:
        return _held_page(request, project, user, state=state, rule=rule, status=422, said=wrong)
    decide = release_feedback if action.startswith("release") else reject_feedback
    try:
        n = decide(
            project=project, feedback_ids=ids, actor=user.username, reason=reason, now=utcnow()
        )
    except StaleTransition as stale:
        return _held_page(
            request, project, user, state=state, rule=rule, status=409, said=str(stale)
        )
    events = "1 event" if n == 1 else f"{n:,} events"
    done = "released; they count again" if decide is release_feedback else "rejected for good"
    if n == 1:
        done = done.replace("they count", "it counts")
    messages.success(request, f"{events} {done}.")
    address = reverse("intake-quarantine", kwargs={"project": project.slug})
    return redirect(f"{address}?{urlencode({'state': state, 'rule': rule})}")


def _filters(given: Any) -> tuple[str, str]:
    state = given.get("state", "")
    return (state if state in STATES else str(State.QUARANTINED)), given.get("rule", "")[:30]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def rules_page(request: HttpRequest, project: str) -> HttpResponse:
    """The rules with their thresholds: try them on the last week, then save them."""
    found, user = project_and_user(request, project)
    book = rule_books(project_ids=[found.pk])[found.pk]
    if request.method != "POST":
        return _rules(request, found, user, RulesForm(book=book))
    found.require(user, Can.CONFIGURE)
    form = RulesForm(request.POST, book=book)
    if not form.is_valid():
        return _rules(request, found, user, form, status=422)
    if request.POST.get("action") != "save":
        rehearsal = rehearse(project_id=found.pk, book=form.book(), now=utcnow())
        return _rules(request, found, user, form, rehearsal=rehearsal)
    save_rules(project=found, book=form.book(), actor=user.username, now=utcnow())
    messages.success(request, "The rules are saved and hold from now on.")
    return redirect("intake-rules", project=found.slug)


def _rules(
    request: HttpRequest,
    project: Project,
    user: User,
    form: RulesForm,
    *,
    rehearsal: Rehearsal | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "project": project,
        "form": form,
        "rehearsal": rehearsal,
        "caught": pages.share(len(rehearsal.caught), rehearsal.events) if rehearsal else "",
        "findings": [
            (each, pages.share(each.events, rehearsal.events)) for each in rehearsal.findings
        ]
        if rehearsal
        else [],
        "refusal": "" if project.allows(user, Can.CONFIGURE) else ONLY_LEADS,
    }
    return render(request, "intake/rules.html", context, status=status)
