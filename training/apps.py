"""Labels in, blessed model versions out."""

from django.apps import AppConfig


class TrainingConfig(AppConfig):
    """Registers the training room."""

    name = "training"
