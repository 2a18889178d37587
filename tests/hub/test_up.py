"""`make run`: refusals in one line, a start that resumes, a stop that leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg2
import pytest

from feedbackhub.embedded import free_port, port_is_free
from feedbackhub.environment import read_env_file
from feedbackhub.premises import as_account, service_account
from feedbackhub.supervision import CHECKOUT, session_members
from tests.stack import Hub, start_hub

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that the private servers' account may walk through; Pytest's own are closed."""
    with tempfile.TemporaryDirectory(prefix="feedbackhub-hubs-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


def refusal(home: Path, **variables: str) -> str:
    """What a start says that must fail: exactly one line, no traceback."""
    asked = subprocess.run(
        [sys.executable, "-m", "feedbackhub.up"],
        cwd=CHECKOUT,
        env={"PATH": os.environ["PATH"], "FEEDBACKHUB_HOME": str(home), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert asked.returncode == 1
    assert asked.stderr.count("\n") == 1, asked.stderr
    return asked.stderr


def living(hub: Hub) -> list[str]:
    return [" ".join(member.cmdline()) for member in session_members(hub.home)]


def crowd() -> float:
    """How many programs want each core: what a time meant for an idle machine is stretched by."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def query(hub: Hub, statement: str) -> object:
    url = read_env_file(hub.home / "hub.env")["DATABASE_URL"]
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None
    finally:
        connection.close()


def test_a_home_that_cannot_be_made_is_said_in_one_line(folder: Path) -> None:
    (folder / "file").write_text("not a folder")
    assert "FEEDBACKHUB_HOME" in refusal(folder / "file" / "home")
    assert "FEEDBACKHUB_HOME" in refusal(folder / "file")


def test_a_home_whose_data_is_broken_is_said_in_one_line(folder: Path) -> None:
    home = folder / "broken"
    home.mkdir()
    (home / "data").write_text("not a folder")
    assert str(home) in refusal(home, PORT=str(free_port()))


def test_a_port_in_use_is_said_in_one_line(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = refusal(folder / "taken", PORT=str(port))
    assert f"Port {port} on 127.0.0.1 is in use" in line


def test_nonsense_in_the_environment_is_said_before_anything_is_made(folder: Path) -> None:
    assert "PORT: " in refusal(folder / "nonsense", PORT="eighty")
    assert not (folder / "nonsense").exists()


def test_two_hubs_run_side_by_side_and_one_resumes(folder: Path) -> None:
    one = start_hub(folder / "one", DEMO="0")
    two = start_hub(folder / "two", DEMO="0")
    try:
        for hub in (one, two):
            hub.wait_until_ready()
            assert hub.readiness()["checks"]["database"] == "ok"
            _keeps_secrets_to_its_owner(hub.home)
        assert "already runs" in refusal(one.home, PORT=str(free_port()))

        query(one, "CREATE TABLE kept AS SELECT 42 AS answer")
        assert query(two, "SELECT to_regclass('kept')") is None

        assert one.stop() < 10
        assert one.process.returncode == 0
        assert living(one) == []
        assert two.readiness()["checks"]["database"] == "ok"
    finally:
        one.process.kill()
        assert two.stop(signal.SIGINT) < 10
    assert living(two) == []

    started = time.monotonic()
    again = start_hub(folder / "one", DEMO="0")
    try:
        again.wait_until_ready()
        assert time.monotonic() - started < 15 * crowd()
        assert query(again, "SELECT answer FROM kept") == 42
        _replaces_a_killed_web_server(again)
        _survives_its_own_murder(again)
    finally:
        again.stop()


def _keeps_secrets_to_its_owner(home: Path) -> None:
    for name in ("secrets.env", "hub.env", "run/supervisor.conf"):
        assert (home / name).stat().st_mode & 0o777 == 0o600
    assert home.stat().st_mode & 0o007 == 0


def _replaces_a_killed_web_server(hub: Hub) -> None:
    """Its workers go with it: left behind, they would share the port with their successors."""
    web = [one for one in session_members(hub.home) if "granian" in " ".join(one.cmdline())]
    master = next(one for one in web if one.ppid() not in {other.pid for other in web})
    master.kill()
    _, alive = psutil.wait_procs(web, timeout=15 * crowd())
    assert alive == []
    deadline = time.monotonic() + 30 * crowd()
    while port_is_free("127.0.0.1", hub.port):
        assert time.monotonic() < deadline, "no web server took the place of the killed one"
        time.sleep(0.1)


def _survives_its_own_murder(hub: Hub) -> None:
    """A hub killed outright leaves processes behind for a moment; a new start is none the worse."""
    hub.process.kill()
    hub.process.wait()
    successor = start_hub(hub.home, port=hub.port, DEMO="0")
    try:
        successor.wait_until_ready()
        assert query(successor, "SELECT answer FROM kept") == 42
        members = session_members(hub.home)
        assert sum(member.name() == "postgres" for member in members) >= 1
    finally:
        assert successor.stop() < 10
    assert living(successor) == []


def test_an_ordinary_user_can_run_a_hub(folder: Path) -> None:
    account = service_account()
    if account is None:
        pytest.skip("the tests run as an ordinary user, and so do their hubs")
    asked = subprocess.run(
        ["/usr/bin/test", "-x", sys.executable], check=False, **as_account(account)
    )
    if asked.returncode != 0:
        pytest.skip(f"{account.name} cannot run this Python")
    home = folder / "ordinary" / "home"
    home.parent.mkdir(mode=0o755)
    os.chown(home.parent, account.uid, account.gid)
    hub = start_hub(home, account=account, DEMO="0", PYTHONDONTWRITEBYTECODE="1")
    try:
        hub.wait_until_ready()
        owners = {member.uids().real for member in session_members(home)}
        assert owners == {account.uid}
    finally:
        assert hub.stop() < 10
    assert living(hub) == []
