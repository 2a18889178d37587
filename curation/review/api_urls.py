"""Addresses of the queue engine for the page, below ``/review/<project>/api/``."""

from django.urls import path

from curation.review import api

urlpatterns = [
    path("claim", api.claim, name="review-claim"),
    path("<int:item>/submit", api.submit, name="review-submit"),
    path("<int:item>/skip", api.skip, name="review-skip"),
    path("undo", api.undo, name="review-undo"),
    path("heartbeat", api.heartbeat, name="review-heartbeat"),
    path("release", api.release, name="review-release"),
    path("preferences", api.preferences, name="review-preferences"),
    path("guideline", api.guideline, name="review-guideline"),
]
