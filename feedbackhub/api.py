"""The REST API as a whole: its addresses, its document, and its errors outside every endpoint."""

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_update
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path
from django.utils.decorators import method_decorator
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from feedbackhub.core.problems import problem_response
from feedbackhub.journey import FeedbackJourneyView

PREFIX = "/api/"


# Swagger UI writes inline styles and draws its icons from data addresses; nothing else is relaxed.
@method_decorator(csp_update({"style-src": [UNSAFE_INLINE]}), name="dispatch")
class DocsView(SpectacularSwaggerSplitView):
    """The API's documentation, browsable without a network."""

    permission_classes = ()


class SchemaView(SpectacularAPIView):
    """The OpenAPI document; the same for everyone."""

    permission_classes = ()


@csrf_exempt
def unknown_address(request: HttpRequest, rest: str) -> HttpResponse:
    """404 for every address below ``/api/`` that no endpoint has."""
    return page_not_found(request, Http404())


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: a problem below ``/api/``, the usual page elsewhere."""
    if not request.path_info.startswith(PREFIX):
        return defaults.page_not_found(request, exception)
    slash = " Its addresses end without a slash." if request.path_info.endswith("/") else ""
    return problem_response(404, f"The API has no address {request.path_info}.{slash}")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: a problem below ``/api/``, the usual page elsewhere."""
    if not request.path_info.startswith(PREFIX):
        return defaults.bad_request(request, exception)
    return problem_response(400, "The request cannot be read.")


def server_error(request: HttpRequest) -> HttpResponse:
    """500: a problem below ``/api/``, the usual page elsewhere. The error itself is in the log."""
    if not request.path_info.startswith(PREFIX):
        return defaults.server_error(request)
    return problem_response(500, "Something broke here; it is in the hub's log. Send it again.")


project_urls: list[URLPattern | URLResolver] = [
    path("", include("rollout.serving.api_urls")),
    path("", include("curation.intake.api_urls")),
    path("", include("curation.exchange.api_urls")),
    path("", include("curation.review.rest_urls")),
    path("", include("training.api_urls")),
    path("", include("rollout.api_urls")),
    path("feedback/<path:event_id>", FeedbackJourneyView.as_view(), name="api-feedback-journey"),
]
urlpatterns = [
    path("v1/projects/<slug:project>/", include(project_urls)),
    path("schema/", SchemaView.as_view(), name="api-schema"),
    path("docs/", DocsView.as_view(url_name="api-schema"), name="api-docs"),
    path("<path:rest>", unknown_address),
]
