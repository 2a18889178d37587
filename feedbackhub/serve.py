"""The processes of a hub: ``python -m feedbackhub.serve web|ticks|training|beat`` becomes one.

``make run`` puts all of them under its supervisor; in containers each is one service.
"""

import os
import sys
import tempfile

from feedbackhub.environment import Environment, read_environment

# One arithmetic thread a process: several processes share few cores.
FRUGAL = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
}


def commands(environment: Environment) -> dict[str, tuple[str, ...]]:
    """The command line of every process, by name."""
    python = (sys.executable, "-m")
    celery = (*python, "celery", "-A", "feedbackhub")
    worker = (*celery, "worker", "--without-gossip", "--without-mingle", "--loglevel", "WARNING")
    return {
        "web": (*python, "granian", "feedbackhub.wsgi:application", *_web_options(environment)),
        "ticks": (*worker, "--queues", "ticks", "--concurrency", "2", "-n", "ticks@%h"),
        "training": (*worker, "--queues", "training", "--concurrency", "1", "-n", "training@%h"),
        "beat": (*celery, "beat", "--pidfile=", "--loglevel", "WARNING"),
    }


def _web_options(environment: Environment) -> tuple[str, ...]:
    return (
        "--interface", "wsgi", "--no-ws", "--log-level", "warning",
        "--host", environment.host, "--port", str(environment.port),
        "--workers", str(environment.web_workers),
        "--blocking-threads", str(environment.web_threads),
        # A thread holds a database connection, so idle ones are kept rather than made anew.
        "--blocking-threads-idle-timeout", "600",
        # What the threads cannot take at once waits here, and past that in the kernel's line.
        "--backpressure", "256", "--backlog", "1024",
        # A killed worker comes back; a stopping one may finish its requests.
        "--respawn-failed-workers", "--workers-kill-timeout", "3",
    )  # fmt: skip


def main() -> None:
    """Become the named process; several web workers share the folder of their metrics."""
    known = commands(read_environment())
    name = sys.argv[1] if len(sys.argv) == 2 else ""
    if name not in known:
        sys.exit(f"usage: python -m feedbackhub.serve {'|'.join(known)}")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedbackhub.settings")
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="feedbackhub-metrics-")
    for variable, value in FRUGAL.items():
        os.environ.setdefault(variable, value)
    os.execv(known[name][0], known[name])  # noqa: S606


if __name__ == "__main__":
    main()
