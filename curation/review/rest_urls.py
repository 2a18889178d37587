"""Addresses of the queue engine for programs, below ``/api/v1/projects/{project}/``."""

from django.urls import path

from curation.review import rest

urlpatterns = [
    path("review/claim", rest.ClaimView.as_view(), name="api-review-claim"),
    path("review/<int:item>/submit", rest.SubmitView.as_view(), name="api-review-submit"),
    path("review/<int:item>/skip", rest.SkipView.as_view(), name="api-review-skip"),
    path("review/undo", rest.UndoView.as_view(), name="api-review-undo"),
    path("review/heartbeat", rest.HeartbeatView.as_view(), name="api-review-heartbeat"),
    path("review/release", rest.ReleaseView.as_view(), name="api-review-release"),
]
