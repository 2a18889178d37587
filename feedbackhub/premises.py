"""The home folder: who may read it, its secrets, and where the private servers keep their data.

Postgres refuses to run as root, so a hub started by root runs its private servers as an
unprivileged account. That account must reach its data and the server binaries; folders above the
home are never opened for it. Where it cannot reach them (a checkout under ``/root``), data and
binaries go to ``/var/lib/feedbackhub`` and the home keeps a link.
"""

import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from feedbackhub.environment import read_env_file

SECRETS_FILE = "secrets.env"
ELSEWHERE = Path("/var/lib/feedbackhub")
# In order of preference; the last exists on every Unix.
ACCOUNTS = ("feedbackhub", "postgres", "nobody")
SECRETS = ("SECRET_KEY", "SUBJECT_HASH_KEY", "POSTGRES_PASSWORD", "HUB_PASSWORD", "REDIS_PASSWORD")

Say = Callable[[str], None]


class CannotStart(Exception):
    """The hub cannot start; the message is one line for the person at the terminal."""


@dataclass(frozen=True)
class Account:
    """The unprivileged user that runs the private servers when root starts the hub."""

    name: str
    uid: int
    gid: int


def service_account() -> Account | None:
    """The account to step down to, or None when the hub itself is unprivileged."""
    if os.geteuid() != 0:
        return None
    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise CannotStart(f"Postgres refuses to run as root, and none of {', '.join(ACCOUNTS)} exists.")


class StepDown(TypedDict):
    """What ``subprocess`` needs to run a child as someone else."""

    user: int | None
    group: int | None
    extra_groups: list[str | int] | None


def as_account(account: Account | None) -> StepDown:
    """Keyword arguments that make ``subprocess`` run a child as the account; as us for None."""
    if account is None:
        return {"user": None, "group": None, "extra_groups": None}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def prepare_home(home: Path, *, account: Account | None) -> None:
    """Create the home, readable by its owner alone; the service account may only walk through."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        if account is not None:
            os.chown(home, -1, account.gid)
        home.chmod(0o700 if account is None else 0o710)
        for folder in ("logs", "run", "artifacts", "static"):
            (home / folder).mkdir(mode=0o700, exist_ok=True)
        probe = home / "run" / "probe"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise CannotStart(
            f"FEEDBACKHUB_HOME {home} cannot be used: {error.strerror} ({error.filename})."
        ) from None


def load_secrets(home: Path) -> dict[str, str]:
    """The secrets of this home, generated once. Losing the file makes stored subjects strangers."""
    path = home / SECRETS_FILE
    known = read_env_file(path)
    complete = {name: known.get(name) or secrets.token_urlsafe(48) for name in SECRETS}
    if complete != known:
        write_private(path, complete)
    return complete


def write_private(path: Path, values: dict[str, str]) -> None:
    """Write ``NAME=value`` lines for the owner alone, all or nothing."""
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.writelines(f"{name}={value}\n" for name, value in values.items())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def data_folder(home: Path, *, account: Account | None, say: Say) -> Path:
    """Where the private servers keep their data: in the home when their account can reach it."""
    link = home / "data"
    if not link.exists() and not link.is_symlink():
        if account is None or _reaches(account, home):
            link.mkdir(mode=0o700)
        else:
            folder = ELSEWHERE / f"data-{secrets.token_hex(6)}"
            _shared_root().joinpath(folder.name).mkdir(mode=0o700)
            link.symlink_to(folder)
            say(f"{account.name} cannot reach {home}; the database lives in {folder}")
    folder = link.resolve()
    if not folder.is_dir():
        raise CannotStart(f"The data folder {folder} of {home} is gone.")
    if account is not None:
        os.chown(folder, account.uid, account.gid)
    return folder


def reachable_copy(
    site: Path, *, parts: tuple[str, ...], program: str, key: str, account: Account | None
) -> Path:
    """The folder under which the account can run ``program``: ``site``, or a copy of its ``parts``.

    The copy is made once and readable by everyone. Parts keep their places, because a wheel's
    programs look for their libraries in a folder beside them.
    """
    if account is None or _runs(account, site / program):
        return site
    copy = _shared_root() / key
    if not copy.exists():
        draft = ELSEWHERE / f".{key}-{os.getpid()}"
        for part in parts:
            if (site / part).exists():
                shutil.copytree(site / part, draft / part)
        for path in [draft, *draft.rglob("*")]:
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        draft.rename(copy)
    return copy


def hand_over(path: Path, *, account: Account | None, mode: int) -> None:
    """Give a file or folder to the service account."""
    path.chmod(mode)
    if account is not None:
        os.chown(path, account.uid, account.gid)


def _shared_root() -> Path:
    ELSEWHERE.mkdir(parents=True, exist_ok=True)
    ELSEWHERE.chmod(0o755)
    return ELSEWHERE


def _reaches(account: Account, path: Path) -> bool:
    """Whether the account itself may walk into ``path``; asked as that account."""
    asked = subprocess.run(  # noqa: S603
        ["/usr/bin/test", "-x", str(path)],
        check=False,
        **as_account(account),
    )
    return asked.returncode == 0


def _runs(account: Account, program: Path) -> bool:
    try:
        asked = subprocess.run(  # noqa: S603
            [str(program), "--version"], capture_output=True, check=False, **as_account(account)
        )
    except PermissionError:
        return False
    return asked.returncode == 0
