"""The one place that reads the wall clock; below an edge, ``now`` is an argument."""

from datetime import UTC, datetime


def utcnow() -> datetime:
    """The current time, aware, in UTC. Called at edges only: views, tasks, commands."""
    return datetime.now(UTC)
