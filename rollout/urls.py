"""Addresses of the rollout pages."""

from django.urls import path

from rollout import views

urlpatterns = [
    path("rollouts/<slug:project>/", views.rollouts_page, name="rollouts"),
    path("rollouts/<slug:project>/<int:pk>/", views.rollout_page, name="rollouts-rollout"),
    path("rollouts/<slug:project>/<int:pk>/live/", views.live, name="rollouts-live"),
    path("rollouts/<slug:project>/<int:pk>/<slug:step>/", views.step_page, name="rollouts-step"),
]
