"""The hub's addresses and two more: a view that does nothing, as a page and in the API's lane."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from feedbackhub import urls


def empty(request: HttpRequest) -> HttpResponse:
    """Nothing, as fast as Django answers it."""
    return HttpResponse()


urlpatterns = [path("api/v1/empty", empty), *urls.urlpatterns, path("empty/", empty)]
handler400, handler404, handler500 = urls.handler400, urls.handler404, urls.handler500
