"""feedbackhub closes the loop from user feedback to a better model."""

from feedbackhub.celery import app as celery_app

__version__ = "0.1.0"
__all__ = ["celery_app"]
