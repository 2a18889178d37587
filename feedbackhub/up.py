"""``make run``: from a home folder to a working hub, and back to nothing on Ctrl-C.

This runs before Django: it decides the database and the secrets that the settings insist on, writes
them to the home's ``hub.env`` for commands in other terminals, and hands them to the children.
"""

import fcntl
import http.client
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO, NoReturn

from feedbackhub.embedded import (
    Service,
    plan_postgres,
    plan_redis,
    port_is_free,
    wait_for_postgres,
    wait_for_redis,
)
from feedbackhub.environment import HUB_ENV, BadEnvironment, Environment, read_environment
from feedbackhub.leash import die_with_parent
from feedbackhub.premises import (
    CannotStart,
    load_secrets,
    prepare_home,
    service_account,
    write_private,
)
from feedbackhub.serve import FRUGAL, commands
from feedbackhub.supervision import CHECKOUT, Program, Supervisor, end_session

SHARED = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SUBJECT_HASH_KEY", "HOST", "PORT")
STOP_WITHIN_S = 8.5
READY_WITHIN_S = 120


class Stopped(BaseException):
    """A signal asked the hub to stop."""


def main() -> None:
    """Run the hub until a signal; exit code 0 after one, 1 with one line when it cannot run."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop_on_signal)
    try:
        _run()
    except Stopped:
        return
    except (CannotStart, BadEnvironment) as error:
        print(f"feedbackhub: {error}", file=sys.stderr)
        sys.exit(1)


def _run() -> NoReturn:
    os.umask(0o077)
    home = Path(os.environ.get("FEEDBACKHUB_HOME") or ".feedbackhub").expanduser().resolve()
    account = service_account()
    _check_variables(home)
    prepare_home(home, account=account)
    with _sole_hub(home):
        if end_session(home, patience_s=STOP_WITHIN_S):
            say("An earlier hub on this home had not ended; it has now")
        services = _plan_services(home)
        environment = _settle_environment(home, services)
        _check_port(environment)
        variables = _child_variables(home)
        programs = [*_service_programs(services), *_hub_programs(environment)]
        supervisor = Supervisor(home=home, programs=programs, variables=variables)
        try:
            _bring_up(home, environment, services, supervisor, variables)
            _watch(supervisor)
        finally:
            _bring_down(home, supervisor)


def say(line: str) -> None:
    """A line of progress."""
    print(f"  {line}", flush=True)


def _stop_on_signal(number: int, frame: FrameType | None) -> None:
    # Once is enough: stopping must not be interrupted half-way by impatience.
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)
    raise Stopped


def _check_variables(home: Path) -> None:
    """Refuse nonsense before anything is created."""
    pending = {
        "DATABASE_URL": "postgresql://pending",
        "REDIS_URL": "redis://pending",
        "SECRET_KEY": "pending" * 6,
        "SUBJECT_HASH_KEY": "pending" * 6,
    }
    read_environment({**pending, **_given(), "FEEDBACKHUB_HOME": str(home)})


def _given() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if value != ""}


@contextmanager
def _sole_hub(home: Path) -> Iterator[None]:
    """Hold the home's lock; the kernel lets go of it however this process ends."""
    path = home / "run" / "lock"
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise CannotStart(
                f"A hub already runs on {home} (process {lock.read().strip()})."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _plan_services(home: Path) -> list[Service]:
    """The private servers this hub needs: none for which the environment names a real one."""
    account = service_account()
    services = []
    if not os.environ.get("DATABASE_URL"):
        if not (home / "data").exists():
            say("creating a database")
        services.append(plan_postgres(home, account=account, say=say))
    if not os.environ.get("REDIS_URL"):
        services.append(plan_redis(home, account=account, say=say))
    return services


def _settle_environment(home: Path, services: list[Service]) -> Environment:
    """Put every variable in place for the children, and on file for other terminals."""
    secrets = load_secrets(home)
    for name in ("SECRET_KEY", "SUBJECT_HASH_KEY"):
        os.environ[name] = os.environ.get(name) or secrets[name]
    for service in services:
        os.environ["DATABASE_URL" if service.name == "postgres" else "REDIS_URL"] = service.url
    os.environ["FEEDBACKHUB_HOME"] = str(home)
    environment = read_environment(
        {name: value for name, value in _given().items() if name not in ("HOST", "PORT")}
        | {name: os.environ.get(name) or default for name, default in _ADDRESS.items()}
    )
    os.environ |= {"HOST": environment.host, "PORT": str(environment.port)}
    write_private(home / HUB_ENV, {name: os.environ[name] for name in SHARED})
    return environment


# The last start's address stands in hub.env; a start without PORT means the usual one, not that.
_ADDRESS = {"HOST": "127.0.0.1", "PORT": "8000"}


def _check_port(environment: Environment) -> None:
    if not port_is_free(environment.host, environment.port):
        raise CannotStart(
            f"Port {environment.port} on {environment.host} is in use; "
            "choose another, as in `PORT=8001 make run`."
        )


def _child_variables(home: Path) -> dict[str, str]:
    metrics = home / "run" / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir()
    return {
        **FRUGAL,
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "feedbackhub.settings",
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        "PYTHONUNBUFFERED": "1",
    }


def _service_programs(services: list[Service]) -> list[Program]:
    return [
        Program(
            name=service.name,
            command=service.command,
            rank=1 if service.name == "postgres" else 2,
            stop_signal=service.stop_signal,
            stop_wait_s=2,
            user=service.account.name if service.account else None,
            starts_at_once=True,
        )
        for service in services
    ]


def _hub_programs(environment: Environment) -> list[Program]:
    return [
        Program(name=name, command=command, rank=3, stop_signal=signal.SIGTERM, stop_wait_s=4)
        for name, command in commands(environment).items()
    ]


def _bring_up(
    home: Path,
    environment: Environment,
    services: list[Service],
    supervisor: Supervisor,
    variables: dict[str, str],
) -> None:
    started = time.monotonic()
    for service in services:
        if service.name == "postgres":
            wait_for_postgres(service, alive=lambda: supervisor.is_running("postgres"), say=say)
        else:
            wait_for_redis(service, alive=lambda: supervisor.is_running("redis"))
        say(f"{service.name} is up")
    _manage("migrate", "--noinput", home=home, variables=variables)
    say("the database schema is current")
    if environment.demo and not (home / "demo.json").exists() and _has_command("demo"):
        say("filling an empty hub with the demo project")
        _manage("demo", "--alone", home=home, variables=variables, shown=True)
    supervisor.start_rest()
    _wait_until_ready(environment, supervisor)
    _welcome(home, environment, seconds=time.monotonic() - started)


def _has_command(name: str) -> bool:
    return importlib.util.find_spec(f"feedbackhub.management.commands.{name}") is not None


def _manage(*words: str, home: Path, variables: dict[str, str], shown: bool = False) -> None:
    """Run a management command to its end; its words go to a log unless they are to be shown."""
    log = home / "logs" / f"{words[0]}.log"
    with log.open("ab") as output:
        target: IO[bytes] | None = None if shown else output
        child = subprocess.Popen(  # noqa: S603
            [sys.executable, str(CHECKOUT / "manage.py"), *words],
            cwd=CHECKOUT,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=target,
            stderr=target,
            # Ctrl-C in the terminal is for this process, which then ends the child.
            process_group=0,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509
        )
    try:
        code = child.wait()
    except Stopped:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        raise
    if code != 0:
        where = "its words above" if shown else log
        raise CannotStart(f"`manage.py {' '.join(words)}` failed with code {code}; see {where}.")


def _wait_until_ready(environment: Environment, supervisor: Supervisor) -> None:
    """Return once the hub serves; without a champion it serves its pages, only no predictions."""
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if supervisor.process.poll() is not None:
            raise CannotStart("The supervisor ended; see logs/supervisor.log.")
        if _database_check(environment) == "ok":
            return
        time.sleep(0.1)
    raise CannotStart(f"The web server is not ready after {READY_WITHIN_S} s; see logs/web.log.")


def _database_check(environment: Environment) -> str:
    connection = http.client.HTTPConnection(_reachable_host(environment), environment.port, 5)
    try:
        connection.request("GET", "/readyz", headers={"X-Forwarded-Proto": "https"})
        answer = json.load(connection.getresponse())
        return str(answer["checks"]["database"])
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return "no answer"
    finally:
        connection.close()


def _reachable_host(environment: Environment) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(environment.host, environment.host)  # noqa: S104


def _welcome(home: Path, environment: Environment, *, seconds: float) -> None:
    host = _reachable_host(environment)
    address = f"http://{f'[{host}]' if ':' in host else host}:{environment.port}/"
    print(f"\nfeedbackhub is ready after {seconds:.0f} s: {address}")
    if (home / "demo.json").exists():
        print(f"Users, passwords and an API key to try: {home / 'demo.json'}")
    else:
        print("No demo was made. Users: manage.py createsuperuser; samples: import_samples.")
    print("Ctrl-C stops it.", flush=True)


def _watch(supervisor: Supervisor) -> NoReturn:
    """Stay until a signal; say which child is in trouble, once each time it gets there."""
    known: set[str] = set()
    while True:
        time.sleep(1)
        if supervisor.process.poll() is not None:
            raise CannotStart("The supervisor ended; see logs/supervisor.log.")
        failing = set(supervisor.failing())
        for name in sorted(failing - known):
            say(f"{name} is failing and will be started again; see logs/{name}.log")
        known = failing


def _bring_down(home: Path, supervisor: Supervisor) -> None:
    """Stop everything in order within the time a terminal user is ready to wait."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    print("\nStopping.", flush=True)
    supervisor.process.terminate()
    end_session(home, patience_s=STOP_WITHIN_S)
    supervisor.process.wait(timeout=5)


if __name__ == "__main__":
    main()
