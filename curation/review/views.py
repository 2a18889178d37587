"""The review page: one sample at a time, one key per answer.

The page carries the frame (labels, keys, guidelines); items come from the queue engine's JSON
endpoints, so that an answer never waits for a page.
"""

import re
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from curation.models import Annotation, LabelOption, Project
from curation.models.review import SkipReason
from curation.review.guidelines import render_guideline
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
    guideline = found.guidelines.order_by("-number").first()
    context = {
        "project": found,
        "choices": [_choice(option) for option in found.label_options.all()],
        "skip_reasons": [(str(n), *pair) for n, pair in enumerate(SkipReason.choices, start=1)],
        "guideline": guideline,
        "guideline_html": render_guideline(text=guideline.text) if guideline else "",
        "answered_today": _answered_today(user, found),
    }
    return render(request, "review/review.html", context)


def _choice(option: LabelOption) -> Choice:
    # The colour lands in a style sheet: anything that is not one colour is not let in.
    colour = option.colour if _COLOUR.fullmatch(option.colour) else _PLAIN
    return Choice(name=option.name, hotkey=option.hotkey, colour=colour)


def _answered_today(user: User, project: Project) -> int:
    midnight = utcnow().replace(hour=0, minute=0, second=0, microsecond=0)
    return Annotation.objects.filter(
        user=user, item__project=project, submitted_at__gte=midnight, undone_at=None
    ).count()
