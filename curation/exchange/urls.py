"""Addresses of the page of files."""

from django.urls import path

from curation.exchange import views

urlpatterns = [
    path("samples/<slug:project>/files/", views.files_page, name="samples-files"),
    path("samples/<slug:project>/files/<str:name>", views.download, name="samples-file"),
]
