"""The sample explorer: find samples by what is known of them."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from curation.explorer.filters import FilterForm, SampleFilter
from curation.explorer.rows import sample_rows
from curation.explorer.search import Found, Search
from curation.models import Project, SavedView
from curation.review.services import expose
from feedbackhub.core.clock import utcnow
from feedbackhub.core.models import User
from feedbackhub.core.roles import Can

MOST_VIEWS = 30
# Shown before "More filters" is opened.
FIRST = ("label", "split", "queue", "status")


def curated_project(request: HttpRequest, slug: str) -> tuple[Project, User]:
    """The project, for those who curate it; a stranger is told there is no such page."""
    user = request.user
    assert isinstance(user, User)
    project = get_object_or_404(Project.objects.visible_to(user), slug=slug)
    project.require(user, Can.CURATE)
    return project, user


@login_required
@never_cache
@require_safe
def samples_page(request: HttpRequest, project: str) -> HttpResponse:
    """One page of the samples that fit the filters in the address."""
    found, user = curated_project(request, project)
    form = FilterForm(request.GET, project=found)
    is_valid = form.is_valid()
    given = form.wanted()
    context: dict[str, Any] = {
        "project": found,
        "form": form,
        "given": given,
        "views": list(found.saved_views.all()[:MOST_VIEWS]),
    }
    context |= _fields(form, given)
    if not is_valid:
        return render(request, "samples/samples.html", context, status=422)
    search = Search(project=found, given=given)
    after = request.GET.get("after", "")
    page = search.page(after=after)
    # The list shows labels and votes: whoever read it is not asked about these texts blind.
    expose(sample_ids=page.ids, user=user, now=utcnow())
    context |= {
        "rows": sample_rows(ids=page.ids),
        "sentence": _sentence(search, given, page, is_first=not after),
        "is_first": not after,
        "next": given.query_string(after=page.next) if page.next else "",
        "looked_at": page.looked_at,
        "query": given.query_string(),
    }
    return render(request, "samples/samples.html", context)


@login_required
@require_POST
def save_view(request: HttpRequest, project: str) -> HttpResponse:
    """Keep the filters in the address under a name, or forget a name that is kept."""
    found, user = curated_project(request, project)
    name = request.POST.get("name", "").strip()[:60]
    form = FilterForm(request.GET, project=found)
    query = form.wanted().query_string() if form.is_valid() else ""
    views = SavedView.objects.filter(project=found, name=name)
    if "forget" in request.POST:
        views.delete()
        messages.success(request, f"The view “{name}” is forgotten.")
    elif not name or not query:
        messages.error(request, "Set a filter, and give the view a name.")
    elif not views.exists() and found.saved_views.count() >= MOST_VIEWS:
        messages.error(request, f"{MOST_VIEWS} views are kept already; forget one first.")
    else:
        SavedView.objects.update_or_create(
            project=found,
            name=name,
            defaults={"query": query, "saved_by": user.username, "saved_at": utcnow()},
        )
        messages.success(request, f"The view “{name}” is kept.")
    return redirect(f"{reverse('samples', kwargs={'project': found.slug})}?{query}")


def _sentence(search: Search, given: SampleFilter, page: Found, *, is_first: bool) -> str:
    if not is_first:
        return "More of the same."
    n = search.count() if page.next else None
    number = str(n) if n is not None else f"{len(page.ids):,}"
    noun = "sample" if number == "1" else "samples"
    if not given.asks:
        return f"{number} {noun}."
    fits = "fits" if number == "1" else "fit"
    return f"{number} {noun} {fits} the filters."


def _fields(form: FilterForm, given: SampleFilter) -> dict[str, Any]:
    more = [name for name in form.fields if name not in (*FIRST, "q", "sort")]
    return {
        "first_fields": [form[name] for name in FIRST],
        "more_fields": [form[name] for name in more],
        "n_more": sum(1 for name in more if name in given.asks or name in form.errors),
    }
