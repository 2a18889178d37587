"""Feedback from Kafka: the same events and the same landing as ``POST feedback``."""
