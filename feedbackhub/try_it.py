"""A page that plays the frontend: type a text, see the answer, press a thumb, correct it.

It goes through the same services as the REST API, as a source named "try" with a subject kept in a
signed cookie. Demo projects are open to everyone, others to their members only. Every step is a
plain form; static/hub/try.js merely swaps the answer in without a reload.
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
from django.core import signing
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from curation.intake.landing import land_feedback
from curation.intake.schemas import MAX_TEXT, FeedbackRequest, PredictionRequest
from curation.intake.throttling import seconds_to_wait
from curation.models import Project, Source
from feedbackhub.core.clock import utcnow
from feedbackhub.core.models import User
from rollout.serving.plan import current_plan
from rollout.serving.service import NoChampion, Served, predict

SOURCE = "try"
COOKIE = "try_subject"
COOKIE_AGE = timedelta(days=365)
SALT = "feedbackhub.try_it"
# Of all visitors of a project together; a person types slower than this.
PER_SECOND = 10


@dataclass(frozen=True)
class Shown:
    """An answer as the page shows it, and as it travels, signed, in the form below it."""

    prediction_id: str
    text: str
    label: str
    confidence: float
    probabilities: dict[str, float]
    model_version: str
    arm: str

    def token(self) -> str:
        """The answer, signed: nobody rates a prediction they were not shown."""
        return signing.dumps(msgspec.to_builtins(self), salt=SALT, compress=True)

    @classmethod
    def of_token(cls, token: str) -> "Shown":
        """Raises ``BadSignature`` for anything this page did not write."""
        return msgspec.convert(signing.loads(token, salt=SALT), cls)

    @property
    def percent(self) -> int:
        """Confidence in percent."""
        return round(100 * self.confidence)

    @property
    def bars(self) -> list[tuple[str, float, int]]:
        """Label, probability and percent, the likeliest first."""
        ordered = sorted(self.probabilities.items(), key=lambda pair: -pair[1])
        return [(label, p, round(100 * p)) for label, p in ordered]


@require_GET
@never_cache
def try_index(request: HttpRequest) -> HttpResponse:
    """The projects one can try; straight to it when there is one."""
    projects = list(_open_projects(request))
    if len(projects) == 1:
        return redirect("try", project=projects[0].slug)
    return render(request, "hub/try_index.html", {"projects": projects})


@require_http_methods(["GET", "POST"])
@never_cache
def try_page(request: HttpRequest, project: str) -> HttpResponse:
    """The form, and the answer to what was typed."""
    found = _find(request, project)
    if request.method == "GET":
        return _page(request, found, is_ready=current_plan(found.pk) is not None)
    text, subject = request.POST.get("text", ""), _subject(request)
    if problem := _overload(found):
        return _page(request, found, status=429, text=text, problem=problem)
    try:
        item = msgspec.convert({"text": text, "subject": subject}, PredictionRequest)
    except msgspec.ValidationError:
        problem = f"Type something first; at most {MAX_TEXT:,} characters."
        return _page(request, found, status=400, text=text, problem=problem)
    try:
        [served] = predict(project=found, source_id=_source(found).pk, items=[item], now=utcnow())
    except NoChampion:
        return _page(request, found, status=503, text=text, is_ready=False)
    return _page(request, found, subject=subject, text=text, shown=_shown(served, text))


@require_http_methods(["GET", "POST"])
@never_cache
def rate(request: HttpRequest, project: str) -> HttpResponse:
    """Land the thumb, or the correction, and say what became of it."""
    if request.method == "GET":  # Where a reader without scripts lands by going back.
        return redirect("try", project=project)
    found, subject = _find(request, project), _subject(request)
    try:
        shown = Shown.of_token(request.POST.get("token", ""))
        event = msgspec.convert(_event(request, shown, subject), FeedbackRequest)
    except (signing.BadSignature, msgspec.ValidationError):
        problem = "That answer is no longer known here. Ask again."
        return _page(request, found, status=400, problem=problem)
    corrected = event.corrected_label
    if corrected and corrected not in found.label_names():
        raise Http404
    if problem := _overload(found):
        return _page(request, found, status=429, shown=shown, text=shown.text, problem=problem)
    [landed] = land_feedback(
        project=found, source_id=_source(found).pk, events=[event], now=utcnow()
    )
    saved = {"rating": event.rating, "corrected": corrected or "", "reasons": landed.reasons}
    return _page(request, found, subject=subject, text=shown.text, shown=shown, saved=saved)


def _event(request: HttpRequest, shown: Shown, subject: str) -> dict[str, Any]:
    press = request.POST.get("press", "")
    event = {
        # One press is one event, however often the browser sends it.
        "event_id": f"try-{press}-{request.POST.get('rating')}-{request.POST.get('label', '')}",
        "prediction_id": shown.prediction_id,
        "rating": request.POST.get("rating"),
        "subject": subject,
    }
    return event | ({"corrected_label": label} if (label := request.POST.get("label")) else {})


def _page(
    request: HttpRequest,
    project: Project,
    *,
    status: int = 200,
    is_ready: bool = True,
    shown: Shown | None = None,
    subject: str = "",
    **context: Any,
) -> HttpResponse:
    # A script asks for the part that changes; it is the same template either way.
    is_part = request.headers.get("X-Part") == "answer"
    template = "hub/try_answer.html" if is_part else "hub/try.html"
    others = [name for name in project.label_names() if shown is None or name != shown.label]
    facts = {
        "project": project,
        "is_ready": is_ready,
        "shown": shown,
        "others": others,
        "press": uuid.uuid4(),
        "max_text": MAX_TEXT,
    }
    response = render(request, template, facts | context, status=status)
    if subject:
        response.set_signed_cookie(
            COOKIE,
            subject,
            salt=SALT,
            max_age=COOKIE_AGE,
            httponly=True,
            samesite="Lax",
            secure=request.is_secure(),
        )
    return response


def _shown(served: Served, text: str) -> Shown:
    return Shown(
        prediction_id=str(served.prediction_id),
        text=text,
        label=served.label,
        confidence=served.confidence,
        probabilities=served.probabilities,
        model_version=served.model_version,
        arm=served.arm,
    )


def _subject(request: HttpRequest) -> str:
    """Who tries: a random name, kept in this browser and signed so that nobody picks another's."""
    return request.get_signed_cookie(COOKIE, default="", salt=SALT) or uuid.uuid4().hex


def _open_projects(request: HttpRequest) -> QuerySet[Project]:
    if not isinstance(request.user, User):
        return Project.objects.filter(is_demo=True)
    mine = Project.objects.visible_to(request.user)
    return Project.objects.filter(Q(is_demo=True) | Q(pk__in=mine.values("pk")))


def _find(request: HttpRequest, slug: str) -> Project:
    found: Project | None = _open_projects(request).filter(slug=slug).first()
    if found is None:
        raise Http404
    return found


def _source(project: Project) -> Source:
    source, _ = Source.objects.get_or_create(
        project=project, name=SOURCE, defaults={"created_at": utcnow()}
    )
    return source


def _overload(project: Project) -> str:
    """Why this request must wait, or nothing."""
    wait = seconds_to_wait(_source(project).pk, per_second=PER_SECOND, seconds=utcnow().timestamp())
    if wait is None:
        return ""
    return f"Many people are trying this now. Try again in {round(wait) + 1} seconds."
