"""Whose scores rank the queues: a new version fills up beside the old one, then takes over at once.

Scores come from above, batch by batch; each batch and the cursor that remembers it are written in
one transaction, so that a crash repeats nothing. While a version is pending the queues keep the
scores of the one before. When it has scored the whole pool, or all but a small share, one
transaction makes it the ranking version and gives the open items their new priorities.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.db import connection, transaction

from curation.models import CurationPolicy, Project, Ranking
from feedbackhub.core.sql import execute, fetch, statements

SQL = statements(Path(__file__).with_name("rankings.sql"))
# A version takes over when it has scored this share: a version that was rolled back to has done so
# long ago, but for the newest texts.
SWAP_SHARE = 0.98
# Versions whose scores are kept, so that a rollback finds them.
KEPT_VERSIONS = 3
PRUNED_AT_ONCE = 20_000
# What the cursor may have passed over (a label that was withdrawn) is looked for this often.
SWEEP_EVERY = timedelta(minutes=10)
# A row can be older than the last one seen if its transaction took long.
SETTLED_AFTER = timedelta(minutes=2)


@dataclass(frozen=True)
class PoolText:
    """A sample nobody vouches for yet."""

    sample_id: int
    text: str


@dataclass(frozen=True)
class Score:
    """How unsure a model version is about one sample."""

    sample_id: int
    predicted_label: str
    confidence: float
    """Probability of the predicted label, in [0, 1]."""
    margin: float
    """Difference of the two best probabilities, in [0, 1]."""
    entropy: float
    """Of the class probabilities, in nats."""


@dataclass(frozen=True)
class RankingStatus:
    """Whose scores a project's queues are ranked by, and how current they are."""

    version: str
    ranked_at: datetime
    current_share: float
    """Of the pool, scored by that version; 1 when nothing waits for a score."""
    pending: str
    """The version that is scoring the pool to take over; empty when there is none."""
    pending_share: float
    """Of the pool, scored by the pending version."""

    def said(self, *, now: datetime) -> str:
        """As a phrase: ``ranked by v14, 6 min ago, 98 % current``."""
        ago = _ago(now - self.ranked_at)
        if self.pending:
            done = f"{self.pending} has scored {_percent(self.pending_share)} and takes over"
            return f"ranked by {self.version}, {ago}; {done}"
        return f"ranked by {self.version}, {ago}, {_percent(self.current_share)} current"


def ranking_status(*, project: Project) -> RankingStatus | None:
    """Whose scores the queues are ranked by; None before the first. One query."""
    ranking = Ranking.objects.filter(project=project).first()
    if ranking is None or not ranking.version or ranking.ranked_at is None:
        return None
    share = min(1.0, ranking.n_scored / ranking.n_pool) if ranking.n_pool else 1.0
    return RankingStatus(
        version=ranking.version,
        ranked_at=ranking.ranked_at,
        current_share=1.0 if ranking.pending else share,
        pending=ranking.pending,
        pending_share=share if ranking.pending else 0.0,
    )


def hold(*, project: Project) -> Ranking | None:
    """The project's ranking, locked until the transaction ends; None when another worker has it."""
    held = Ranking.objects.select_for_update(skip_locked=True)
    ranking = held.filter(project=project).first()
    if ranking is None and not Ranking.objects.filter(project=project).exists():
        Ranking.objects.bulk_create([Ranking(project=project)], ignore_conflicts=True)
        ranking = held.filter(project=project).first()
    if ranking is not None:
        ranking.project = project
    return ranking


def aim(ranking: Ranking, *, version: str, now: datetime) -> None:
    """Let ``version`` score the pool from here on; nothing changes when it does so already.

    It takes over at once when it has scored nearly all, as after a rollback, and when there is
    nobody to take over from.
    """
    if version == (ranking.pending or ranking.version):
        _sweep_when_due(ranking, now=now)
        return
    ranking.pending = "" if version == ranking.version else version
    ranking.pending_since = now if ranking.pending else None
    ranking.stored = [*(name for name in ranking.stored if name != version), version]
    _begin_anew(ranking, now=now)
    if ranking.pending and (not ranking.version or _is_nearly_complete(ranking)):
        _swap(ranking, now=now)
    ranking.save()


def next_texts(ranking: Ranking, *, limit: int) -> list[PoolText]:
    """Texts that the scoring version has not scored, by id."""
    return fetch(
        SQL["next_texts"],
        {
            "project": ranking.project_id,
            "cursor": ranking.cursor,
            "version": ranking.pending or ranking.version,
            "min_quality": _min_quality(ranking),
            "limit": limit,
        },
        into=PoolText,
    )


