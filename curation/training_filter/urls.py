"""Addresses of the training filter."""

from django.urls import path

from curation.training_filter import views

urlpatterns = [
    path("quality/<slug:project>/filter/", views.filter_page, name="quality-filter"),
    path(
        "quality/<slug:project>/filter/live/<int:percent>/",
        views.filter_live,
        name="quality-filter-live",
    ),
]
