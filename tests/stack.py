"""The whole hub in processes of its own, started as ``make run`` starts it."""

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from feedbackhub.embedded import free_port
from feedbackhub.leash import die_with_parent
from feedbackhub.premises import Account, as_account
from feedbackhub.supervision import CHECKOUT

# What the test session set for itself; a hub under test decides its own.
OWN = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SUBJECT_HASH_KEY", "DJANGO_SETTINGS_MODULE")
FIRST_START_S = 180


@dataclass
class Hub:
    """A hub started by a test, and where it wrote what it said."""

    process: subprocess.Popen[bytes]
    home: Path
    port: int

    @property
    def base_url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def demo(self) -> dict[str, Any]:
        """The demo's facts: project, API key, users."""
        facts: dict[str, Any] = json.loads((self.home / "demo.json").read_text())
        return facts

    @property
    def said(self) -> str:
        """What it printed so far."""
        return (self.home.parent / f"{self.home.name}.out").read_text()

    def readiness(self) -> dict[str, Any]:
        """The answer of ``/readyz``."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/readyz")
            readiness: dict[str, Any] = json.load(connection.getresponse())
        finally:
            connection.close()
        return readiness

    def wait_until_ready(self) -> None:
        """Return once it has printed its address."""
        deadline = time.monotonic() + FIRST_START_S
        while "feedbackhub is ready" not in self.said:
            assert self.process.poll() is None, f"the hub ended: {self.said}"
            assert time.monotonic() < deadline, f"the hub is not ready: {self.said}"
            time.sleep(0.1)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Send the signal and wait for the end; the seconds it took."""
        started = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(timeout=20)
        return time.monotonic() - started


def start_hub(
    home: Path, *, port: int | None = None, account: Account | None = None, **variables: str
) -> Hub:
    """Start a hub on the home, as the account if one is given; it dies with the test session."""
    port = port or free_port()
    inherited = {name: value for name, value in os.environ.items() if name not in OWN}
    with (home.parent / f"{home.name}.out").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "feedbackhub.up"],
            cwd=CHECKOUT,
            env={**inherited, "FEEDBACKHUB_HOME": str(home), "PORT": str(port), **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
            **as_account(account),
        )
    return Hub(process=process, home=home, port=port)


@contextmanager
def running_hub(**variables: str) -> Iterator[Hub]:
    """A ready hub on an empty home, stopped and swept away at the end."""
    with tempfile.TemporaryDirectory(prefix="feedbackhub-stack-") as folder:
        # The private servers' account must be able to walk through.
        Path(folder).chmod(0o711)
        hub = start_hub(Path(folder) / "home", port=None, account=None, **variables)
        try:
            hub.wait_until_ready()
            yield hub
        finally:
            hub.stop()
