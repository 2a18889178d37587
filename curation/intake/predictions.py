"""Recording served answers: durable before they are returned, in one statement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from curation.digest.normalise import content_hash
from curation.intake.facts import masks
from curation.intake.masking import mask_within
from feedbackhub.core.prepared import Prepared
from feedbackhub.core.sql import statements

SQL = statements(Path(__file__).with_name("landing.sql"))
_record = Prepared(
    "record_predictions",
    SQL["record_predictions"],
    {"predictions": "jsonb", "now": "timestamptz"},
)


@dataclass(frozen=True, kw_only=True)
class NewPrediction:
    """A served answer, ready to be recorded."""

    id: UUID
    project_id: int
    source_id: int
    text: str
    label: str
    confidence: float
    probabilities: Mapping[str, float]
    """By label; they sum to 1."""
    model_version: str
    """The name of the version, such as ``v14``."""
    rollout_id: int | None = None
    """The rollout whose arms are compared on it, if any."""
    arm: str = ""
    """Empty outside a comparison."""
    programme_group: str = ""
    subject_hash: bytes | None = None
    session_hash: bytes | None = None
    is_audit: bool = False
    is_external: bool = False
    latency_ms: float | None = None
    """Time to score the text."""
    metadata: Mapping[str, Any] | None = None


def record_predictions(
    *, predictions: Sequence[NewPrediction], pool_margin: float, now: datetime
) -> None:
    """Record predictions, and land the audited and those with a margin below ``pool_margin``.

    Texts of a project that masks are masked here, after the model has read them. One statement:
    all are durable when it returns, or none.
    """
    if not predictions:
        return
    rows = [_row(_storable(prediction), pool_margin) for prediction in predictions]
    encoded = msgspec.json.encode(rows).decode()
    _record.run({"predictions": encoded, "now": now})


def margin(probabilities: Mapping[str, float]) -> float:
    """The difference of the two best probabilities; 1 when there is only one label."""
    best, *rest = sorted(probabilities.values(), reverse=True)
    return best - rest[0] if rest else 1.0


def _storable(prediction: NewPrediction) -> NewPrediction:
    """The prediction with its text masked, where its project asks for that."""
    if not masks(prediction.project_id):
        return prediction
    text, metadata = mask_within([prediction.text, prediction.metadata])
    return replace(prediction, text=text, metadata=metadata)


def _row(prediction: NewPrediction, pool_margin: float) -> dict[str, Any]:
    return {
        "id": prediction.id,
        "project_id": prediction.project_id,
        "source_id": prediction.source_id,
        "text": prediction.text,
        "content_hash": content_hash(prediction.text).hex(),
        "label": prediction.label,
        "confidence": prediction.confidence,
        "probabilities": prediction.probabilities,
        "model_version": prediction.model_version,
        "rollout_id": prediction.rollout_id,
        "arm": prediction.arm,
        "programme_group": prediction.programme_group,
        "subject_hash": prediction.subject_hash and prediction.subject_hash.hex(),
        "session_hash": prediction.session_hash and prediction.session_hash.hex(),
        "is_audit": prediction.is_audit,
        "is_external": prediction.is_external,
        "latency_ms": prediction.latency_ms,
        "metadata": prediction.metadata,
        "asks_for_work": prediction.is_audit or margin(prediction.probabilities) < pool_margin,
    }
