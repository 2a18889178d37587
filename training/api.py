"""Training over HTTP: runs, versions and snapshots."""

from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request

from curation.exchange.formats import CONTENT_TYPES, Format
from curation.intake.endpoints import JSON, ProjectEndpoint, answer
from curation.intake.reading import read_one
from curation.models import Project
from feedbackhub.core.clock import utcnow
from feedbackhub.core.keys import Scope, has_scope
from feedbackhub.core.openapi import example, problems, schema_of
from feedbackhub.core.problems import Problem
from training import queries, services, snapshot_files
from training.answers import (
    RunAnswer,
    RunList,
    RunRequest,
    SnapshotAnswer,
    VersionList,
    run_answer,
    snapshot_answer,
    version_answer,
)
from training.models import Snapshot
from training.triggers import Trigger

# The newest ones; older ones stand on the pages and in the admin.
LIMIT = 100
FILES = {(200, kind.partition(";")[0]): OpenApiTypes.BINARY for kind in CONTENT_TYPES.values()}


class ManageEndpoint(ProjectEndpoint):
    """An endpoint for keys that manage the project."""

    permission_classes = [has_scope(Scope.MANAGE)]

    def project(self) -> Project:
        """The project the key opens."""
        return Project.objects.get(pk=self.holder.project_id)

    def snapshot(self, digest: str) -> Snapshot:
        """The project's snapshot with this hash; raises 404."""
        found = Snapshot.objects.filter(project=self.holder.project_id, digest=digest).first()
        if found is None:
            raise Problem(404, f"There is no snapshot {digest} in this project.")
        return found


class TrainingRunsView(ManageEndpoint):
    """The project's runs."""

    @extend_schema(
        operation_id="list_training_runs",
        summary="List training runs",
        description=f"The newest {LIMIT} runs, with what they are doing or what came of them.",
        tags=["training"],
        responses={200: OpenApiResponse(schema_of(RunList), "Runs."), **problems()},
    )
    def get(self, request: Request, project: str) -> HttpResponse:
        """List runs."""
        found = queries.runs(project=self.project())[:LIMIT]
        return answer(RunList([run_answer(run) for run in found]))

    @extend_schema(
        operation_id="post_training_run",
        summary="Start a training run",
        description=(
            "Queues a run under the project's policy. One at a time: while another is queued or "
            "running the answer is 409."
        ),
        tags=["training"],
        request={JSON: schema_of(RunRequest)},
        responses={
            201: OpenApiResponse(schema_of(RunAnswer), "It is queued."),
            **problems(400, 409, 413, 415),
        },
        examples=[example("By hand", {"reason": "A batch of new reviews was imported."})],
    )
    def post(self, request: Request, project: str) -> HttpResponse:
        """Queue a run."""
        wish = read_one(self.body(), RunRequest)
        try:
            run = services.request_run(
                project=self.project(),
                trigger=Trigger.BUTTON,
                reason=wish.reason,
                actor=self.holder.actor,
                now=utcnow(),
            )
        except services.RunActive as refusal:
            raise Problem(409, str(refusal)) from refusal
        return answer(run_answer(run), status=201)


class TrainingRunView(ManageEndpoint):
    """One run."""

    @extend_schema(
        operation_id="get_training_run",
        summary="Look at a training run",
        tags=["training"],
        responses={200: OpenApiResponse(schema_of(RunAnswer), "The run."), **problems()},
    )
    def get(self, request: Request, project: str, pk: int) -> HttpResponse:
        """Look at one run."""
        run = queries.runs(project=self.project()).filter(pk=pk).first()
        if run is None:
            raise Problem(404, f"There is no run {pk} in this project.")
        return answer(run_answer(run))


class ModelVersionsView(ManageEndpoint):
    """The project's versions."""

    @extend_schema(
        operation_id="list_model_versions",
        summary="List model versions",
        description=(
            f"The newest {LIMIT} versions, each with its latest judgement: what every gate said, "
            "and the numbers of the version and of the champion on the same test labels."
        ),
        tags=["training"],
        responses={200: OpenApiResponse(schema_of(VersionList), "Versions."), **problems()},
    )
    def get(self, request: Request, project: str) -> HttpResponse:
        """List versions."""
        found = queries.versions(project=self.project())[:LIMIT]
        return answer(VersionList([version_answer(version) for version in found]))


class SnapshotView(ManageEndpoint):
    """One snapshot."""

    @extend_schema(
        operation_id="get_snapshot",
        summary="Look at a snapshot",
        description="What a run trained on: its counts, its policy and the versions made from it.",
        tags=["training"],
        responses={200: OpenApiResponse(schema_of(SnapshotAnswer), "It."), **problems()},
    )
    def get(self, request: Request, project: str, digest: str) -> HttpResponse:
        """Look at one snapshot."""
        return answer(snapshot_answer(self.snapshot(digest)))


class SnapshotFileView(ManageEndpoint):
    """The rows of one snapshot."""

    @extend_schema(
        operation_id="export_snapshot",
        summary="Take a snapshot along",
        description=(
            "Streams what a run learned from and was judged on, by split and sample: the same rows "
            "whenever it is asked for, except that erased texts are null."
        ),
        tags=["export"],
        parameters=[OpenApiParameter("file_format", str, "path", enum=list(Format))],
        responses={**FILES, **problems()},
    )
    def get(
        self, request: Request, project: str, digest: str, file_format: str
    ) -> StreamingHttpResponse:
        """Stream one snapshot."""
        if file_format not in list(Format):
            raise Problem(404, f"There is no .{file_format}; there are {', '.join(Format)}.")
        chosen = Format(file_format)
        response = StreamingHttpResponse(
            snapshot_files.stream(self.snapshot(digest), file_format=chosen),
            content_type=CONTENT_TYPES[chosen],
        )
        name = f"{project}-{digest[:12]}.{chosen}"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response
