"""Addresses of rollouts, below ``/api/v1/projects/{project}/``."""

from django.urls import path

from rollout.api import STEP_VIEWS, RolloutListView, RolloutView

urlpatterns = [
    path("rollouts", RolloutListView.as_view(), name="api-rollouts"),
    path("rollouts/<int:pk>", RolloutView.as_view(), name="api-rollout"),
    *(
        path(f"rollouts/<int:pk>/{name}", view.as_view(), name=f"api-rollout-{name}")
        for name, view in STEP_VIEWS.items()
    ),
]
