"""A fresh process that loads a model file as a web worker would, answers queries, and times it.

``python -m training.gates.probe`` reads one request as JSON from standard input and writes one
reply to standard output; :func:`run_probe` is the other end. The process gets none of the hub's
environment: it opens a file that nobody has vouched for in use yet, and needs no secret to do so.

Latency is measured in pairs: candidate and champion answer the same text one right after the
other, in alternating order, so that a busy moment of the machine meets both.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from training.artifacts import BadArtifact, load
from training.fingerprints import fingerprint
from training.gates.base import Claim

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

BLOCKS = 7
ROUNDS = 8
ROOT = Path(__file__).resolve().parents[2]
PASSED_ON = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "TMPDIR", "HOME")


class ProbeFailed(Exception):
    """The process ended with an error or answered nonsense; the message says which."""


class ProbeStopped(ProbeFailed):
    """It ran out of time or memory, or was killed: perhaps the machine's doing, not the file's."""


def run_probe(
    *, candidate: Claim, champion: Claim | None, texts: Sequence[str], timeout_s: float
) -> dict[str, Any]:
    """The fresh process's reply: what each model answered, and latencies in milliseconds.

    ``{"candidate": …, "champion": … | null, "latency_ms": …}``; a model that cannot be loaded
    replies ``{"error": sentence}``. Raises :class:`ProbeFailed`, and :class:`ProbeStopped` when the
    same file may well answer another time.
    """
    request = {
        "candidate": _as_json(candidate),
        "champion": None if champion is None else _as_json(champion),
        "texts": list(texts),
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", "training.gates.probe"],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ProbeStopped(f"it did not answer within {timeout_s:g} s") from error
    if done.returncode < 0:
        raise ProbeStopped(f"it was ended by signal {-done.returncode}")
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        if last.startswith("MemoryError"):
            raise ProbeStopped("it ran out of memory")
        raise ProbeFailed(f"it ended with code {done.returncode}: {last}")
    try:
        reply: dict[str, Any] = json.loads(done.stdout)
    except json.JSONDecodeError as error:
        raise ProbeFailed("its reply is not JSON") from error
    return reply


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """The reply to one request."""
    texts = request["texts"]
    candidate, candidate_reply = _open(request["candidate"], texts)
    champion, champion_reply = (
        (None, None) if request["champion"] is None else _open(request["champion"], texts)
    )
    latency = None if candidate is None else measure_latency(candidate, champion, texts)
    return {"candidate": candidate_reply, "champion": champion_reply, "latency_ms": latency}


def measure_latency(
    candidate: "Pipeline", champion: "Pipeline | None", texts: Sequence[str]
) -> dict[str, list[float]]:
    """95th percentiles of one-text latency by block, milliseconds, (BLOCKS,) each."""
    models = {"candidate": candidate} | ({} if champion is None else {"champion": champion})
    p95: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(BLOCKS):
        taken: dict[str, list[float]] = {name: [] for name in models}
        for turn in range(ROUNDS * len(texts)):
            order = list(models) if turn % 2 else list(reversed(models))
            for name in order:
                start = time.perf_counter()
                models[name].predict_proba([texts[turn % len(texts)]])
                taken[name].append(1000 * (time.perf_counter() - start))
        for name, times in taken.items():
            p95[name].append(float(np.percentile(times, 95)))
    return p95


def _open(claim: dict[str, str], texts: list[str]) -> tuple["Pipeline | None", dict[str, Any]]:
    try:
        pipeline = load(Path(claim["path"]), sha256=claim["sha256"])
        probabilities = pipeline.predict_proba(texts).tolist()
        return pipeline, {"fingerprint": fingerprint(pipeline), "probabilities": probabilities}
    except (BadArtifact, ValueError, TypeError, AttributeError) as error:
        return None, {"error": f"{type(error).__name__}: {error}"}


def _as_json(claim: Claim) -> dict[str, str]:
    return {"path": str(claim.path.resolve()), "sha256": claim.sha256}


if __name__ == "__main__":
    json.dump(answer(json.load(sys.stdin)), sys.stdout)
