"""A frontend that posts feedback and sends again, with the same ids, what nobody acknowledged."""

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

CLIENTS = 4
TEXTS = 200
PATIENCE_S = 120
# A request that was cut off is sent again after a moment; some are given up instead.
PAUSE_S = 0.05
ATTEMPT_S = 15


@dataclass(frozen=True)
class Request:
    """One or many events, and whether their sender would send them again."""

    events: tuple[dict[str, Any], ...]
    is_repeated: bool

    @property
    def is_batch(self) -> bool:
        """Whether it goes to the batch endpoint."""
        return len(self.events) > 1


@dataclass
class Tally:
    """What the senders saw; each field is guarded by the lock."""

    acknowledged: set[str] = field(default_factory=set)
    given_up: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    broken: int = 0
    """Attempts without any answer."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, request: Request, status: int | None) -> None:
        """Count one attempt."""
        ids = {event["event_id"] for event in request.events}
        with self.lock:
            if status is None:
                self.broken += 1
            else:
                self.statuses[status] += 1
            if status in (200, 201):
                self.acknowledged |= ids
            elif not request.is_repeated:
                self.given_up |= ids


def requests(*, count: int, batch: int) -> list[Request]:
    """``count`` events: half in batches, half one by one; one request in ten is never repeated."""
    events = [
        {
            "event_id": f"event-{number}",
            "rating": "down" if number % 3 else "up",
            "subject": f"subject-{number}",
            "prediction": {
                "text": f"The soup of day {number % TEXTS} was quite something.",
                "label": "positive",
            },
        }
        for number in range(count)
    ]
    half = count // 2
    parts = [events[start : start + batch] for start in range(0, half, batch)]
    parts += [[event] for event in events[half:]]
    # Batches and single events take turns.
    random.Random(7).shuffle(parts)
    return [Request(tuple(part), is_repeated=turn % 10 > 0) for turn, part in enumerate(parts)]


def send_all(*, port: int, project: str, key: str, todo: Sequence[Request], tally: Tally) -> None:
    """Send every request from several clients until it is acknowledged or given up."""
    shares = [todo[first::CLIENTS] for first in range(CLIENTS)]

    def work(share: Sequence[Request]) -> None:
        _Client(port=port, project=project, key=key, tally=tally).send_all(share)

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(work, shares))


class _Client:
    """One keep-alive connection, made anew whenever it breaks."""

    def __init__(self, *, port: int, project: str, key: str, tally: Tally) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ATTEMPT_S)
        self._base = f"/api/v1/projects/{project}/feedback"
        self._headers = {"Authorization": f"Api-Key {key}", "Content-Type": "application/json"}
        self._tally = tally

    def send_all(self, share: Sequence[Request]) -> None:
        try:
            for request in share:
                self._send(request)
        finally:
            self._connection.close()

    def _send(self, request: Request) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            status = self._attempt(request)
            self._tally.note(request, status)
            if status in (200, 201) or not request.is_repeated:
                return
            assert time.monotonic() < deadline, f"the hub does not come back: {status}"
            time.sleep(PAUSE_S)

    def _attempt(self, request: Request) -> int | None:
        address = self._base + ("/batch" if request.is_batch else "")
        body = json.dumps(request.events if request.is_batch else request.events[0])
        try:
            self._connection.request("POST", address, body, self._headers)
            response = self._connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return None
        if request.is_batch and response.status == 200:
            report = json.loads(answer)
            assert report["accepted"] + report["duplicates"] == len(request.events), report
        return response.status
