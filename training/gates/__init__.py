"""The gates between a candidate and the world; one module a gate.

Adding one: a module with a class that has a ``name`` and answers a :class:`GateInput`, an entry in
``GATES``, and, if a candidate without a champion must pass it too, in ``ABSOLUTE``.
"""

from collections.abc import Mapping

from training.gates.artifact import ArtifactGate
from training.gates.base import (
    Claim,
    Gate,
    GateInput,
    GateOutcome,
    GatePolicy,
    GateStatus,
    Verdict,
    VerdictStatus,
    verdict,
)
from training.gates.floor import FloorGate
from training.gates.non_inferior import NonInferiorGate

GATES: Mapping[str, Gate] = {
    gate.name: gate for gate in (ArtifactGate(), FloorGate(), NonInferiorGate())
}
# What a first model must pass: there is nothing to compare it with.
ABSOLUTE = frozenset({"artifact", "floor"})


def required_gates(*, has_champion: bool) -> frozenset[str]:
    """The gates that must pass before a candidate is blessed."""
    return frozenset(GATES) if has_champion else ABSOLUTE


def run_gates(given: GateInput) -> list[GateOutcome]:
    """Every gate's answer, required or not, in the order of ``GATES``."""
    return [gate(given) for gate in GATES.values()]


__all__ = [
    "ABSOLUTE",
    "GATES",
    "Claim",
    "Gate",
    "GateInput",
    "GateOutcome",
    "GatePolicy",
    "GateStatus",
    "Verdict",
    "VerdictStatus",
    "required_gates",
    "run_gates",
    "verdict",
]
