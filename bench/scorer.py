"""One prediction in process: the compiled scorer against scikit-learn's own ``predict_proba``.

``python -m bench.scorer`` prints the ratio of medians, measured in turns in the same run on random
review-like texts, and fails below the floor or when the numbers differ.
"""

import random
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import TypeVar

import numpy as np

from rollout.serving.scorer import compile_scorer
from training.estimators import build, fit

FLOOR = 10.0
TOLERANCE = 1e-9
WORDS = 6_000
FEATURES = 50_000
TRAINING_TEXTS = 8_000
TIMED_TEXTS = 1_000
# Texts answered before the other takes its turn: a busy moment meets both, and neither runs in
# the caches the other has just filled, which no server would.
TURN = 50
Answer = TypeVar("Answer")


def random_texts(rng: random.Random, n: int) -> list[str]:
    """Texts of 5 to 40 words; the k-th commonest word has a share of about 1/k, as in language."""
    words = [
        "".join(rng.choices("abcdefghijklmnoprstuvw", k=rng.randint(2, 9))) for _ in range(WORDS)
    ]
    shares = [1 / rank for rank in range(1, WORDS + 1)]
    return [" ".join(rng.choices(words, shares, k=rng.randint(5, 40))) for _ in range(n)]


def measure(classes: list[str], rng: random.Random) -> tuple[float, float, float]:
    """Median microseconds of scikit-learn and of the scorer for one text, and the largest gap."""
    texts = random_texts(rng, TRAINING_TEXTS + TIMED_TEXTS)
    training, timed = texts[:TRAINING_TEXTS], texts[TRAINING_TEXTS:]
    pipeline = fit(
        build("tfidf_logreg", params={"max_features": FEATURES, "C": 1.0}, seed=1),
        texts=training,
        labels=rng.choices(classes, k=len(training)),
    )
    scorer = compile_scorer(pipeline)
    theirs: list[float] = []
    ours: list[float] = []
    gap = 0.0
    for start in range(0, len(timed), TURN):
        turn = timed[start : start + TURN]
        expected = [
            _clocked(lambda text: pipeline.predict_proba([text])[0], t, theirs) for t in turn
        ]
        scores = [_clocked(scorer.score, text, ours) for text in turn]
        for row, score in zip(expected, scores, strict=True):
            gap = max(gap, float(np.abs(row - list(score.probabilities.values())).max()))
    return 1e6 * median(theirs), 1e6 * median(ours), gap


def _clocked(answer: Callable[[str], Answer], text: str, seconds: list[float]) -> Answer:
    start = time.perf_counter()
    result = answer(text)
    seconds.append(time.perf_counter() - start)
    return result


def main() -> int:
    """Print a line for two and for five classes; 1 when one misses the floor."""
    rng = random.Random(20)
    misses = 0
    for classes in (["negative", "positive"], ["bad", "fair", "good", "great", "poor"]):
        theirs, ours, gap = measure(classes, rng)
        ratio = theirs / ours
        good = ratio >= FLOOR and gap <= TOLERANCE
        misses += not good
        print(
            f"{'ok  ' if good else 'MISS'} one prediction, {len(classes)} classes: {ratio:.1f} x "
            f"scikit-learn (floor {FLOOR:g}); {ours:.0f} against {theirs:.0f} us, gap {gap:.1g}"
        )
    return min(misses, 1)


if __name__ == "__main__":
    sys.exit(main())