def record_batch(
    ranking: Ranking, *, scores: Sequence[Score], is_last: bool, now: datetime
) -> None:
    """Keep the scores of a batch of :func:`next_texts`; after the last a pending one takes over.

    A batch is the last when it was shorter than its limit. Writes nothing when nothing changed.
    """
    version, before = ranking.pending or ranking.version, ranking.cursor
    written = record_scores(scores=scores, model_version=version, now=now)
    if is_last:
        ranking.cursor = max(ranking.cursor, _settled(ranking, now=now))
    else:
        ranking.cursor = max(score.sample_id for score in scores)
    if not scores and not ranking.pending and ranking.cursor == before:
        return
    ranking.n_scored += written
    ranking.n_pool = ranking.n_scored if is_last else max(ranking.n_pool, ranking.n_scored)
    if scores:
        ranking.exhausted_at = None
    if ranking.pending and (is_last or _is_nearly_complete(ranking)):
        _swap(ranking, now=now)
    ranking.save()


def record_scores(*, scores: Sequence[Score], model_version: str, now: datetime) -> int:
    """Write what ``model_version`` says of these samples; how many were written.

    Ids that are no sample (any more) are passed over.
    """
    if not scores:
        return 0
    ordered = sorted(scores, key=lambda score: score.sample_id)
    params = {
        "samples": [score.sample_id for score in ordered],
        "labels": [score.predicted_label for score in ordered],
        "confidences": [score.confidence for score in ordered],
        "margins": [score.margin for score in ordered],
        "entropies": [score.entropy for score in ordered],
        "version": model_version,
        "now": now,
    }
    with transaction.atomic():
        written = execute(SQL["record_scores"], params)
        execute(SQL["doubt_scored"], params)
    return written


def note_exhausted(ranking: Ranking, *, now: datetime) -> None:
    """Remember that the pool gave less than a queue wanted: it is not asked again for a while."""
    ranking.exhausted_at = now
    ranking.save(update_fields=["exhausted_at"])


def prune(ranking: Ranking) -> int:
    """Delete part of the scores of versions too old to come back; how many rows went."""
    spare = [name for name in ranking.stored[:-KEPT_VERSIONS] if name != ranking.version]
    if not spare:
        return 0
    gone = execute(
        SQL["prune_scores"],
        {"project": ranking.project_id, "version": spare[0], "limit": PRUNED_AT_ONCE},
    )
    if gone < PRUNED_AT_ONCE:
        ranking.stored = [name for name in ranking.stored if name != spare[0]]
        ranking.save(update_fields=["stored"])
    return gone


def _swap(ranking: Ranking, *, now: datetime) -> None:
    ranking.version, ranking.ranked_at = ranking.pending, now
    ranking.pending, ranking.pending_since, ranking.exhausted_at = "", None, None
    execute(SQL["rerank_open"], {"project": ranking.project_id, "version": ranking.version})


def _sweep_when_due(ranking: Ranking, *, now: datetime) -> None:
    is_due = ranking.swept_at is None or now >= ranking.swept_at + SWEEP_EVERY
    # A pending pass is under way from the start; it needs no second one.
    if is_due and not ranking.pending:
        _begin_anew(ranking, now=now)
        ranking.save()


def _begin_anew(ranking: Ranking, *, now: datetime) -> None:
    ranking.cursor, ranking.swept_at = 0, now
    version = ranking.pending or ranking.version
    with connection.cursor() as cursor:
        cursor.execute(
            SQL["count_pool"],
            {
                "project": ranking.project_id,
                "version": version,
                "min_quality": _min_quality(ranking),
            },
        )
        ranking.n_pool, ranking.n_scored = cursor.fetchone()


def _is_nearly_complete(ranking: Ranking) -> bool:
    return ranking.n_scored >= SWAP_SHARE * ranking.n_pool


def _settled(ranking: Ranking, *, now: datetime) -> int:
    with connection.cursor() as cursor:
        until = now - SETTLED_AFTER
        cursor.execute(SQL["settled"], {"project": ranking.project_id, "until": until})
        return int(cursor.fetchone()[0])


def _min_quality(ranking: Ranking) -> float:
    policy: CurationPolicy = getattr(ranking.project, "curation_policy", None) or CurationPolicy()
    return policy.min_label_quality


def _ago(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 120:
        return f"{minutes} min ago"
    hours = minutes // 60
    return f"{hours} h ago" if hours < 48 else f"{hours // 24} days ago"


def _percent(share: float) -> str:
    # Never 100 while something is missing.
    return f"{int(share * 100)} %"
