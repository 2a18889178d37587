"""The one supervisor that watches over every process of a running hub.

``supervisor`` restarts a child with back-off, stops groups in order (the hub, Redis, Postgres last)
and kills by process group. It runs as the leader of its own session, so that whatever it started,
however deep, can be found and ended even after a ``kill -9`` of any process in between.
"""

import http.client
import os
import secrets
import shlex
import signal
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from feedbackhub.embedded import free_port
from feedbackhub.environment import read_env_file
from feedbackhub.leash import die_with_parent, leashed
from feedbackhub.premises import CannotStart, write_private

CHECKOUT = Path(__file__).resolve().parent.parent
SESSION = Path("run") / "session.env"
CONTROL_USER = "hub"

_HEAD = """\
[supervisord]
nodaemon=true
silent=true
umask=077
user={user_name}
logfile={home}/logs/supervisor.log
logfile_maxbytes=5MB
logfile_backups=2
pidfile={home}/run/supervisord.pid

[inet_http_server]
port=127.0.0.1:{port}
username={user}
password={password}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
_PROGRAM = """
[program:{name}]
command={command}
directory={directory}
priority={priority}
autostart={autostart}
autorestart=true
startsecs=1
startretries=1000
stopsignal={stop_signal}
stopwaitsecs={stop_wait_s}
stopasgroup=false
killasgroup=true
redirect_stderr=true
stdout_logfile={home}/logs/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
"""
_GROUP = """
[group:{name}]
programs={programs}
priority={priority}
"""


@dataclass(frozen=True)
class Program:
    """One process to keep alive."""

    name: str
    command: tuple[str, ...]
    # Lower starts earlier and stops later; programs of one number stop together.
    rank: int
    stop_signal: signal.Signals
    stop_wait_s: int
    user: str | None = None
    starts_at_once: bool = False


class Supervisor:
    """A running supervisor and the line to talk to it."""

    def __init__(
        self, *, home: Path, programs: list[Program], variables: Mapping[str, str]
    ) -> None:
        """Start it; programs that do not start at once wait for :meth:`start_rest`."""
        password = secrets.token_urlsafe(24)
        port = free_port()
        self._programs = programs
        config = home / "run" / "supervisor.conf"
        write_text_private(config, _config(home, programs, port=port, password=password))
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-W", "ignore", "-m", "supervisor.supervisord", "-c", str(config)],
            cwd=CHECKOUT,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509
        )
        _remember_session(home, self.process.pid)
        self._control: Any = xmlrpc.client.ServerProxy(
            f"http://{CONTROL_USER}:{password}@127.0.0.1:{port}/RPC2"
        ).supervisor
        self._wait_for_control()

    def _wait_for_control(self) -> None:
        deadline = time.monotonic() + 20
        while True:
            try:
                self._control.getState()
                return
            except (OSError, xmlrpc.client.Error):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise CannotStart(
                        "The supervisor did not start; see logs/supervisor.log."
                    ) from None
                time.sleep(0.05)

    def is_running(self, name: str) -> bool:
        """Whether the program lives or is about to; False once it has failed to start."""
        return self._state(name) in ("STARTING", "RUNNING")

    def failing(self) -> list[str]:
        """Names of programs that should run and do not; none from a supervisor that is ending."""
        try:
            known = self._control.getAllProcessInfo()
        except (OSError, http.client.HTTPException, xmlrpc.client.Error):
            return []
        return [one["name"] for one in known if one["statename"] in ("BACKOFF", "FATAL", "EXITED")]

    def start_rest(self) -> None:
        """Start the programs that waited."""
        for program in self._programs:
            if not program.starts_at_once:
                self._control.startProcess(_address(program), False)

    def _state(self, name: str) -> str:
        program = next(one for one in self._programs if one.name == name)
        try:
            state: str = self._control.getProcessInfo(_address(program))["statename"]
        except (OSError, http.client.HTTPException, xmlrpc.client.Error):
            return "UNKNOWN"
        return state


def _config(home: Path, programs: list[Program], *, port: int, password: str) -> str:
    text = _HEAD.format(
        home=_escaped(home),
        user_name=os.geteuid(),
        port=port,
        user=CONTROL_USER,
        password=password,
    )
    for program in programs:
        command = leashed(list(program.command), user=program.user, on_death=program.stop_signal)
        text += _PROGRAM.format(
            name=program.name,
            command=_escaped(shlex.join(command)),
            directory=_escaped(CHECKOUT),
            home=_escaped(home),
            priority=program.rank,
            autostart=str(program.starts_at_once).lower(),
            stop_signal=program.stop_signal.name[3:],
            stop_wait_s=program.stop_wait_s,
        )
    for rank in sorted({program.rank for program in programs}):
        names = ",".join(program.name for program in programs if program.rank == rank)
        text += _GROUP.format(name=f"rank{rank}", programs=names, priority=rank)
    return text


def _escaped(value: object) -> str:
    # Supervisor expands %(…)s everywhere in its file.
    return str(value).replace("%", "%%")


def _address(program: Program) -> str:
    return f"rank{program.rank}:{program.name}"


def write_text_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _remember_session(home: Path, leader: int) -> None:
    born = psutil.Process(leader).create_time()
    write_private(home / SESSION, {"leader": str(leader), "born": f"{born:.2f}"})


def session_members(home: Path) -> list[psutil.Process]:
    """Living processes of the supervisor last started on this home, Postgres first."""
    known = read_env_file(home / SESSION)
    if not known:
        return []
    leader, born = int(known["leader"]), float(known["born"])
    members = [one for one in psutil.process_iter() if _session_of(one.pid) == leader]
    for member in members:
        # A number given to another program since (a reboot, a new container) is none of ours.
        if member.pid == leader and abs(_born(member) - born) > 0.5:
            return []
    return [one for one in members if _born(one) >= born - 0.5 and not _is_zombie(one)]


def end_session(home: Path, *, patience_s: float) -> bool:
    """Wait for the supervisor's processes to end, then kill what is left; True if any was there."""
    members = session_members(home)
    if not members:
        return False
    deadline = time.monotonic() + patience_s
    while members and time.monotonic() < deadline:
        time.sleep(0.05)
        members = session_members(home)
    for member in members:
        # Postgres quits at once and recovers on its next start; SIGKILL would leave its shared
        # memory behind.
        _signal(member, signal.SIGQUIT if _name(member) == "postgres" else signal.SIGKILL)
    psutil.wait_procs(members, timeout=5)
    return True


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _born(process: psutil.Process) -> float:
    try:
        return float(process.create_time())
    except psutil.Error:
        return 0.0


def _name(process: psutil.Process) -> str:
    try:
        return str(process.name())
    except psutil.Error:
        return ""


def _is_zombie(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return True


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.Error:
        return
