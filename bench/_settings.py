"""The hub's settings with the addresses of benches; nothing else differs."""

from feedbackhub.settings import *  # noqa: F403

ROOT_URLCONF = "bench._urls"
