"""Addresses of the page of groups."""

from django.urls import path

from curation.groups import views

urlpatterns = [
    path("groups/<slug:project>/", views.groups_page, name="groups"),
    path("groups/<slug:project>/live/", views.live, name="groups-live"),
    path("groups/<slug:project>/words/<int:pk>/delete/", views.delete_words, name="groups-delete"),
]
