"""Bulk actions by people: say what is to be done, look at what that means, do it, take it back."""

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from curation.explorer import bulk
from curation.explorer.bulk_kinds import OPEN_QUEUES
from curation.explorer.filters import FilterForm, SampleFilter
from curation.explorer.rows import sample_rows
from curation.explorer.search import Search
from curation.explorer.views import curated_project
from curation.models import BulkAction, BulkKind, BulkRow, Project
from curation.models.review import Queue
from curation.review.services import expose
from feedbackhub.core.clock import utcnow
from feedbackhub.core.models import User
from feedbackhub.core.transitions import ForbiddenTransition, StaleTransition, history

SHOWN = 20
LISTED = 50
Status, State = BulkAction.Status, BulkRow.State
TARGETS = {
    BulkKind.LABEL: "label",
    BulkKind.QUEUE: "queue",
    BulkKind.RETRACT_SOURCE: "source",
    BulkKind.RETRACT_ANNOTATOR: "annotator",
}
# Of these the preview warns when they reach what candidates are judged on.
REACHES_TRUTH = (BulkKind.QUEUE, BulkKind.RETRACT_ANNOTATOR)
TONES = {
    Status.READY: "undecided",
    Status.APPLIED: "better",
    Status.FAILED: "worse",
    Status.CANCELLED: "neutral",
    Status.UNDONE: "neutral",
}


class ActionForm(forms.Form):
    """What is to be done, with what, and why."""

    kind = forms.ChoiceField(label="What to do", choices=BulkKind.choices)
    label = forms.ChoiceField(label="Label to set", required=False)
    queue = forms.ChoiceField(
        label="Queue to send to",
        required=False,
        choices=[("", "–"), *((each.value, each.label) for each in OPEN_QUEUES)],
        help_text="Audit and gold are drawn, not chosen.",
    )
    source = forms.ChoiceField(label="Source whose thumbs to retract", required=False)
    annotator = forms.ChoiceField(label="Annotator whose answers to retract", required=False)
    reason = forms.CharField(
        max_length=1000, help_text="Kept with every sample for whoever comes after you."
    )

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        """Choices as ``project`` has them."""
        super().__init__(*args, **kwargs)
        people = [
            (str(each.pk), each.get_full_name() or each.username)
            for each in bulk.annotators(project=project)
        ]
        sources = [(str(pk), name) for pk, name in project.sources.values_list("pk", "name")]
        labels = [(name, name) for name in project.label_names()]
        for name, choices in {"label": labels, "source": sources, "annotator": people}.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", "–"), *choices]

    def target(self) -> str:
        """The label, queue or person that the kind is about; empty when it is about none."""
        name = TARGETS.get(self.cleaned_data["kind"], "")
        return str(self.cleaned_data[name]) if name else ""


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new_action(request: HttpRequest, project: str) -> HttpResponse:
    """Ask for something to be done to all samples that fit the filters in the address."""
    found, user = curated_project(request, project)
    filters = FilterForm(request.GET, project=found)
    if not filters.is_valid():
        return redirect(f"{reverse('samples', kwargs={'project': found.slug})}?{_query(request)}")
    given = filters.wanted()
    form = ActionForm(request.POST or None, project=found)
    if request.method == "POST" and form.is_valid():
        try:
            action = bulk.ask_for(
                project=found,
                kind=form.cleaned_data["kind"],
                target=form.target(),
                given=given,
                reason=form.cleaned_data["reason"],
                user=user,
                now=utcnow(),
            )
        except bulk.BulkRefused as refused:
            form.add_error(None, str(refused))
        else:
            return redirect("samples-bulk-action", project=found.slug, pk=action.pk)
    context = {
        "project": found,
        "form": form,
        "n": Search(project=found, given=given).count(),
        "filters": told(found, given),
        "query": given.query_string(),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "samples/bulk_new.html", context, status=status)


def _query(request: HttpRequest) -> str:
    return str(request.META.get("QUERY_STRING", ""))


def told(project: Project, given: SampleFilter) -> list[tuple[str, str]]:
    """A filter in words: the name and the value of each thing it asks for."""
    form = FilterForm({}, project=project)
    words = []
    for name, value in given.as_json().items():
        field = form.fields[name]
        choices: dict[Any, Any] = dict(getattr(field, "choices", ()))
        words.append((str(field.label), str(choices.get(value, value))))
    return words


@login_required
@never_cache
@require_safe
def actions_page(request: HttpRequest, project: str) -> HttpResponse:
    """What was done in bulk, the newest first."""
    found, _ = curated_project(request, project)
    actions = list(BulkAction.objects.filter(project=found)[:LISTED])
    rows = [(each, target_name(each), TONES.get(Status(each.status), "info")) for each in actions]
    return render(request, "samples/bulk_list.html", {"project": found, "rows": rows})


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def action_page(request: HttpRequest, project: str, pk: int) -> HttpResponse:
    """One bulk action: its preview, its progress, and what became of it."""
    found, user = curated_project(request, project)
    action = get_object_or_404(BulkAction, pk=pk, project=found)
    said, status = "", 200
    if request.method == "POST":
        said, status = _move(request, action, user)
        if not said:
            return redirect("samples-bulk-action", project=found.slug, pk=action.pk)
        action.refresh_from_db()
    context = {"said": said, **_preview(action, user)}
    return render(request, "samples/bulk_action.html", context, status=status)


