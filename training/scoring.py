"""How unsure the live version is about the pool, and whom that sends to the annotators.

The one door to active learning: scores and picks leave here as data, through curation's services.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db import transaction

from curation import rankings
from curation.models import Ranking
from curation.rankings import Score
from training import registry
from training.active_learning import measures
from training.models import ModelVersion
from training.selection import refill

logger = logging.getLogger(__name__)

# Texts scored in one transaction: well under a second.
BATCH = 2_000
# A tick stops scoring after this long, so that other ticks are not kept waiting.
SECONDS = 2.5


@dataclass(frozen=True)
class ScoreReport:
    """What one look did."""

    scored: int
    opened: int


def score(*, now: datetime, seconds: float = SECONDS) -> ScoreReport:
    """Score what the live versions have not scored yet, and keep the uncertain queues filled.

    Bounded by ``seconds`` and at least one batch a project, and cheap when nothing is due. A new
    champion scores the pool anew, and the queues are ranked by the one before until it is through.
    A project without a champion is left alone: nobody is unsure yet.
    """
    scored = opened = 0
    deadline = time.monotonic() + seconds
    live = ModelVersion.objects.filter(status=ModelVersion.Status.LIVE)
    for version in live.select_related("project__curation_policy").order_by("project_id"):
        try:
            report = _score_project(version, now=now, deadline=deadline)
        except Exception:
            # A model that breaks on some text must not keep the other projects waiting.
            logger.exception("The pool of %s could not be scored", version.project.slug)
            continue
        scored, opened = scored + report.scored, opened + report.opened
    return ScoreReport(scored=scored, opened=opened)


def _score_project(version: ModelVersion, *, now: datetime, deadline: float) -> ScoreReport:
    scored = opened = 0
    is_through = False
    while not is_through:
        with transaction.atomic():
            ranking = rankings.hold(project=version.project)
            if ranking is None:  # Another worker is at it.
                break
            rankings.aim(ranking, version=version.name, now=now)
            n, is_last = _score_batch(ranking, version, now=now)
            scored += n
            is_through = is_last or time.monotonic() >= deadline
            if is_through:
                opened = refill(ranking, now=now)
                rankings.prune(ranking)
    return ScoreReport(scored=scored, opened=opened)


def _score_batch(ranking: Ranking, version: ModelVersion, *, now: datetime) -> tuple[int, bool]:
    """How many were scored, and whether that were all."""
    texts = rankings.next_texts(ranking, limit=BATCH)
    is_last = len(texts) < BATCH
    scores = _scores([each.sample_id for each in texts], [each.text for each in texts], version)
    rankings.record_batch(ranking, scores=scores, is_last=is_last, now=now)
    return len(texts), is_last


def _scores(sample_ids: Sequence[int], texts: list[str], version: ModelVersion) -> list[Score]:
    if not texts:
        return []
    answers = np.asarray(registry.load_pipeline(version).predict_proba(texts))
    found = measures(answers)
    return [
        Score(sample_id, version.classes[best], confidence, margin, entropy)
        for sample_id, best, confidence, margin, entropy in zip(
            sample_ids,
            answers.argmax(axis=1).tolist(),
            found.confidence.tolist(),
            found.margin.tolist(),
            found.entropy.tolist(),
            strict=True,
        )
    ]
