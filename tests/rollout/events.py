"""Events of a rollout, written as intake and the digest would have left them."""

import hashlib
from datetime import datetime

from curation.models import Feedback, FeedbackOutcome, Prediction
from feedbackhub.core.ids import uuid7
from rollout.models import Rollout


def insert_prediction(
    rollout: Rollout, *, arm: str, subject: str | None, now: datetime, text: str = "good"
) -> Prediction:
    """A served answer in ``arm``."""
    champion = rollout.champion
    version = rollout.candidate if arm == "treatment" else champion
    return Prediction.objects.create(
        id=uuid7(now),
        project_id=rollout.project_id,
        source_id=1,
        text=text,
        content_hash=hashlib.sha256(text.encode()).digest(),
        label="positive",
        confidence=0.9,
        model_version=version.name if version else "",
        rollout_id=rollout.pk,
        arm=arm,
        programme_group="loop",
        subject_hash=hashlib.sha256(subject.encode()).digest()[:16] if subject else None,
        is_audit=False,
        is_external=False,
        latency_ms=1.0,
        created_at=now,
    )


def insert_feedback(
    prediction: Prediction,
    *,
    rating: str,
    now: datetime,
    state: str = FeedbackOutcome.State.COUNTED,
) -> Feedback:
    """A digested thumb on ``prediction``."""
    feedback = Feedback.objects.create(
        id=uuid7(now),
        project_id=prediction.project_id,
        source_id=1,
        event_id=str(uuid7(now)),
        prediction_id=prediction.id,
        rating=rating,
        subject_hash=prediction.subject_hash,
        predicted_label=prediction.label,
        model_version=prediction.model_version,
        rollout_id=prediction.rollout_id,
        arm=prediction.arm,
        programme_group=prediction.programme_group,
        received_at=now,
    )
    FeedbackOutcome.objects.create(
        feedback_id=feedback.id,
        project_id=prediction.project_id,
        prediction_id=prediction.id,
        subject_hash=prediction.subject_hash,
        state=state,
        digested_at=now,
    )
    return feedback
