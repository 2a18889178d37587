"""The frontend of the journey: it asks for predictions, posts thumbs and never stops asking."""

import http.client
import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote


@dataclass
class Frontend:
    """One caller of the REST API, on a connection of its own."""

    port: int
    project: str
    key: str

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and decoded answer of one call."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            return self.call_on(connection, method, path, body)
        finally:
            connection.close()

    def call_on(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: Any = None
    ) -> tuple[int, Any]:
        """As :meth:`call`, on a connection that stays open."""
        headers = {"Authorization": f"Api-Key {self.key}", "Content-Type": "application/json"}
        payload = None if body is None else json.dumps(body)
        connection.request(
            method, f"/api/v1/projects/{self.project}/{path}", body=payload, headers=headers
        )
        response = connection.getresponse()
        return response.status, json.loads(response.read())

    def predict(self, items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Answers to a batch, in order."""
        status, answer = self.call("POST", "predictions/batch", {"items": list(items)})
        assert status == 200, answer
        results: list[dict[str, Any]] = answer["results"]
        assert len(results) == len(items)
        return results

    def journey(self, event_id: str) -> dict[str, Any]:
        """What became of a feedback event."""
        status, answer = self.call("GET", f"feedback/{quote(event_id)}")
        assert status == 200, answer
        journey: dict[str, Any] = answer
        return journey


@dataclass(frozen=True)
class Asked:
    """One request of the constant caller."""

    sent_at: float
    status: int
    version: str


@dataclass
class Asking:
    """What the constant callers were answered so far; times are of the monotonic clock."""

    answers: list[Asked] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def versions_after(self, moment: float) -> set[str]:
        """The versions that answered requests sent after ``moment``."""
        return {asked.version for asked in list(self.answers) if asked.sent_at > moment}

    def count_after(self, moment: float) -> int:
        """How many requests were sent after ``moment``."""
        return sum(1 for asked in list(self.answers) if asked.sent_at > moment)


@contextmanager
def constant_asking(frontend: Frontend, *, callers: int) -> Iterator[Asking]:
    """Keep asking from several connections for as long as the block runs."""
    asking, stop = Asking(), threading.Event()
    threads = [
        threading.Thread(target=_ask, args=(frontend, asking, stop, number), daemon=True)
        for number in range(callers)
    ]
    for thread in threads:
        thread.start()
    try:
        yield asking
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=30)


def _ask(frontend: Frontend, asking: Asking, stop: threading.Event, number: int) -> None:
    asked = 0
    while not stop.is_set():
        # A new connection now and then, so that every web worker gets its turn.
        connection = http.client.HTTPConnection("127.0.0.1", frontend.port, timeout=30)
        try:
            for _ in range(10):
                sent_at, asked = time.monotonic(), asked + 1
                body = {"text": f"Good soup, take {asked}", "subject": f"caller-{number}-{asked}"}
                status, answer = frontend.call_on(connection, "POST", "predictions", body)
                if status == 200:
                    asking.answers.append(Asked(sent_at, status, answer["model_version"]))
                else:
                    asking.failures.append(f"{status}: {answer}")
                stop.wait(0.02)
        except (OSError, http.client.HTTPException, ValueError) as error:
            asking.failures.append(repr(error))
        finally:
            connection.close()
