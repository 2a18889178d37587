"""Blessed versions in, the one that serves out."""

from django.apps import AppConfig


class RolloutConfig(AppConfig):
    """Registers the rollout room."""

    name = "rollout"
