"""A pytest plugin that starts one private PostgreSQL and Redis before Django settings load.

Loaded by ``-p tests.servers``. With xdist the controller starts them and every worker makes its own
database on them. ``DATABASE_URL`` and ``REDIS_URL`` make the tests use other servers.
"""

import atexit
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen

import pytest

from feedbackhub.embedded import (
    Service,
    plan_postgres,
    plan_redis,
    wait_for_postgres,
    wait_for_redis,
)
from feedbackhub.premises import prepare_home, service_account

# Importing feedbackhub names the production settings; the tests' own stand in pyproject.toml.
os.environ.pop("DJANGO_SETTINGS_MODULE", None)

_children: list[Popen[bytes]] = []
_home: Path | None = None


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    """Prepare the environment; as a wrapper this runs before pytest-django reads the settings."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        _start()
    else:
        _settle_in(int(worker.removeprefix("gw")) + 1)
    return (yield)


def pytest_unconfigure() -> None:
    """Stop what this process started."""
    _stop()


def _stop() -> None:
    for child in reversed(_children):
        child.send_signal(signal.SIGQUIT if child is _children[0] else signal.SIGKILL)
        child.wait(timeout=10)
    _children.clear()
    if _home is not None:
        shutil.rmtree(_home, ignore_errors=True)


def _start() -> None:
    global _home
    _home = Path(tempfile.mkdtemp(prefix="feedbackhub-tests-"))
    atexit.register(_stop)  # For sessions that end before pytest is configured.
    account = service_account()
    prepare_home(_home, account=account)
    chosen = {
        "FEEDBACKHUB_HOME": str(_home),
        "SECRET_KEY": "only-for-tests-" + "x" * 40,
        "SUBJECT_HASH_KEY": "only-for-tests-" + "y" * 40,
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    if not os.environ.get("DATABASE_URL"):
        postgres = plan_postgres(_home, account=account, say=print, careless=True)
        child = _run(postgres)
        wait_for_postgres(postgres, alive=lambda: child.poll() is None, say=print)
        chosen["DATABASE_URL"] = postgres.url
    if not os.environ.get("REDIS_URL"):
        redis = plan_redis(_home, account=account, say=print, careless=True)
        other = _run(redis)
        wait_for_redis(redis, alive=lambda: other.poll() is None)
        chosen["REDIS_URL"] = redis.url
    os.environ.update(chosen)


def _run(service: Service) -> Popen[bytes]:
    assert _home is not None
    # Quit at once when this process dies, however it dies: nothing here is worth keeping.
    on_death = signal.SIGQUIT if service.name == "postgres" else signal.SIGKILL
    child = service.start(log=_home / "logs" / f"{service.name}.log", on_death=on_death)
    _children.append(child)
    return child


def _settle_in(number: int) -> None:
    """One worker of several: its own home and Redis database (Django numbers the Postgres ones)."""
    home = Path(os.environ["FEEDBACKHUB_HOME"]) / f"worker-{number}"
    prepare_home(home, account=None)
    os.environ["FEEDBACKHUB_HOME"] = str(home)
    address, _, _ = os.environ["REDIS_URL"].rpartition("/")
    os.environ["REDIS_URL"] = f"{address}/{number}"
