"""What probes are told, with and without the servers."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import override_settings
from prometheus_client.parser import text_string_to_metric_families

from feedbackhub.embedded import free_port
from tests.factories import make_project, make_version
from training.models import ModelVersion


@pytest.fixture
def no_broker() -> Iterator[None]:
    """A broker address where nobody listens."""
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    backend = "django.core.cache.backends.redis.RedisCache"
    with override_settings(CACHES={"default": {"BACKEND": backend, "LOCATION": nowhere}}):
        yield


@pytest.fixture
def champion() -> ModelVersion:
    """A model that serves."""
    return make_version(make_project(), status=ModelVersion.Status.LIVE)


@pytest.mark.django_db
@pytest.mark.usefixtures("champion")
def test_ready_with_all_servers_and_a_champion(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    checks = {"database": "ok", "champion": "ok", "broker": "ok"}
    assert answer.json() == {"status": "ok", "checks": checks}


@pytest.mark.django_db
def test_without_a_champion_no_traffic_is_wanted(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"database": "ok", "champion": "missing", "broker": "ok"}


@pytest.mark.django_db
@pytest.mark.usefixtures("champion", "no_broker")
def test_a_lost_broker_reads_degraded_and_keeps_the_traffic(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["checks"]["broker"] == "lost"


@pytest.mark.django_db(transaction=True)
def test_a_lost_database_takes_the_traffic_away_and_comes_back(client: Client) -> None:
    here = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict["PORT"] = free_port()
    try:
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["checks"]["database"] == "lost"
        assert client.get("/healthz").status_code == 200
    finally:
        connection.settings_dict.update(here)
    assert client.get("/readyz").json()["checks"]["database"] == "ok"


@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
def test_probes_need_no_host_name_no_https_and_no_database(client: Client, path: str) -> None:
    with override_settings(SECURE_SSL_REDIRECT=True, ALLOWED_HOSTS=["hub.example.com"]):
        assert client.get(path, headers={"host": "10.1.2.3"}).status_code == 200


@pytest.mark.django_db
def test_requests_are_timed_by_their_address_pattern(client: Client) -> None:
    client.get("/admin/login/")
    client.get("/nowhere/of/any/kind")
    text = client.get("/metrics").content.decode()
    counted = {
        sample.labels["route"]
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "hub_request_seconds_count"
    }
    assert {"admin/login/", "unknown"} <= counted
    assert "nowhere/of/any/kind" not in text
