"""Runs a command that cannot outlive the process that started it.

``python -I leash.py [--user NAME] [--signal INT] -- command …`` steps down to an unprivileged user,
asks the kernel for a signal when the parent dies, and becomes the command. It imports nothing of
ours, so that it costs a few milliseconds and runs from any working directory.
"""

import argparse
import ctypes
import os
import pwd
import signal
import sys
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG = 1


def leashed(command: list[str], *, user: str | None, on_death: signal.Signals) -> list[str]:
    """The command line that runs ``command`` on a leash."""
    step_down = ["--user", user] if user else []
    interpreter = [sys.executable, "-I", str(Path(__file__).resolve())]
    return [*interpreter, *step_down, "--signal", on_death.name[3:], "--", *command]


def die_with_parent(on_death: signal.Signals) -> Callable[[], None]:
    """A function for the child that binds its life to that of the parent calling this."""
    parent = os.getpid()

    def bind() -> None:
        follow_parent(on_death)
        if os.getppid() != parent:  # The parent died before the kernel knew of the wish.
            os.kill(os.getpid(), on_death)

    return bind


def follow_parent(on_death: signal.Signals) -> None:
    """Ask the kernel for a signal to this process when its parent dies (on Linux alone)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(on_death), 0, 0, 0)


def _step_down(name: str) -> None:
    account = pwd.getpwnam(name)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


def main() -> None:
    """Become the command given after ``--``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--user")
    parser.add_argument("--signal", default="TERM")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    parent = os.getppid()
    if options.user:
        _step_down(options.user)
    # After stepping down: a change of user makes the kernel forget the wish.
    follow_parent(signal.Signals[f"SIG{options.signal}"])
    if os.getppid() != parent:
        sys.exit(1)
    os.execvp(options.command[0], options.command)  # noqa: S606


if __name__ == "__main__":
    main()
