"""A private, migrated PostgreSQL for a bench: durable as in production, gone afterwards."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.core.management import call_command

from feedbackhub.embedded import plan_postgres, wait_for_postgres
from feedbackhub.premises import prepare_home, service_account


@contextmanager
def database() -> Iterator[None]:
    """Start one, point Django at it and migrate; stop it and remove its files at the end."""
    home = Path(tempfile.mkdtemp(prefix="feedbackhub-bench-"))
    account = service_account()
    prepare_home(home, account=account)
    service = plan_postgres(home, account=account, say=_quiet)
    child = service.start(log=home / "logs" / "postgres.log", on_death=signal.SIGQUIT)
    try:
        wait_for_postgres(service, alive=lambda: child.poll() is None, say=_quiet)
        os.environ.update(
            DATABASE_URL=service.url,
            REDIS_URL="redis://127.0.0.1:1/0",
            FEEDBACKHUB_HOME=str(home),
            SECRET_KEY="only-for-benches-" + "x" * 40,
            SUBJECT_HASH_KEY="only-for-benches-" + "y" * 40,
            DJANGO_SETTINGS_MODULE="feedbackhub.settings",
        )
        django.setup()
        call_command("migrate", verbosity=0)
        yield
    finally:
        child.send_signal(signal.SIGINT)
        child.wait(timeout=60)
        shutil.rmtree(home, ignore_errors=True)


def _quiet(*_: object) -> None:
    """Say nothing: a bench prints figures."""
