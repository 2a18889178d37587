"""Scoring with a version that may fail: whatever it does, the request can still be answered."""

import math
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from traceback import extract_tb

from django.db import transaction

from rollout.models import ServingFailure
from rollout.serving.scorer import Score, Scorer

Timed = tuple[Score, float]
"""A score and the milliseconds it took."""


def timed(scorer: Scorer, texts: Sequence[str]) -> list[Timed]:
    """The scores of texts, which share the time equally. Raises whatever the model raises."""
    started = time.perf_counter()
    scores = scorer.score_many(texts)
    each_ms = (time.perf_counter() - started) * 1_000 / len(texts)
    return [(score, each_ms) for score in scores]


def attempted(scorer: Scorer, texts: Sequence[str]) -> list[Timed | str]:
    """The scores of texts, and for each that the model cannot answer the reason instead.

    They are scored together; only when that fails, one by one.
    """
    try:
        found = timed(scorer, texts)
        if len(found) == len(texts) and all(math.isfinite(one.confidence) for one, _ in found):
            return list(found)
        said = "Its answer is no probability."
    # A model is code that others trained: nothing it raises may cost a request.
    except Exception as error:
        said = _described(error)
    if len(texts) == 1:
        return [said]
    return [one for text in texts for one in attempted(scorer, [text])]


def record_failures(*, rollout_id: int, arm: str, reasons: Sequence[str], now: datetime) -> None:
    """Keep what the guardrail on errors counts: one row for each text that was not answered."""
    with transaction.atomic():
        ServingFailure.objects.bulk_create(
            ServingFailure(rollout_id=rollout_id, arm=arm, detail=reason, at=now)
            for reason in reasons
        )


def _described(error: Exception) -> str:
    """The kind of error and where it came from. Its message may quote the text: it is left out."""
    last = extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
