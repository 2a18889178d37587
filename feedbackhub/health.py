"""What machines ask the hub: is it alive, is it ready, what are its numbers.

A middleware rather than views: probes call by bare address, so they must be answered before the
host check, the redirect to HTTPS, sessions and the content policy.
"""

import os
from collections.abc import Callable
from time import perf_counter

import psycopg2
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from redis.exceptions import RedisError

from curation.intake.pulse import measure_digest_lag
from feedbackhub.core.clock import utcnow
from training.models import ModelVersion

OK = "ok"
LOST = "lost"
MISSING = "missing"
UNKNOWN = "unknown"

REQUEST_SECONDS = Histogram(
    "hub_request_seconds",
    "Time to answer a request, by address pattern.",
    ["method", "route", "status"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)

Answer = Callable[[HttpRequest], HttpResponse]


class HealthMiddleware:
    """Answers ``/healthz``, ``/readyz`` and ``/metrics``, and times every other request."""

    def __init__(self, get_response: Answer) -> None:
        """Wrap the rest of the hub."""
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a probe here; time what goes on."""
        probe = PROBES.get(request.path_info)
        if probe is not None:
            return probe(request)
        started = perf_counter()
        response = self._get_response(request)
        match = request.resolver_match
        REQUEST_SECONDS.labels(
            request.method or "", match.route if match else "unknown", str(response.status_code)
        ).observe(perf_counter() - started)
        return response


def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is looked at, so that a lost database restarts nobody."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """Whether to send traffic here: 503 without a database or a model that serves.

    Without a broker it reads "degraded" and stays: events still land, and wait to be digested.
    """
    database, champion = _database_and_champion()
    checks = {"database": database, "champion": champion, "broker": _broker()}
    if database != OK or champion != OK:
        answer = JsonResponse({"status": "unready", "checks": checks}, status=503)
        # A probe every second must not fill the log with "Service Unavailable".
        answer._has_been_logged = True  # type: ignore[attr-defined]  # Django's own mark.
        return answer
    status = OK if checks["broker"] == OK else "degraded"
    return JsonResponse({"status": status, "checks": checks})


def metrics(request: HttpRequest) -> HttpResponse:
    """The numbers of all processes of this hub, in Prometheus' text format."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # Published untyped.
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _database_and_champion() -> tuple[str, str]:
    try:
        is_live = ModelVersion.objects.filter(status=ModelVersion.Status.LIVE).exists()
        # Here rather than in /metrics, which answers without a database; and not by the digest
        # alone, which says nothing when it stands still.
        measure_digest_lag(now=utcnow())
    except (DatabaseError, psycopg2.Error):
        # A broken connection is dropped, so that the next probe makes a new one.
        connection.close()
        return LOST, UNKNOWN
    return OK, OK if is_live else MISSING


def _broker() -> str:
    try:
        cache.get("readyz")
    except (RedisError, OSError):
        return LOST
    return OK


PROBES: dict[str, Answer] = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}
