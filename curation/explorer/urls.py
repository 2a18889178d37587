"""Addresses of the sample explorer, the bulk actions and the quality pages."""

from django.urls import path

from curation.explorer import bulk_views, quality_views, quality_voices, views

urlpatterns = [
    path("samples/<slug:project>/", views.samples_page, name="samples"),
    path("samples/<slug:project>/views/", views.save_view, name="samples-views"),
    path("samples/<slug:project>/bulk/", bulk_views.actions_page, name="samples-bulk"),
    path("samples/<slug:project>/bulk/new/", bulk_views.new_action, name="samples-bulk-new"),
    path(
        "samples/<slug:project>/bulk/<int:pk>/",
        bulk_views.action_page,
        name="samples-bulk-action",
    ),
    path("quality/<slug:project>/", quality_views.annotators_page, name="quality"),
    path(
        "quality/<slug:project>/agreement/",
        quality_views.agreement_page,
        name="quality-agreement",
    ),
    path("quality/<slug:project>/trust/", quality_voices.trust_page, name="quality-trust"),
    path(
        "quality/<slug:project>/trust/live/",
        quality_voices.trust_live,
        name="quality-trust-live",
    ),
    path(
        "quality/<slug:project>/anchoring/",
        quality_voices.anchoring_page,
        name="quality-anchoring",
    ),
    path(
        "quality/<slug:project>/live/<slug:tab>/<slug:choice>/",
        quality_views.live,
        name="quality-live",
    ),
]
