"""Addresses of the intake pages."""

from django.urls import path

from curation.intake import quarantine_views, rejected_views, views

urlpatterns = [
    path("intake/<slug:project>/", views.intake_page, name="intake"),
    path("intake/<slug:project>/live/<slug:window>/", views.live, name="intake-live"),
    path(
        "intake/<slug:project>/quarantine/",
        quarantine_views.quarantine_page,
        name="intake-quarantine",
    ),
    path("intake/<slug:project>/rules/", quarantine_views.rules_page, name="intake-rules"),
    path("intake/<slug:project>/rejected/", rejected_views.rejected_page, name="intake-rejected"),
    path(
        "intake/<slug:project>/rejected/<int:pk>/",
        rejected_views.rejected_event_page,
        name="intake-rejected-event",
    ),
]
