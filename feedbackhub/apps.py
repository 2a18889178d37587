"""The highest room as a Django app: pages across rooms and the commands that run the hub."""

from django.apps import AppConfig


class HubConfig(AppConfig):
    """Registers the hub's commands and templates."""

    name = "feedbackhub"
    label = "hub"
