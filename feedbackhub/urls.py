"""Every address of the hub."""

from django.contrib import admin
from django.urls import include, path

from feedbackhub.home import home

urlpatterns = [
    path("", home, name="home"),
    path("admin/", admin.site.urls),
    path("api/", include("feedbackhub.api")),
    path("", include("curation.review.urls")),
]

handler400 = "feedbackhub.api.bad_request"
handler404 = "feedbackhub.api.page_not_found"
handler500 = "feedbackhub.api.server_error"
