"""The private servers the tests themselves run on."""

import pytest
import redis
from django.conf import settings
from django.db import connection
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer


@pytest.mark.django_db
def test_the_hub_talks_to_postgres_18_without_being_superuser() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        is_superuser = cursor.fetchone()
    assert connection.pg_version >= 180_000
    assert is_superuser == (False,)


def test_redis_asks_for_a_password() -> None:
    address = settings.ENV.redis_url.rpartition("@")[2]
    with (
        redis.Redis.from_url(f"redis://{address}") as stranger,
        pytest.raises(redis.exceptions.AuthenticationError),
    ):
        stranger.ping()


@pytest.mark.browser
def test_the_sign_in_page_opens_in_a_real_browser(live_server: LiveServer, page: Page) -> None:
    page.goto(f"{live_server.url}/admin/login/")
    expect(page.locator("input[name=username]")).to_be_visible()
