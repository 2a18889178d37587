"""Every address of the hub."""

from django.contrib import admin
from django.urls import include, path

from feedbackhub.home import home

urlpatterns = [
    path("", home, name="home"),
    path("admin/", admin.site.urls),
    path("", include("curation.review.urls")),
]
