"""Addresses of the sample explorer."""

from django.urls import path

from curation.explorer import views

urlpatterns = [
    path("samples/<slug:project>/", views.samples_page, name="samples"),
]
