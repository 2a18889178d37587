"""What a page of the explorer shows of each sample."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from curation.models.review import Queue
from feedbackhub.core.sql import fetch, statements

SQL = statements(Path(__file__).with_name("rows.sql"))


@dataclass(frozen=True)
class SampleRow:
    """One sample, as a line of the list."""

    id: int
    text: str | None
    """Its beginning; None once erased."""
    origin: str
    created_at: datetime
    split: str
    """Empty when it is in none."""
    label: str | None
    label_origin: str | None
    quality: float | None
    margin: float | None
    model_version: str | None
    strength: float | None
    """Of its open disagreement."""
    up: int
    """Counted voices that agree with the model, of the latest hundred."""
    down: int
    queues: list[str]
    """Where it waits."""

    @property
    def waits_in(self) -> str:
        """The queues in words."""
        return ", ".join(str(Queue(queue).label).lower() for queue in self.queues)


def sample_rows(*, ids: Sequence[int]) -> list[SampleRow]:
    """The lines of these samples, in the order given."""
    return fetch(SQL["rows"], {"ids": list(ids)}, into=SampleRow) if ids else []
