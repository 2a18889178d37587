"""Addresses of the review page."""

from django.urls import path

from curation.review.views import review_page

urlpatterns = [path("review/<slug:project>/", review_page, name="review")]
