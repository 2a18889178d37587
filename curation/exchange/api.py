"""Taking labels along over HTTP: streamed, so that their number does not matter."""

from typing import Annotated, Any

import msgspec
from django.http import HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from curation.exchange import files, label_studio
from curation.exchange.formats import CONTENT_TYPES
from curation.exchange.labels import ORIGINS, SPLITS, Wanted
from curation.intake.endpoints import ProjectEndpoint
from feedbackhub.core.keys import Scope, has_scope
from feedbackhub.core.openapi import problems, schema_of
from feedbackhub.core.problems import Problem

FILTERS = [
    OpenApiParameter("split", str, enum=SPLITS, description="`none`: samples in no split."),
    OpenApiParameter("origin", str, enum=ORIGINS, description="Whose word the label rests on."),
    OpenApiParameter("min_quality", float, description="In [0, 1]."),
    OpenApiParameter("unlabelled", bool, description="Texts without a label too."),
]


FILES = {(200, kind.partition(";")[0]): OpenApiTypes.BINARY for kind in CONTENT_TYPES.values()}
TASKS = schema_of(list[dict[str, Any]])


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which labels are asked for."""

    split: str | None = None
    origin: str | None = None
    min_quality: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    unlabelled: bool = False

    def __post_init__(self) -> None:
        """Refuse what is no split or origin."""
        for name, value, known in (("split", self.split, SPLITS), ("origin", self.origin, ORIGINS)):
            if value is not None and value not in known:
                raise ValueError(f"`{name}` is one of {', '.join(known)}.")

    @property
    def wanted(self) -> Wanted:
        """The same, for the query."""
        return Wanted(**msgspec.structs.asdict(self))


def read_query(given: dict[str, str]) -> Wanted:
    """The labels a query string asks for; empty values ask for nothing. Raises a 400."""
    asked = {name: value for name, value in given.items() if value != ""}
    try:
        return msgspec.convert(asked, Query, strict=False).wanted
    except msgspec.ValidationError as error:
        raise Problem(400, f"The query does not fit: {error}") from None


def streamed(*, project_id: int, slug: str, name: str, wanted: Wanted) -> StreamingHttpResponse:
    """The file with this name as an answer that is read while it is sent."""
    response = StreamingHttpResponse(
        files.stream(project_id=project_id, name=name, wanted=wanted),
        content_type=files.content_type(name=name),
    )
    response["Content-Disposition"] = f'attachment; filename="{slug}-{name}"'
    return response


class ExportView(ProjectEndpoint):
    """The project's labels as a file."""

    permission_classes = [has_scope(Scope.MANAGE)]

    @extend_schema(
        operation_id="export_labels",
        summary="Take the labels along",
        description=(
            "Streams every sample with its current label, quality, grounds and split, as JSON "
            "Lines, CSV, Parquet or Label Studio tasks. The order is that of the samples."
        ),
        tags=["export"],
        parameters=[OpenApiParameter("name", str, "path", enum=files.names()), *FILTERS],
        responses={**FILES, (200, label_studio.CONTENT_TYPE): TASKS, **problems(400)},
    )
    def get(self, request: Request, project: str, name: str) -> HttpResponseBase:
        """Stream one file."""
        if name not in files.names():
            raise Problem(404, f"There is no {name}; there are {', '.join(files.names())}.")
        wanted = read_query(request.query_params.dict())
        return streamed(project_id=self.holder.project_id, slug=project, name=name, wanted=wanted)
