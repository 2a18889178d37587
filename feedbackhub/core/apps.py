"""The lowest room as a Django app."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """What every room shares: users, status changes, problem answers, ids."""

    name = "feedbackhub.core"
    label = "core"
