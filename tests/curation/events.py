"""Landed events for the tests of digest and review."""

import itertools
import uuid
from datetime import datetime, timedelta
from typing import Any

from curation.digest.services import DigestReport, digest
from curation.models import Feedback, Landed, Prediction, Project, Sample
from feedbackhub.core.ids import uuid7
from tests.factories import NOW, make_prediction

_seconds = itertools.count(1)


def later() -> datetime:
    """A moment after all that were given before."""
    return NOW + timedelta(seconds=next(_seconds))


def land(prediction: Prediction) -> Prediction:
    """Hand a prediction to the digest, as intake does with audited and uncertain ones."""
    Landed.objects.create(
        id=prediction.pk,
        project_id=prediction.project_id,
        kind=Landed.Kind.PREDICTION,
        received_at=prediction.created_at,
    )
    return prediction


def thumb(
    prediction: Prediction,
    rating: str = "up",
    *,
    subject: bytes | None = None,
    corrected: str = "",
    is_landed: bool = True,
    **fields: Any,
) -> Feedback:
    """A thumb on a prediction, received after all before it, waiting for the digest."""
    at = fields.pop("at", None) or later()
    given: dict[str, Any] = {
        "id": uuid7(at),
        "source_id": 1,
        "event_id": str(uuid.uuid4()),
        "prediction_id": prediction.pk,
        "subject_hash": subject,
        "predicted_label": prediction.label,
        "confidence": prediction.confidence,
        "model_version": prediction.model_version,
        "rollout_id": prediction.rollout_id,
        "arm": prediction.arm,
        "programme_group": prediction.programme_group,
        "quarantine_reasons": [],
        "received_at": at,
    }
    feedback = Feedback.objects.create(
        project_id=prediction.project_id,
        rating=rating,
        corrected_label=corrected,
        **{**given, **fields},
    )
    if is_landed:
        land_feedback(feedback)
    return feedback


def land_feedback(feedback: Feedback) -> None:
    """Hand a feedback event to the digest (again)."""
    Landed.objects.create(
        id=feedback.pk,
        project_id=feedback.project_id,
        kind=Landed.Kind.FEEDBACK,
        received_at=feedback.received_at,
    )


def subject(name: str) -> bytes:
    """A subject's hash."""
    return name.encode().ljust(16, b".")


def digest_all() -> DigestReport:
    """Digest what has landed."""
    return digest(now=later())


def sample_of(prediction: Prediction) -> Sample:
    """The sample of a prediction's text."""
    return Sample.objects.get(
        project_id=prediction.project_id, content_hash=bytes(prediction.content_hash)
    )


def disagree(project: Project, text: str, *, subjects: int = 1, **fields: Any) -> Sample:
    """A text whose served label this many subjects contradict, digested."""
    prediction = make_prediction(project, text=text, **fields)
    for number in range(subjects):
        thumb(prediction, "down", subject=subject(f"s{number}"))
    digest_all()
    return sample_of(prediction)
