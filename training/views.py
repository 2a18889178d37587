"""The training pages: what is learned next, what each run came to, and what a version rests on."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from curation.models import Project
from feedbackhub.core.clock import utcnow
from feedbackhub.core.models import User
from feedbackhub.core.roles import Can
from feedbackhub.core.transitions import ForbiddenTransition, StaleTransition, history
from training import label_errors, pages, queries, services
from training.models import ModelVersion, TrainingRun

ONLY_LEADS = "You may look; an ML lead or an admin of this project may do this."
N_RUNS, N_VERSIONS, N_GROUNDS = 20, 20, 8


class ReasonForm(forms.Form):
    """Why someone acts."""

    reason = forms.CharField(
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept in the history for whoever comes after you.",
    )


@login_required
@never_cache
@require_safe
def training_page(request: HttpRequest, project: str) -> HttpResponse:
    """What happens next, the runs so far and the versions they made."""
    found, user = _project(request, project)
    now = utcnow()
    active = queries.active_run(project=found)
    versions = list(queries.versions(project=found)[:N_VERSIONS])
    context = {
        "project": found,
        "active": active,
        "sentence": (
            pages.activity(active, now=now) if active else queries.outlook(project=found, now=now)
        ),
        "policy": services.ensure_policy(project=found),
        "can_configure": found.allows(user, Can.CONFIGURE),
        "refusal": "" if found.allows(user, Can.TRAIN) else ONLY_LEADS,
        "runs": [pages.run_row(run, now=now) for run in queries.runs(project=found)[:N_RUNS]],
        "versions": [pages.version_row(each, each.evaluations.first()) for each in versions],
        "waits": [sentence for sentence in map(_wait, versions) if sentence],
        "form": ReasonForm(auto_id="ask-%s"),
        "ask": _retrain_question(found),
    }
    return render(request, "training/training.html", context)


@login_required
@never_cache
@require_safe
def version_page(request: HttpRequest, project: str, number: int) -> HttpResponse:
    """The card of one version: what it is, who taught it, and what the gates saw."""
    found, user = _project(request, project)
    version = get_object_or_404(queries.versions(project=found), number=number)
    evaluations = list(version.evaluations.all())
    context = {
        "project": found,
        "version": version,
        "badge": pages.version_badge(version),
        "wait": _wait(version),
        "run": version.run,
        "snapshot": version.run.snapshot,
        "grounds": queries.grounds(
            version=version, limit=N_GROUNDS, shows_waiting=found.allows(user, Can.TRAIN)
        ),
        "may_open_rows": found.allows(user, Can.CONFIGURE),
        "evaluations": evaluations,
        "doubts": label_errors.outcomes(project=found, until=version.number),
        "history": history(version).order_by("-at", "-id"),
        **_snapshot_context(version),
        **(_evidence_context(version, evaluations[0]) if evaluations else {}),
    }
    return render(request, "training/version.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def retrain(request: HttpRequest, project: str) -> HttpResponse:
    """Asks for the reason of a run, and queues it; works without a script."""
    found, user = _project(request, project)
    found.require(user, Can.TRAIN)
    form = ReasonForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _ask(request, found, form, _retrain_question(found))
    try:
        run = services.request_run(
            project=found,
            trigger="button",
            reason=form.cleaned_data["reason"],
            actor=user.username,
            requested_by=user,
            now=utcnow(),
        )
    except services.RunActive as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"Run {run.pk} is queued; a worker takes it within seconds.")
    return redirect("training", project=found.slug)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, project: str, pk: int) -> HttpResponse:
    """Asks for the reason, and cancels a queued or running run."""
    found, user = _project(request, project)
    found.require(user, Can.TRAIN)
    run = get_object_or_404(TrainingRun, project=found, pk=pk)
    form = ReasonForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _ask(request, found, form, _cancel_question(run))
    try:
        services.cancel_run(
            run=run, actor=user.username, reason=form.cleaned_data["reason"], now=utcnow()
        )
    except (StaleTransition, ForbiddenTransition):
        run.refresh_from_db()
        status = run.get_status_display().lower()
        messages.error(request, f"Run {run.pk} is {status} by now; nothing was changed.")
    else:
        messages.success(request, f"Run {run.pk} is cancelled.")
    return redirect("training", project=found.slug)


def _project(request: HttpRequest, slug: str) -> tuple[Project, User]:
    """The project, for its members; a stranger is told there is no such page."""
    user = request.user
    assert isinstance(user, User)
    found = get_object_or_404(Project.objects.visible_to(user), slug=slug)
    found.require(user, Can.VIEW)
    return found, user


def _ask(
    request: HttpRequest, project: Project, form: ReasonForm, question: dict[str, Any]
) -> HttpResponse:
    context = {"project": project, "form": form, "ask": question}
    status = 422 if request.method == "POST" else 200
    return render(request, "training/ask.html", context, status=status)


def _retrain_question(project: Project) -> dict[str, Any]:
    return {
        "label": "Retrain now",
        "consequence": (
            "A run freezes the labels of this moment, trains a version on them and lets the gates "
            "judge it. What serves does not change."
        ),
        "url": reverse("training-retrain", kwargs={"project": project.slug}),
        "is_dangerous": False,
    }


def _cancel_question(run: TrainingRun) -> dict[str, Any]:
    return {
        "label": f"Cancel run {run.pk}",
        "consequence": (
            "The run stops at its next step and makes no version, unless it has made one already. "
            "Labels are kept; the next run starts when further ones have come."
        ),
        "url": reverse("training-cancel", kwargs={"project": run.project.slug, "pk": run.pk}),
        "is_dangerous": True,
    }


def _wait(version: ModelVersion) -> str:
    return pages.wait_sentence(version, missing=queries.labels_until_judged(version=version))


def _snapshot_context(version: ModelVersion) -> dict[str, Any]:
    snapshot = version.run.snapshot
    if snapshot is None:
        return {}
    return {
        "n_erased": queries.erased_items(snapshot),
        "splits": [
            {
                "name": name,
                "n": snapshot.counts[split]["n"],
                "labels": snapshot.counts[split]["labels"],
                "origins": pages.origins_sentence(snapshot.counts[split]["origins"]),
            }
            for name, split in (("Learned from", "train"), ("Held out at that time", "test"))
        ],
    }


def _evidence_context(version: ModelVersion, evaluation: Any) -> dict[str, Any]:
    return {
        "evaluation": evaluation,
        "gates": pages.gate_rows(evaluation),
        "stats": pages.stats(evaluation),
        "confusions": pages.confusions(evaluation, candidate=version.name),
        "classes": pages.class_rows(evaluation),
        "rests_on": pages.origins_sentence(evaluation.metrics.get("test_origins", {})),
    }
