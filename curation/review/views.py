"""The review page: one sample at a time, one key per answer.

The page carries the frame (labels, keys, guidelines); items come from the queue engine's JSON
endpoints, so that an answer never waits for a page.
"""

import json
import re
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from curation.models import Annotation, CurationPolicy, LabelOption, Project
from curation.models.review import SkipReason
from curation.review import keymap
from curation.review.guideline_versions import newest_guideline
from curation.review.guidelines import render_guideline
from curation.review.preferences import preference_of
from feedbackhub.core.clock import utcnow
from feedbackhub.core.models import User
from feedbackhub.core.roles import Can

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_PLAIN = "#64748b"


@dataclass(frozen=True)
class Choice:
    """One label as a key on the page."""

    name: str
    hotkey: str
    colour: str


@login_required
@never_cache
@require_GET
def review_page(request: HttpRequest, project: str) -> HttpResponse:
    """The page of one project's queues; a stranger is told there is no such page."""
    user = request.user
    assert isinstance(user, User)
    found = get_object_or_404(Project.objects.visible_to(user), slug=project)
    found.require(user, Can.REVIEW)
    guideline = newest_guideline(project=found)
    preference = preference_of(user=user)
    choices = [_choice(option) for option in found.label_options.all()]
    policy = CurationPolicy.objects.filter(project=found).first() or CurationPolicy()
    context = {
        "project": found,
        "choices": choices,
        "skip_reasons": [(str(n), *pair) for n, pair in enumerate(SkipReason.choices, start=1)],
        "guideline": guideline,
        "guideline_html": render_guideline(text=guideline.text) if guideline else "",
        "followed": _followed(user, found),
        "answered_today": _answered_today(user, found),
        "actions": _actions(preference.keys, choices),
        "keys_json": json.dumps(preference.keys),
        "usual_keys_json": json.dumps(keymap.USUAL),
        "daily_goal": preference.daily_goal,
        "lease_seconds": policy.lease_seconds,
        "words_url": _words_url(found),
    }
    return render(request, "review/review.html", context)


def _actions(keys: dict[str, str], choices: list[Choice]) -> list[dict[str, str]]:
    """What keys do here, with the labels by name; labels this project lacks are left out."""
    names = {f"label_{choice.hotkey}": choice.name for choice in choices}
    return [
        {
            "name": action.name,
            "title": names.get(action.name, action.title),
            "shown": keymap.shown(keys[action.name]),
        }
        for action in keymap.ACTIONS
        if action.name in names or not action.name.startswith("label_")
    ]


def _followed(user: User, project: Project) -> int:
    """The version of the guidelines that the user's last answer here followed; 0 before any."""
    answers = Annotation.objects.filter(user=user, item__project=project)
    last = answers.order_by("-submitted_at").values_list("guideline__number", flat=True).first()
    return last or 0


def _words_url(project: Project) -> str:
    """Where a room above tells which words moved the model, for item 0; empty without one."""
    try:
        return reverse("explain", kwargs={"project": project.slug, "item": 0})
    except NoReverseMatch:
        return ""


def _choice(option: LabelOption) -> Choice:
    # The colour lands in a style sheet: anything that is not one colour is not let in.
    colour = option.colour if _COLOUR.fullmatch(option.colour) else _PLAIN
    return Choice(name=option.name, hotkey=option.hotkey, colour=colour)


def _answered_today(user: User, project: Project) -> int:
    midnight = utcnow().replace(hour=0, minute=0, second=0, microsecond=0)
    return Annotation.objects.filter(
        user=user, item__project=project, submitted_at__gte=midnight, undone_at=None
    ).count()
