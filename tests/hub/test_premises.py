"""Where root's private servers live when their account cannot reach the home."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from feedbackhub import premises
from feedbackhub.embedded import Service, plan_postgres, wait_for_postgres
from feedbackhub.premises import (
    Account,
    CannotStart,
    as_account,
    data_folder,
    load_secrets,
    prepare_home,
    reachable_copy,
    service_account,
)


def ignore(line: str) -> None:
    """Nobody listens to progress here."""


@pytest.fixture
def account() -> Account:
    account = service_account()
    if account is None:
        pytest.skip("only root steps down to another account")
    return account


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A folder that only root may enter, as ``/root`` is."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """In place of /var/lib/feedbackhub."""
    with tempfile.TemporaryDirectory(prefix="feedbackhub-elsewhere-") as folder:
        monkeypatch.setattr(premises, "ELSEWHERE", Path(folder))
        yield Path(folder)


def test_a_closed_home_keeps_its_data_elsewhere_and_says_so(
    account: Account, closed: Path, elsewhere: Path
) -> None:
    home, said = closed / "home", []
    prepare_home(home, account=account)
    folder = data_folder(home, account=account, say=said.append)
    assert folder.parent == elsewhere
    assert str(folder) in said[0]
    assert closed.stat().st_mode & 0o777 == 0o700
    assert data_folder(home, account=account, say=said.append) == folder
    assert len(said) == 1


@pytest.mark.usefixtures("elsewhere")
def test_postgres_of_a_closed_home_starts(account: Account, closed: Path) -> None:
    home = closed / "home"
    prepare_home(home, account=account)
    service = plan_postgres(home, account=account, say=ignore, careless=True)
    with _started(service, closed / "log") as process:
        wait_for_postgres(service, alive=lambda: process.poll() is None, say=ignore)


def test_programs_in_a_closed_folder_are_copied_once_for_everyone(
    account: Account, closed: Path, elsewhere: Path
) -> None:
    site, parts = closed / "site", ("wheel/bin", "wheel.libs")
    for part in parts:
        (site / part).mkdir(parents=True, mode=0o700)
    (site / "wheel.libs" / "words").write_text("ran")
    program = site / "wheel" / "bin" / "program"
    program.write_text('#!/bin/sh\ncat "$(dirname "$0")/../../wheel.libs/words"\n')
    program.chmod(0o700)

    def copy() -> Path:
        return reachable_copy(
            site, parts=parts, program="wheel/bin/program", key="wheel-1", account=account
        )

    assert copy() == elsewhere / "wheel-1"
    ran = subprocess.run(
        [copy() / "wheel" / "bin" / "program"], capture_output=True, **as_account(account)
    )
    assert ran.stdout == b"ran"


def test_data_that_is_gone_is_said_in_words(tmp_path: Path) -> None:
    prepare_home(tmp_path / "home", account=None)
    (tmp_path / "home" / "data").symlink_to(tmp_path / "gone")
    with pytest.raises(CannotStart, match="is gone"):
        data_folder(tmp_path / "home", account=None, say=ignore)


def test_secrets_are_made_once_and_differ_between_homes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        prepare_home(tmp_path / name, account=None)
    first = load_secrets(tmp_path / "one")
    assert load_secrets(tmp_path / "one") == first
    assert not set(first.values()) & set(load_secrets(tmp_path / "two").values())
    assert len(set(first.values())) == len(first)


def test_a_stale_lock_of_another_program_does_not_keep_postgres_from_starting(
    tmp_path: Path,
) -> None:
    with tempfile.TemporaryDirectory(prefix="feedbackhub-stale-") as folder:
        Path(folder).chmod(0o711)
        home, account = Path(folder) / "home", service_account()
        prepare_home(home, account=account)
        plan_postgres(home, account=account, say=ignore, careless=True)
        # As after a reboot: the number in the lock is now this test's.
        lock = home / "data" / "postgres" / "postmaster.pid"
        lock.write_text(f"{os.getpid()}\n{lock.parent}\n1\n5432\n\n127.0.0.1\n")
        service = plan_postgres(home, account=account, say=ignore, careless=True)
        with _started(service, tmp_path / "log") as process:
            wait_for_postgres(service, alive=lambda: process.poll() is None, say=ignore)


@contextmanager
def _started(service: Service, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = service.start(log=log, on_death=signal.SIGQUIT)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(timeout=20)
