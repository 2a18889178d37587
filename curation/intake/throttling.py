"""A limit on requests for each source, shared by all web workers through Redis.

A process draws its allowance from Redis in small lots, so most requests ask nobody. Without Redis
nobody is throttled: intake must outlive it.
"""

import logging
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from feedbackhub.core.clock import utcnow
from feedbackhub.core.keys import KeyHolder

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 10
LOTS_PER_WINDOW = 100
# A lost Redis is asked again only this often; each attempt costs a request its patience.
SECONDS_BETWEEN_ATTEMPTS = 5.0
PATIENCE_SECONDS = 0.2


@dataclass
class _Lot:
    window: int
    left: int


@dataclass
class _Outage:
    until: float = 0.0


_lots: dict[int, _Lot] = {}
_outage = _Outage()


class SourceThrottle(BaseThrottle):
    """At most ``settings.THROTTLE_PER_SECOND`` requests of a source, over ten seconds."""

    def __init__(self) -> None:
        self._wait: float | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        """Whether the request may go on."""
        if not isinstance(request.user, KeyHolder):
            return True
        self._wait = seconds_to_wait(
            request.user.source_id,
            per_second=settings.THROTTLE_PER_SECOND,
            seconds=utcnow().timestamp(),
        )
        return self._wait is None

    def wait(self) -> float | None:
        """Seconds until it is worth trying again."""
        return self._wait


def seconds_to_wait(source_id: int, *, per_second: int, seconds: float) -> float | None:
    """None when a source may make one more request, else how long it should wait."""
    window = int(seconds // WINDOW_SECONDS)
    lot = _lots.get(source_id)
    if lot is None or lot.window != window or lot.left <= 0:
        size = _draw(source_id, window, limit=per_second * WINDOW_SECONDS)
        if size is None:
            return None
        if size == 0:
            return (window + 1) * WINDOW_SECONDS - seconds
        lot = _lots[source_id] = _Lot(window=window, left=size)
    lot.left -= 1
    return None


def _draw(source_id: int, window: int, *, limit: int) -> int | None:
    """The size of a fresh lot, 0 when the window is used up, None when Redis is lost."""
    if time.monotonic() < _outage.until:
        return None
    size = max(1, limit // LOTS_PER_WINDOW)
    key = f"hub:throttle:{source_id}:{window}"
    try:
        with _redis().pipeline(transaction=False) as pipe:
            pipe.incrby(key, size)
            pipe.expire(key, 2 * WINDOW_SECONDS)
            drawn, _ = pipe.execute()
    except redis.RedisError as error:
        logger.warning("Redis is lost (%s); requests are not throttled meanwhile.", error)
        _outage.until = time.monotonic() + SECONDS_BETWEEN_ATTEMPTS
        return None
    return size if drawn <= limit else 0


def forget() -> None:
    """Ask Redis anew for everything."""
    _lots.clear()
    _outage.until = 0.0
    _redis.cache_clear()


@cache
def _redis() -> redis.Redis:
    return redis.Redis.from_url(
        settings.CELERY_BROKER_URL,
        socket_timeout=PATIENCE_SECONDS,
        socket_connect_timeout=PATIENCE_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
