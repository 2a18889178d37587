"""The artifact gate: the file that will be served is the model that was trained, and quick enough.

In a fresh process the file must hash to what the registry says, hold only allowed types, load,
have the registered fingerprint, answer the probe queries with probabilities that are the trainer's
own to 1e-9, and be no slower than the champion by more than the policy's ratio.
"""

import math
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import numpy as np

from training.gates.base import GateInput, GateOutcome, GateStatus
from training.gates.probe import ProbeFailed, ProbeStopped, run_probe
from training.metrics import BadAnswers, checked_probabilities

NAME = "artifact"
MIN_QUERIES = 10
TOLERANCE = 1e-9
Probe = Callable[..., dict[str, Any]]


class ArtifactGate:
    """Refuses a file that would not serve what was evaluated."""

    name = NAME

    def __init__(self, probe: Probe = run_probe) -> None:
        self._probe = probe

    def __call__(self, given: GateInput) -> GateOutcome:
        """Passed, failed or insufficient; what cannot be measured is never a pass."""
        claim = given.candidate_artifact
        if claim is None:
            return _outcome(GateStatus.INSUFFICIENT, "There is no model file to check.")
        if len(given.probe_texts) < MIN_QUERIES or given.probe_answers is None:
            summary = f"Fewer than {MIN_QUERIES} queries with the trainer's answers to compare."
            return _outcome(GateStatus.INSUFFICIENT, summary)
        try:
            reply = self._probe(
                candidate=claim,
                champion=given.champion_artifact,
                texts=given.probe_texts,
                timeout_s=given.policy.probe_timeout_s,
            )
        except ProbeStopped as error:
            summary = f"The model could not be tried: the fresh process stopped, {error}."
            return _outcome(GateStatus.INSUFFICIENT, summary, {"trouble": str(error)})
        except ProbeFailed as error:
            summary = f"The model could not be used in a fresh process: {error}."
            return _outcome(GateStatus.FAILED, summary)
        evidence: dict[str, Any] = {"sha256": claim.sha256, "queries": len(given.probe_texts)}
        wrong = _wrong_with(reply["candidate"], given)
        if wrong:
            return _outcome(GateStatus.FAILED, wrong, evidence)
        return _judge_latency(reply, given, evidence)


def compare_latency(
    candidate_ms: Sequence[float], champion_ms: Sequence[float], limit: float
) -> tuple[GateStatus, float | None]:
    """Whether the candidate's 95th percentiles, by block, stay within ``limit`` × the champion's.

    Passed when the median ratio does; failed when all blocks but at most one exceed it; otherwise
    the machine was too busy to tell. The ratio is None when a time is not a positive number.
    """
    times = (*candidate_ms, *champion_ms)
    if not candidate_ms or len(candidate_ms) != len(champion_ms):
        return GateStatus.INSUFFICIENT, None
    if not all(math.isfinite(time) and time > 0 for time in times):
        return GateStatus.INSUFFICIENT, None
    ratios = [mine / theirs for mine, theirs in zip(candidate_ms, champion_ms, strict=True)]
    ratio = median(ratios)
    if ratio <= limit:
        return GateStatus.PASSED, ratio
    over = sum(one > limit for one in ratios)
    sure = over >= max(1, len(ratios) - 1)
    return (GateStatus.FAILED if sure else GateStatus.INSUFFICIENT), ratio


def _wrong_with(reply: dict[str, Any], given: GateInput) -> str | None:
    """What is wrong with the loaded model's answers, as a sentence; None if nothing is."""
    assert given.candidate_artifact is not None
    if "error" in reply:
        return f"The model file cannot be used. {reply['error']}"
    if reply["fingerprint"] != given.candidate_artifact.fingerprint:
        return "The file holds another model than the registry says: fingerprints differ."
    trained = np.asarray(given.probe_answers, dtype=np.float64)
    n_classes = trained.shape[1] if trained.ndim == 2 else 0
    try:
        wanted = len(given.probe_texts), n_classes
        for rows in (trained, reply["probabilities"]):
            checked_probabilities(rows, n_samples=wanted[0], n_classes=wanted[1])
    except BadAnswers as error:
        return f"The model's answers are unusable: {error}"
    gap = float(np.abs(np.asarray(reply["probabilities"]) - trained).max())
    if gap > TOLERANCE:
        return f"Read back, the model answers differently: by up to {gap:.2g}."
    return None


def _judge_latency(
    reply: dict[str, Any], given: GateInput, evidence: dict[str, Any]
) -> GateOutcome:
    loads = "The file loads in a fresh process and answers as it was trained"
    candidate_ms = reply["latency_ms"]["candidate"]
    p95 = median(candidate_ms)
    evidence = {**evidence, "p95_ms": p95, "latency_limit": given.policy.latency_ratio}
    if given.champion is None and given.champion_artifact is None:
        summary = f"{loads}; 95 % of answers within {p95:.1f} ms. No champion to compare with."
        return _outcome(GateStatus.PASSED, summary, evidence)
    champion_ms = reply["latency_ms"].get("champion", [])
    status, ratio = compare_latency(candidate_ms, champion_ms, given.policy.latency_ratio)
    evidence = {**evidence, "latency_ratio": ratio}
    if ratio is None:
        summary = f"{loads}, but its latency could not be compared with the champion's."
    else:
        evidence["champion_p95_ms"] = median(champion_ms)
        summary = f"{loads}; its slowest 5 % take {ratio:.2f} × the champion's"
        summary += f" (limit {given.policy.latency_ratio:g})."
        if status is GateStatus.INSUFFICIENT:
            summary += " The machine was too busy to be sure; measure again."
    return _outcome(status, summary, evidence)


def _outcome(
    status: GateStatus, summary: str, evidence: dict[str, Any] | None = None
) -> GateOutcome:
    return GateOutcome(NAME, status, summary, evidence or {})
