"""The hub's web server beside a bench's database, and clients that cost next to nothing."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier

from feedbackhub.embedded import free_port, plan_redis, port_is_free, wait_for_redis
from feedbackhub.leash import die_with_parent
from feedbackhub.premises import service_account

START_PATIENCE_S = 60
LOG_SHOWN = 8_000


@contextmanager
def web_server() -> Iterator[int]:
    """The port of a server started as production starts it, with two workers, and its Redis.

    To be used within :func:`bench._database.database`.
    """
    home = Path(os.environ["FEEDBACKHUB_HOME"])
    service = plan_redis(home, account=service_account(), say=lambda *_: None)
    redis = service.start(log=home / "logs" / "redis.log", on_death=signal.SIGKILL)
    web = None
    try:
        wait_for_redis(service, alive=lambda: redis.poll() is None)
        port = free_port()
        web = _start(home, port=port, redis_url=service.url)
        deadline = time.monotonic() + START_PATIENCE_S
        while port_is_free("127.0.0.1", port):
            if web.poll() is not None or time.monotonic() > deadline:
                sys.exit((home / "logs" / "web.log").read_text())
            time.sleep(0.1)
        yield port
    except RuntimeError:
        # What the server says of it would be gone with its home.
        print((home / "logs" / "web.log").read_text()[-LOG_SHOWN:], file=sys.stderr)
        raise
    finally:
        for child in filter(None, (web, redis)):
            child.terminate()
            child.wait(timeout=30)


def _start(home: Path, *, port: int, redis_url: str) -> subprocess.Popen[bytes]:
    variables = {
        "DJANGO_SETTINGS_MODULE": "bench._settings",
        "PORT": str(port),
        "REDIS_URL": redis_url,
        "WEB_WORKERS": "2",
    }
    with (home / "logs" / "web.log").open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "feedbackhub.serve", "web"],
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509
        )


def request(method: str, path: str, *, key: str = "", body: bytes = b"") -> bytes:
    """A whole request, encoded before anything is timed."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"Authorization: Api-Key {key}"] if key else []
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def send_all(port: int, requests: Sequence[bytes], *, connections: int) -> float:
    """Seconds in which so many clients, each waiting for its answers, send all requests.

    Raises when an answer is not 2xx. A thread a client: they wait in the kernel, not for Python.
    """
    start = Barrier(connections + 1)
    with ThreadPoolExecutor(connections) as pool:
        clients = [
            pool.submit(_converse, port, requests[number::connections], start)
            for number in range(connections)
        ]
        start.wait()
        started = time.perf_counter()
        for client in clients:
            client.result()
        return time.perf_counter() - started


def _converse(port: int, requests: Sequence[bytes], start: Barrier) -> None:
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        start.wait()
        for one in requests:
            line.sendall(one)
            _hear_out(line)


def _hear_out(line: socket.socket) -> None:
    heard = line.recv(65536)
    while b"\r\n\r\n" not in heard:
        heard += _more(line)
    head, _, body = heard.partition(b"\r\n\r\n")
    _, _, length = head.lower().partition(b"content-length: ")
    while len(body) < int(length.partition(b"\r\n")[0]):
        body += _more(line)
    if not head.startswith(b"HTTP/1.1 2"):
        raise RuntimeError(f"{head.decode()}\n{body[:1000].decode()}")


def _more(line: socket.socket) -> bytes:
    heard = line.recv(65536)
    if not heard:
        raise RuntimeError("The server hung up.")
    return heard
