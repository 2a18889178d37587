"""One counted voice about a sample, as the digest reads it."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from curation.digest.quality import Voice
from curation.digest.supersession import EventId
from feedbackhub.core.ids import uuid7_time


@dataclass(frozen=True)
class Spoken:
    """One counted voice about a sample, with the event it came by."""

    sample_id: int
    feedback_id: EventId
    suggested: str
    contradicts: bool
    predicted: str
    confidence: float | None
    model_version: str
    prediction_id: EventId | None
    project_id: int
    source_id: int
    subject_hash: bytes | None
    weight: float = 1.0
    """How many voices it counts as, by the trust it has earned."""

    def __post_init__(self) -> None:
        """Take the driver's view of the hash for what it is, so that hashes compare."""
        if self.subject_hash is not None:
            object.__setattr__(self, "subject_hash", bytes(self.subject_hash))

    def weighing(self, weight: float) -> "Spoken":
        """The same, counting as so many."""
        return self if weight == self.weight else replace(self, weight=weight)

    @property
    def spoken_at(self) -> datetime:
        """When the hub received it."""
        return uuid7_time(UUID(self.feedback_id))

    @property
    def voice(self) -> Voice:
        """What it says, for the arithmetic."""
        return Voice(self.suggested, self.contradicts, self.predicted, self.weight)
