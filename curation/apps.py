"""Events in, labels one can trust out."""

from django.apps import AppConfig


class CurationConfig(AppConfig):
    """Registers the curation room."""

    name = "curation"
