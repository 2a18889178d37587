"""Precedents: answered texts like the one just answered, so that like cases are judged alike.

They are found by the words they share, rare ones first, in an index of answered samples that is
kept by a tick. Near-duplicate bands would be of no use here: two reviews may tell of the same slow
waiter and share a tenth of their words. What the index reads is bounded word by word, so a look
costs the same at a thousand answers and at a million.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction

from curation.models import Project, Sample
from curation.review import services
from curation.review.likeness import likeness, word_hashes, words_of
from feedbackhub.core.models import User
from feedbackhub.core.sql import execute, fetch, statements

SQL = statements(Path(__file__).with_name("precedents.sql"))
SHOWN = 3
BATCH = 1_000
# Answers are committed out of order by moments; this many back are looked at again.
OVERLAP = 200
PER_WORD = 100
CANDIDATES = 60
# Of the weight of the words asked for. With less in common two texts are not about the same thing.
LEAST_SHARE = 0.2


@dataclass(frozen=True)
class AnsweredText:
    """An answered text and what is believed of it."""

    sample_id: int
    text: str
    value: str


@dataclass(frozen=True)
class _Candidate:
    sample_id: int
    text: str
    value: str
    weight: float

    @property
    def likeness(self) -> float:
        return likeness(shared_weight=self.weight, n_words=len(words_of(self.text)))


@dataclass(frozen=True)
class _Unindexed:
    annotation_id: int
    project_id: int
    sample_id: int
    text: str
    is_new: bool


def precedents_of(*, project: Project, sample_id: int, text: str) -> list[AnsweredText]:
    """At most three answered texts most like ``text``, the most alike first; often none.

    None that waits in a queue is among them: whoever may yet be asked must not learn its answer.
    """
    params = {
        "project": project.pk,
        "sample": sample_id,
        "words": word_hashes(words_of(text)),
        "per_word": PER_WORD,
        "candidates": CANDIDATES,
        "least_share": LEAST_SHARE,
    }
    found = fetch(SQL["alike"], params, into=_Candidate)
    found.sort(key=lambda each: (-each.likeness, -each.sample_id))
    return [AnsweredText(each.sample_id, each.text, each.value) for each in found[:SHOWN]]


def show_precedents(
    *, project: Project, user: User, item_id: int, now: datetime
) -> list[AnsweredText]:
    """The precedents of an item's text, on record as seen: none is served blind to them again."""
    sample = Sample.objects.filter(review_items=item_id, project=project).first()
    if sample is None or sample.text is None:
        return []
    found = precedents_of(project=project, sample_id=sample.pk, text=sample.text)
    services.expose(sample_ids=[each.sample_id for each in found], user=user, now=now)
    return found


def index_precedents() -> int:
    """Index what was answered since the last look, some at a time; how many samples."""
    params = {"overlap": OVERLAP, "limit": BATCH + OVERLAP}
    with transaction.atomic():
        found = fetch(SQL["unindexed"], params, into=_Unindexed)
        if found:
            _index(found)
    return len(found)


def _index(found: Sequence[_Unindexed]) -> None:
    words = [
        (each.project_id, word, each.sample_id)
        for each in found
        if each.is_new
        for word in word_hashes(words_of(each.text))
    ]
    execute(
        SQL["index"],
        {
            "samples": [each.sample_id for each in found],
            "annotations": [each.annotation_id for each in found],
        },
    )
    execute(
        SQL["index_words"],
        {
            "projects": [project_id for project_id, _, _ in words],
            "words": [word for _, word, _ in words],
            "word_samples": [sample_id for _, _, sample_id in words],
        },
    )
