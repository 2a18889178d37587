"""Addresses of training, below ``/api/v1/projects/{project}/``."""

from django.urls import path

from training.api import (
    ModelVersionsView,
    SnapshotFileView,
    SnapshotView,
    TrainingRunsView,
    TrainingRunView,
)
from training.explain_views import ItemWordsView

urlpatterns = [
    path("training-runs", TrainingRunsView.as_view(), name="api-training-runs"),
    path("training-runs/<int:pk>", TrainingRunView.as_view(), name="api-training-run"),
    path("model-versions", ModelVersionsView.as_view(), name="api-model-versions"),
    path(
        "snapshots/<str:digest>/items.<str:file_format>",
        SnapshotFileView.as_view(),
        name="api-snapshot-file",
    ),
    path("snapshots/<str:digest>", SnapshotView.as_view(), name="api-snapshot"),
    path("review/<int:item>/words", ItemWordsView.as_view(), name="api-review-words"),
]
