"""Models in memory: loaded once in each process, one at a time, away from the requests."""

import logging
import threading
import time
from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rollout.serving.metrics import LOAD_FAILURES
from rollout.serving.scorer import Scorer, compile_scorer
from training import artifacts

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_ATTEMPTS = 10.0


@dataclass(frozen=True)
class ServedVersion:
    """A model version as serving knows it."""

    id: int
    name: str
    """Such as ``v14``; written into predictions."""
    path: Path
    sha256: str


@dataclass(frozen=True)
class LoadFailure:
    """Why a version could not be loaded in this process."""

    version: ServedVersion
    error: str
    retry_at: float
    """Monotonic seconds before which nobody tries again."""


class ModelCache:
    """Scorers by the hash of their file. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scorers: dict[str, Scorer] = {}
        self._loading: dict[str, Future[None]] = {}
        self._failures: dict[str, LoadFailure] = {}

    def get(self, version: ServedVersion) -> Scorer | None:
        """The scorer of a version that is loaded; None otherwise."""
        return self._scorers.get(version.sha256)

    def load(self, version: ServedVersion) -> Future[None] | None:
        """Load a version in the background; done when it is loaded or has failed.

        None when there is nothing to wait for: it is loaded, or failed a moment ago.
        """
        with self._lock:
            if version.sha256 in self._scorers:
                return None
            failure = self._failures.get(version.sha256)
            if failure is not None and failure.retry_at > time.monotonic():
                return None
            future = self._loading.get(version.sha256)
            if future is None:
                future = _loader().submit(self._load, version)
                self._loading[version.sha256] = future
            return future

    def failures(self) -> list[LoadFailure]:
        """Versions whose last attempt to load failed in this process."""
        return list(self._failures.values())

    def keep_only(self, sha256s: Collection[str]) -> None:
        """Let go of every model that is not among these."""
        with self._lock:
            for known in (self._scorers, self._failures):
                for sha256 in set(known) - set(sha256s):
                    del known[sha256]

    def _load(self, version: ServedVersion) -> None:
        try:
            scorer = compile_scorer(artifacts.load(version.path, sha256=version.sha256))
        # Whatever is wrong with a file, it must not take serving down.
        except Exception as error:
            self._fail(version, error)
            return
        with self._lock:
            self._scorers[version.sha256] = scorer
            self._failures.pop(version.sha256, None)
            del self._loading[version.sha256]

    def _fail(self, version: ServedVersion, error: Exception) -> None:
        logger.exception("Model version %s cannot be loaded.", version.name)
        LOAD_FAILURES.labels(version.name).inc()
        retry_at = time.monotonic() + SECONDS_BETWEEN_ATTEMPTS
        with self._lock:
            self._failures[version.sha256] = LoadFailure(version, str(error), retry_at)
            del self._loading[version.sha256]


@cache
def _loader() -> ThreadPoolExecutor:
    """One thread: loading must not crowd out answering. Made on first use, so after any fork."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="model-loader")
