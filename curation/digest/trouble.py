"""Which errors say something about the work, and which only about the moment."""

from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError

# A lost connection, a deadlock, a worker told to stop: the next look does it all.
PASSING = (OperationalError, InterfaceError, SoftTimeLimitExceeded, MemoryError)
