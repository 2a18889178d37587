"""How unsure the live version is about the pool, and whom that sends to the annotators.

The one door to active learning: scores and picks leave here as data, through curation's services.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from curation import queries
from curation.models import Project
from curation.models.review import Queue
from curation.queries import ScoredSample
from curation.review.services import Pick as ReviewPick
from curation.review.services import open_items, queue_depths
from curation.services import Score, record_scores
from training import registry, scoring_arithmetic
from training.active_learning import UNIFORM, Pick, Strategy, rank_answers
from training.models import ModelVersion

logger = logging.getLogger(__name__)

# Samples scored in one tick: well under a second, so that ticks stay short.
BATCH = 2_000
# The pool that picks are made from: the least sure ones beyond this cannot be picked.
PICK_POOL = 10_000
# Refilled when this share of the queue is left, rather than one item at a time.
REFILL_AT = 0.8
STRATEGY: Strategy = "margin"


@dataclass(frozen=True)
class ScoreReport:
    """What one look did."""

    scored: int
    opened: int


def score(*, now: datetime) -> ScoreReport:
    """Score what the live versions have not scored yet, and keep the uncertain queues filled.

    Bounded, and cheap when nothing is due. A new champion scores the pool anew. A project without
    one is left alone: nobody is unsure yet.
    """
    scored = opened = 0
    live = ModelVersion.objects.filter(status=ModelVersion.Status.LIVE)
    for version in live.select_related("project__curation_policy").order_by("project_id"):
        try:
            with transaction.atomic():
                n_scored, n_opened = _score_pool(version, now=now), _refill(version, now=now)
        except Exception:
            # A model that breaks on some text must not keep the other projects waiting.
            logger.exception("The pool of %s could not be scored", version.project.slug)
            continue
        scored, opened = scored + n_scored, opened + n_opened
    return ScoreReport(scored=scored, opened=opened)


def _score_pool(version: ModelVersion, *, now: datetime) -> int:
    pool = queries.unscored_pool(project=version.project, model_version=version.name, limit=BATCH)
    if not pool:
        return 0
    pipeline = registry.load_pipeline(version)
    answers = np.asarray(pipeline.predict_proba([sample.text for sample in pool]))
    return record_scores(
        scores=_scores([sample.sample_id for sample in pool], answers, version.classes),
        model_version=version.name,
        now=now,
    )


def _scores(
    sample_ids: Sequence[int], answers: NDArray[np.float64], classes: Sequence[str]
) -> list[Score]:
    return [
        Score(sample_id=sample_id, predicted_label=classes[best], margin=margin, entropy=entropy)
        for sample_id, best, margin, entropy in zip(
            sample_ids,
            answers.argmax(axis=1).tolist(),
            scoring_arithmetic.margin(answers).tolist(),
            scoring_arithmetic.entropy(answers).tolist(),
            strict=True,
        )
    ]


def _refill(version: ModelVersion, *, now: datetime) -> int:
    project = version.project
    size = project.curation_policy.uncertain_queue_size
    waiting = _waiting(project)
    if waiting >= max(1, REFILL_AT * size):
        return 0
    pool = queries.scored_pool(project=project, model_version=version.name, limit=PICK_POOL)
    if not pool:
        return 0
    picks = _picks(pool, n=size - waiting, version=version, now=now)
    return open_items(project=project, picks=picks, now=now)


def _waiting(project: Project) -> int:
    depths = queue_depths(project=project)
    return next((depth.open for depth in depths if depth.queue == Queue.UNCERTAIN), 0)


def _picks(
    pool: Sequence[ScoredSample], *, n: int, version: ModelVersion, now: datetime
) -> list[ReviewPick]:
    """The least sure samples and a uniform share, ranked by the margins that are stored."""
    margins = np.array([sample.margin for sample in pool])
    # Two probabilities with the same margin: ranking needs no more, and the model is not run twice.
    answers = np.column_stack([(1 + margins) / 2, (1 - margins) / 2])
    seed = int(now.timestamp())
    chosen = rank_answers(answers, n=n, strategy=STRATEGY, rng_seed=seed)
    priorities = _priorities(chosen, margins, np.random.default_rng(seed))
    return [
        ReviewPick(
            sample_id=pool[pick.index].sample_id,
            queue=Queue.UNCERTAIN,
            priority=priority,
            why=_why(pool[pick.index], pick, version, n_pool=len(pool)),
            model_version=version.name,
            inclusion_probability=pick.inclusion_probability,
        )
        for pick, priority in zip(chosen, priorities, strict=True)
    ]


def _why(sample: ScoredSample, pick: Pick, version: ModelVersion, *, n_pool: int) -> dict[str, Any]:
    if pick.strategy == UNIFORM:
        sentence = f"Drawn at random from the {n_pool:,} texts that nobody has labelled."
    else:
        sentence = f"{version.name} is unsure: its two best answers lie {sample.margin:.2f} apart."
    return {
        "sentence": sentence,
        "model": version.name,
        "margin": round(sample.margin, 4),
        "strategy": pick.strategy,
        "pool": n_pool,
    }


def _priorities(
    picks: Sequence[Pick], margins: NDArray[np.float64], rng: np.random.Generator
) -> list[float]:
    """The less sure the sooner; uniform draws are strewn among them, to come up at all."""
    certain = [1 - margins[pick.index] for pick in picks if pick.strategy != UNIFORM]
    low, high = (min(certain), max(certain)) if certain else (0.0, 1.0)
    return [
        float(rng.uniform(low, high) if pick.strategy == UNIFORM else 1 - margins[pick.index])
        for pick in picks
    ]
