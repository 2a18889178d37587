"""The backend Django loads by ``ENGINE = "feedbackhub.core.postgres"``."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL whose kept connections are found dead or alive without a round trip.

    Django's own check sends ``SELECT 1`` before the first statement of every request: a seventh of
    what one feedback post costs. A server that went away, by a restart or a kill, has closed its
    end of the connection, which makes the socket readable; one that says nothing is in order. What
    a silent network loss would break, breaks ``SELECT 1`` as well.
    """

    def is_usable(self) -> bool:
        """Whether the connection works: it is silent, or else it answers."""
        if not self.errors_occurred and self._is_silent():
            return True
        return super().is_usable()

    def _is_silent(self) -> bool:
        if self.connection is None or self.connection.closed:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return not poll.poll(0)
