"""Addresses of intake, below ``/api/v1/projects/{project}/``."""

from django.urls import path

from curation.intake.api import FeedbackBatchView, FeedbackView, SampleBatchView

urlpatterns = [
    path("feedback", FeedbackView.as_view(), name="api-feedback"),
    path("feedback/batch", FeedbackBatchView.as_view(), name="api-feedback-batch"),
    path("samples/batch", SampleBatchView.as_view(), name="api-samples-batch"),
]
