"""The page of files: bring texts, take labels along."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from curation.exchange import files, imports, label_studio
from curation.exchange.api import read_query, streamed
from curation.exchange.labels import ORIGINS, SPLITS
from curation.explorer.views import curated_project
from curation.intake.files import KNOWN, CannotImport
from curation.intake.importing import Columns, parse_mapping
from curation.models import FileImport, Project
from feedbackhub.core.clock import utcnow
from feedbackhub.core.models import User
from feedbackhub.core.problems import Problem

LARGEST = 250 * 1024 * 1024
SHOWN = 20
CONFIGURATION = "label-studio.xml"


class UploadForm(forms.Form):
    """A file of texts, and where in it text and label stand."""

    file = forms.FileField(
        widget=forms.FileInput(attrs={"accept": ",".join(KNOWN)}),
        help_text="CSV, TSV, JSONL, Parquet, or Label Studio's JSON export; up to 250 MB.",
    )
    text = forms.CharField(
        label="Column of the text",
        max_length=100,
        initial="text",
        strip=False,
        help_text="In Label Studio's export: the key in a task's data.",
    )
    label = forms.CharField(
        label="Column of the label",
        max_length=100,
        required=False,
        initial="label",
        strip=False,
        help_text="In Label Studio's export: the name of the choice. Empty: no labels.",
    )
    mapping = forms.CharField(
        label="What label values mean",
        max_length=2_000,
        required=False,
        help_text="Such as 0=negative, 1=positive. Empty: values are labels. “3=” leaves rows out.",
    )

    def clean_file(self) -> "UploadedFile[bytes]":
        """Not too large for the hub's disk."""
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST:
            raise forms.ValidationError("It is larger than 250 MB; `import_samples` reads it.")
        return file


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def files_page(request: HttpRequest, project: str) -> HttpResponse:
    """What can be taken along, what was brought, and the form to bring more."""
    found, user = curated_project(request, project)
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid() and _upload(form, found, user):
        messages.success(request, "The file is here; it is being read.")
        return redirect("samples-files", project=found.slug)
    recent = list(FileImport.objects.filter(project=found)[:SHOWN])
    context: dict[str, Any] = {
        "project": found,
        "form": form,
        "files": files.names(),
        "configuration": CONFIGURATION,
        "splits": SPLITS,
        "origins": ORIGINS,
        "imports": [(each, _share(each)) for each in recent],
        "is_busy": any(each.status == FileImport.Status.WAITING for each in recent),
    }
    return render(request, "samples/files.html", context)


@login_required
@never_cache
@require_safe
def download(request: HttpRequest, project: str, name: str) -> HttpResponseBase:
    """One file of the project's labels, or the configuration that reads them in Label Studio."""
    found, _ = curated_project(request, project)
    if name == CONFIGURATION:
        options = found.label_options.values_list("name", "hotkey", "colour")
        text = label_studio.configuration(labels=list(options))
        return HttpResponse(text, content_type="application/xml")
    if name not in files.names():
        raise Http404
    try:
        wanted = read_query(request.GET.dict())
    except Problem as problem:
        messages.error(request, str(problem.detail))
        return redirect("samples-files", project=found.slug)
    return streamed(project_id=found.pk, slug=found.slug, name=name, wanted=wanted)


def _upload(form: UploadForm, project: Project, user: User) -> bool:
    given = form.cleaned_data
    try:
        columns = Columns(
            text=given["text"],
            label=given["label"] or None,
            mapping=parse_mapping(given["mapping"], labels=project.label_names()),
        )
    except CannotImport as error:
        form.add_error("mapping", str(error))
        return False
    try:
        imports.accept(
            project=project,
            file=given["file"],
            name=given["file"].name,
            columns=columns,
            created_by=user,
            now=utcnow(),
        )
    except CannotImport as error:
        form.add_error("file", str(error))
        return False
    return True


def _share(job: FileImport) -> int:
    """How much of the file is read, in percent."""
    return 100 * job.position // job.total if job.total else 100
