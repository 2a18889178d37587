"""Addresses of the review page and of what it asks the queue engine."""

from django.urls import include, path

from curation.review.guideline_views import guidelines_page
from curation.review.views import review_page

urlpatterns = [
    path("review/<slug:project>/", review_page, name="review"),
    path("review/<slug:project>/guidelines/", guidelines_page, name="review-guidelines"),
    path("review/<slug:project>/api/", include("curation.review.api_urls")),
]
