"""Addresses of serving, below ``/api/v1/projects/{project}/``."""

from django.urls import path

from rollout.serving.api import PredictionBatchView, PredictionView

urlpatterns = [
    path("predictions", PredictionView.as_view(), name="api-predictions"),
    path("predictions/batch", PredictionBatchView.as_view(), name="api-predictions-batch"),
]