def _move(request: HttpRequest, action: BulkAction, user: User) -> tuple[str, int]:
    """Do what the button says; what is wrong with that, if anything is."""
    button, now = request.POST.get("action", ""), utcnow()
    expected = request.POST.get("expected_state", "")
    try:
        if button == "apply":
            if _reaches_truth(action) and "is_understood" not in request.POST:
                return "Confirm that you know that ground truth may change.", 422
            bulk.apply(action=action, user=user, now=now)
        elif button == "cancel":
            bulk.cancel(action=action, user=user, expected=expected, now=now)
        elif button == "undo":
            reason = request.POST.get("reason", "").strip()[:1000]
            if not reason:
                return "Say why it is taken back.", 422
            bulk.undo(action=action, user=user, expected=expected, now=now, reason=reason)
        else:
            return "Press one of the buttons below.", 422
    except (StaleTransition, ForbiddenTransition):
        return "This action has moved on since the page was loaded; look again.", 409
    return "", 200


def _reaches_truth(action: BulkAction) -> int:
    return bulk.touched_truth(action=action) if action.kind in REACHES_TRUTH else 0


def _preview(action: BulkAction, user: User) -> dict[str, Any]:
    counts = bulk.counts(action=action)
    tally = {state: sum(each.n for each in counts if each.state == state) for state in State}
    shown = action.rows.filter(
        state__in=[State.PLANNED, State.APPLIED, State.UNDONE, State.STUCK, State.KEPT]
    ).order_by("sample_id")[:SHOWN]
    states = {row.sample_id: row for row in shown}
    expose(sample_ids=list(states), user=user, now=utcnow())
    total = sum(tally.values())
    waits = tally[State.FOUND] if action.status == Status.COLLECTING else 0
    waits += tally[State.PLANNED] if action.status == Status.APPLYING else 0
    waits += tally[State.APPLIED] if action.status == Status.UNDOING else 0
    return {
        "project": action.project,
        "action": action,
        "target": target_name(action),
        "tone": TONES.get(Status(action.status), "info"),
        "sentence": sentence(action, tally),
        "is_busy": action.status in bulk.DUE,
        "total": total,
        "done": total - waits,
        "tally": tally,
        "left_out": [each for each in counts if each.state == State.LEFT_OUT],
        "kept": [each for each in counts if each.state == State.KEPT],
        "stuck": [each for each in counts if each.state == State.STUCK],
        "rows": [(row, states[row.id]) for row in sample_rows(ids=list(states))],
        "truth": _reaches_truth(action),
        "filters": _told(action),
        "history": history(action),
    }


def _told(action: BulkAction) -> list[tuple[str, str]]:
    form = FilterForm(action.filters, project=action.project)
    if form.is_valid():
        return told(action.project, form.wanted())
    return [(name, str(value)) for name, value in action.filters.items()]


def target_name(action: BulkAction) -> str:
    """What an action is about, as people call it."""
    if action.kind == BulkKind.QUEUE:
        return str(Queue(action.target).label)
    if action.kind == BulkKind.RETRACT_SOURCE:
        source = action.project.sources.filter(pk=action.target).first()
        return source.name if source else "a source that is gone"
    if action.kind == BulkKind.RETRACT_ANNOTATOR:
        person = User.objects.filter(pk=action.target).first()
        return (person.get_full_name() or person.username) if person else "someone who is gone"
    return action.target


def sentence(action: BulkAction, tally: dict[Any, int]) -> str:
    """How far an action is, as the page's answer."""
    n = {state: _samples(tally[state]) for state in State}
    total = _samples(sum(tally.values()))
    return {
        Status.COLLECTING: "Collecting the samples that fit; nothing has been changed.",
        Status.READY: f"{n[State.PLANNED]} would be changed, {n[State.LEFT_OUT]} left out. "
        "Nothing has been changed yet.",
        Status.APPLYING: f"{n[State.APPLIED]} changed so far, {n[State.PLANNED]} to go.",
        Status.APPLIED: f"{n[State.APPLIED]} changed."
        + (f" {n[State.KEPT]} had changed since the preview." if tally[State.KEPT] else ""),
        Status.UNDOING: f"{n[State.UNDONE]} put back so far, {n[State.APPLIED]} to go.",
        Status.UNDONE: f"{n[State.UNDONE]} put back."
        + (f" {n[State.STUCK]} could not be." if tally[State.STUCK] else ""),
        Status.CANCELLED: f"Given up before anything was changed; {total} had been found.",
        Status.FAILED: action.failure,
    }[Status(action.status)]


def _samples(n: int) -> str:
    return "1 sample" if n == 1 else f"{n:,} samples"
