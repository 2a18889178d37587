"""Addresses of the export, below ``/api/v1/projects/{project}/``."""

from django.urls import path

from curation.exchange.api import ExportView

urlpatterns = [path("export/<str:name>", ExportView.as_view(), name="api-export")]
