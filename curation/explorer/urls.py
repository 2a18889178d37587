"""Addresses of the sample explorer."""

from django.urls import path

from curation.explorer import bulk_views, views

urlpatterns = [
    path("samples/<slug:project>/", views.samples_page, name="samples"),
    path("samples/<slug:project>/bulk/", bulk_views.actions_page, name="samples-bulk"),
    path("samples/<slug:project>/bulk/new/", bulk_views.new_action, name="samples-bulk-new"),
    path(
        "samples/<slug:project>/bulk/<int:pk>/",
        bulk_views.action_page,
        name="samples-bulk-action",
    ),
]
