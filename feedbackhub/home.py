"""Home: how is the loop doing, for each project of the person who asks."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from feedbackhub.core.clock import utcnow
from feedbackhub.core.models import User
from feedbackhub.core.roles import Can
from feedbackhub.home_queries import Loop, loops
from feedbackhub.navigation import Link, page_address, seats_of
from rollout.models import Rollout
from training.models import TrainingRun


@dataclass(frozen=True)
class Step:
    """One step of the loop as the page shows it."""

    title: str
    figure: str
    detail: str
    url: str = ""
    tone: str = ""
    badge: str = ""
    """A word about the state; ``tone`` is how it looks."""


@dataclass(frozen=True)
class Card:
    """One project on the page."""

    loop: Loop
    headline: str
    steps: Sequence[Step]
    action: Link | None
    """What the reader's role should do next."""
    is_new: bool
    """No feedback has ever come: the page shows how to start."""


@login_required
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """The loop of every project the user sees; strangers sign in first."""
    user = request.user
    assert isinstance(user, User)
    found = loops(seats=seats_of(user), now=utcnow())
    context = {
        "cards": [_card(loop) for loop in found],
        "hub_url": request.build_absolute_uri("/").rstrip("/"),
        "can_create": user.is_superuser,
    }
    return render(request, "hub/home.html", context)


def headline(loop: Loop) -> str:
    """The state of a project's loop as one or two sentences."""
    if not loop.champion:
        return f"Nothing serves yet. {loop.outlook or 'The first version is being trained.'}"
    thumbs = "No feedback yet today"
    if loop.thumbs.total:
        thumbs = f"{_count(loop.thumbs.total, 'thumb')} today, {loop.thumbs.down:,} of them down"
    waiting = _count(loop.n_waiting, "sample") if loop.n_waiting else "nothing"
    verb = "wait" if loop.n_waiting > 1 else "waits"
    said = f"{loop.champion} serves. {thumbs}; {waiting} {verb} for review."
    if loop.rollout and loop.rollout.status in Rollout.ACTIVE:
        said += f" {loop.rollout.candidate.name} is being tried against it."
    return said


def _card(loop: Loop) -> Card:
    return Card(
        loop=loop,
        headline=headline(loop),
        steps=[_listen(loop), _review(loop), _train(loop), _serve(loop)],
        action=_action(loop),
        is_new=not loop.has_feedback,
    )


def _listen(loop: Loop) -> Step:
    url = page_address("try", loop.project)
    if not loop.thumbs.total:
        return Step("Listen", "0", "thumbs today", url)
    down = round(100 * loop.thumbs.down / loop.thumbs.total)
    return Step(
        "Listen", f"{loop.thumbs.total:,}", f"thumbs today, {down} % down (self-selected)", url
    )


def _review(loop: Loop) -> Step:
    queues = ", ".join(f"{n:,} {name.lower()}" for name, n in loop.waiting)
    url = page_address("review", loop.project) if loop.can(Can.REVIEW) else ""
    return Step("Review", f"{loop.n_waiting:,}", queues or "nothing waits for a person", url)


def _train(loop: Loop) -> Step:
    url = page_address("training", loop.project)
    run = loop.run
    if loop.is_training and run:
        return Step("Train", f"Run {run.pk}", run.step or "queued", url, "info", "under way")
    if run and run.status == TrainingRun.Status.FAILED:
        return Step("Train", f"Run {run.pk}", loop.outlook, url, "worse", "failed")
    return Step("Train", f"Run {run.pk}" if run else "No run yet", loop.outlook, url)


def _serve(loop: Loop) -> Step:
    url = page_address("rollouts", loop.project)
    champion = loop.champion or "Nothing yet"
    tone, badge = ("live", "live") if loop.champion else ("", "")
    if not loop.rollout:
        return Step("Serve", champion, "no candidate is being tried", url, tone, badge)
    states = {
        Rollout.Status.AB_TEST: "is in an A/B test",
        Rollout.Status.PAUSED: "is paused in its A/B test",
        Rollout.Status.WAITING: "waits for its A/B test",
    }
    detail = f"{loop.rollout.candidate.name} {states[Rollout.Status(loop.rollout.status)]}"
    return Step("Serve", champion, detail, url, tone, badge)


def _action(loop: Loop) -> Link | None:
    rollouts = page_address("rollouts", loop.project)
    if loop.rollout and rollouts and loop.can(Can.PROMOTE):
        return Link(f"See how {loop.rollout.candidate.name} does", rollouts)
    if loop.n_waiting and loop.can(Can.REVIEW):
        return Link(
            f"Review {_count(loop.n_waiting, 'sample')}",
            reverse("review", args=[loop.project.slug]),
        )
    return None


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
