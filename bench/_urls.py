"""The hub's addresses and one more: a view that does nothing, behind the same middleware."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from feedbackhub import urls


def empty(request: HttpRequest) -> HttpResponse:
    """Nothing, as fast as Django answers it."""
    return HttpResponse()


urlpatterns = [*urls.urlpatterns, path("empty/", empty)]
handler400, handler404, handler500 = urls.handler400, urls.handler404, urls.handler500
