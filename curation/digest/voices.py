"""From counted feedback to labels: who speaks about a sample, and what that makes us believe."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from curation import labels
from curation.digest.quality import Voice, verdict
from curation.digest.supersession import EventId
from curation.labels import Belief
from curation.models import Label
from feedbackhub.core.sql import fetch, statements

SQL = statements(Path(__file__).with_name("voices.sql"))
# A popular text is judged by its latest voices; its label would not move for more.
MOST_VOICES = 50


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

    @property
    def voice(self) -> Voice:
        """What it says, for the arithmetic."""
        return Voice(self.suggested, self.contradicts, self.predicted)


def spoken_about(*, sample_ids: Iterable[int]) -> dict[int, list[Spoken]]:
    """The latest voices about each sample, one a subject (or prediction), the newest first."""
    params = {"samples": sorted(set(sample_ids)), "most": MOST_VOICES}
    found: dict[int, list[Spoken]] = defaultdict(list)
    for row in fetch(SQL["voices"], params, into=Spoken):
        found[row.sample_id].append(row)
    return found


def reweigh(*, sample_ids: Sequence[int], now: datetime) -> dict[int, list[Spoken]]:
    """Believe what the voices about these samples say now; returns the voices.

    Changes nothing where an import or an annotator has spoken, and withdraws a label whose voices
    have all gone. Its caller has locked the samples.
    """
    spoken = spoken_about(sample_ids=sample_ids)
    beliefs, silent = [], []
    for sample_id in sample_ids:
        said = verdict(tuple(each.voice for each in spoken.get(sample_id, ())))
        if said is None:
            silent.append(sample_id)
            continue
        supporters = [
            each.feedback_id for each in spoken[sample_id] if each.suggested == said.value
        ]
        beliefs.append(
            Belief(
                sample_id=sample_id,
                value=said.value,
                origin=Label.Origin.FEEDBACK,
                quality=said.quality,
                reasons=said.reasons,
                feedback_ids=supporters,
            )
        )
    labels.believe(beliefs=beliefs, now=now)
    if silent:
        labels.withdraw(sample_ids=silent, origin=Label.Origin.FEEDBACK, now=now)
    return spoken
