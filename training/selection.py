"""Filling the uncertain queue: the project's mixture of strategies over the scored pool."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from curation import queries, rankings
from curation.models import Project, Ranking
from curation.models.review import Queue
from curation.queries import ScoredPool, ScoredSample
from curation.review.services import Pick, open_items, queue_depths
from training import registry
from training.active_learning import (
    DEFAULT_SHARES,
    STRATEGIES,
    BadMixture,
    Measures,
    Picked,
    Pool,
    checked_shares,
    pick,
)
from training.artifacts import BadArtifact
from training.inclusion import UNIFORM
from training.models import ModelVersion, TrainingPolicy

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

logger = logging.getLogger(__name__)
Status = ModelVersion.Status

# The least sure texts, which strategies put in order; the uniform share reaches all others.
PICK_POOL = 10_000
# Refilled when this share of the queue is left, rather than one item at a time.
REFILL_AT = 0.8
# A pool that gave all it had is not asked again before it has new scores, or this much later.
EXHAUSTED_FOR = timedelta(minutes=1)
# Versions that vote in a committee, the newest first.
COMMITTEE_SIZE = 4
VOTERS = (Status.LIVE, Status.BLESSED, Status.INSUFFICIENT, Status.SUPERSEDED)


def refill(ranking: Ranking, *, now: datetime) -> int:
    """Open items for the texts that the project's mixture picks; how many were opened.

    Nothing while the queue is full enough, or the pool was found empty a moment ago. Picks by the
    ranking version's scores, also while another is scoring the pool to take over.
    """
    project = ranking.project
    size = project.curation_policy.uncertain_queue_size
    if ranking.exhausted_at and now < ranking.exhausted_at + EXHAUSTED_FOR:
        return 0
    waiting = _waiting(project)
    if not ranking.version or waiting >= max(1, REFILL_AT * size):
        return 0
    n, seed = size - waiting, int(now.timestamp())
    pool = queries.scored_pool(
        project=project, model_version=ranking.version, head=PICK_POOL, others=n, seed=seed
    )
    if pool.size < n:
        rankings.note_exhausted(ranking, now=now)
    if not pool.size:
        return 0
    picked = _pick(pool, ranking, n=n, seed=seed)
    return open_items(project=project, picks=_review_picks(pool, picked, ranking, seed), now=now)


def shares_of(project: Project) -> dict[str, float]:
    """The project's mixture; the usual one when what is stored cannot be used."""
    policy = TrainingPolicy.objects.filter(project=project).first() or TrainingPolicy()
    try:
        return checked_shares(policy.sampling)
    except BadMixture:
        logger.warning("The mixture of %s cannot be used; taking the usual one", project.slug)
        return dict(DEFAULT_SHARES)


def _waiting(project: Project) -> int:
    depths = queue_depths(project=project)
    return next((depth.open for depth in depths if depth.queue == Queue.UNCERTAIN), 0)


def _pick(pool: ScoredPool, ranking: Ranking, *, n: int, seed: int) -> Picked:
    listed = _pool(pool.head, ranking)
    shares = shares_of(ranking.project)
    orders = {
        name: _order(name, listed, max(1, round(n * share)))
        for name, share in shares.items()
        if name != UNIFORM
    }
    return pick(listed, orders, shares=shares, size=pool.size, n=n, rng_seed=seed)


def _order(name: str, pool: Pool, n: int) -> Sequence[int]:
    try:
        return STRATEGIES[name].order(pool, n)
    except Exception:
        # The others go on without it: its share is theirs, and the chances stay true.
        logger.exception("The strategy %s could not put the pool in order", name)
        return []


def _pool(head: Sequence[ScoredSample], ranking: Ranking) -> Pool:
    def texts(positions: Sequence[int]) -> list[str]:
        ids = [head[position].sample_id for position in positions]
        found = queries.texts_of(sample_ids=ids)
        return [found.get(sample_id, "") for sample_id in ids]

    return Pool(
        measures=Measures(
            confidence=np.array([sample.confidence for sample in head]),
            margin=np.array([sample.margin for sample in head]),
            entropy=np.array([sample.entropy for sample in head]),
        ),
        texts=texts,
        pipeline=lambda: registry.load_pipeline(_version(ranking)),
        committee=lambda: _committee(ranking.project),
    )


def _version(ranking: Ranking) -> ModelVersion:
    number = int(ranking.version.removeprefix("v"))
    return ModelVersion.objects.get(project=ranking.project, number=number)


def _committee(project: Project) -> list["Pipeline"]:
    recent = ModelVersion.objects.filter(project=project, status__in=VOTERS).order_by("-number")
    members = []
    for version in recent[:COMMITTEE_SIZE]:
        try:
            members.append(registry.load_pipeline(version))
        except BadArtifact as error:
            logger.warning("%s does not vote: %s", version, error)
    return members


def _review_picks(pool: ScoredPool, picked: Picked, ranking: Ranking, seed: int) -> list[Pick]:
    chosen = [
        (pool.head[each.index], each.strategy, each.inclusion_probability) for each in picked.picks
    ]
    others = pool.others[: picked.n_beyond]
    chosen += [(sample, UNIFORM, picked.beyond_probability) for sample in others]
    priorities = _priorities([(sample, name) for sample, name, _ in chosen], seed)
    return [
        Pick(
            sample_id=sample.sample_id,
            queue=Queue.UNCERTAIN,
            priority=priority,
            why=_why(sample, name, ranking.version, n_pool=pool.size),
            model_version=ranking.version,
            inclusion_probability=chance,
        )
        for (sample, name, chance), priority in zip(chosen, priorities, strict=True)
    ]


def _why(sample: ScoredSample, strategy: str, version: str, *, n_pool: int) -> Mapping[str, Any]:
    if strategy == UNIFORM:
        sentence = f"Drawn at random from the {n_pool:,} texts that nobody has labelled."
    else:
        sentence = STRATEGIES[strategy].reason.format(
            version=version, margin=sample.margin, confidence=sample.confidence
        )
    return {
        "sentence": sentence,
        "model": version,
        "margin": round(sample.margin, 4),
        "strategy": strategy,
        "pool": n_pool,
    }


def _priorities(chosen: Sequence[tuple[ScoredSample, str]], seed: int) -> list[float]:
    """The less sure the sooner; uniform draws are strewn among them, to come up at all."""
    rng = np.random.default_rng([seed, 2])
    wanted = [1 - sample.margin for sample, name in chosen if name != UNIFORM]
    low, high = (min(wanted), max(wanted)) if wanted else (0.0, 1.0)
    return [
        float(rng.uniform(low, high)) if name == UNIFORM else 1 - sample.margin
        for sample, name in chosen
    ]
