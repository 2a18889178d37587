"""From counted feedback to labels: who speaks about a sample, and what that makes us believe."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from curation import labels
from curation.digest.quality import verdict
from curation.digest.spoken import Spoken
from curation.digest.trust import trusted
from curation.labels import Belief
from curation.models import Label
from feedbackhub.core.sql import fetch, statements

SQL = statements(Path(__file__).with_name("voices.sql"))
# A popular text is judged by its latest voices; its label would not move for more.
MOST_VOICES = 50


def spoken_about(*, sample_ids: Iterable[int]) -> dict[int, list[Spoken]]:
    """The latest voices about each sample, one a subject (or prediction), the newest first."""
    params = {"samples": sorted(set(sample_ids)), "most": MOST_VOICES}
    found: dict[int, list[Spoken]] = defaultdict(list)
    for row in fetch(SQL["voices"], params, into=Spoken):
        found[row.sample_id].append(row)
    return found


def reweigh(*, sample_ids: Sequence[int], now: datetime) -> dict[int, Sequence[Spoken]]:
    """Believe what the voices about these samples say now; returns the voices, by their trust.

    Changes nothing where an import or an annotator has spoken, and withdraws a label whose voices
    have all gone. Its caller has locked the samples.
    """
    spoken = trusted(spoken=spoken_about(sample_ids=sample_ids), now=now)
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
