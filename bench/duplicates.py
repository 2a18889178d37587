"""Near-duplicates: a million short texts through ``upsert_samples``, beside rensa's LSH in memory.

``python -m bench duplicates`` writes reviews of the demo's grammar, a fifth of them reworded copies
of earlier ones, and takes them in as an import would, 2,000 at a time. A sample of them is compared
with all earlier texts by brute force. rensa does the same job at the same points: prepare, query,
compare what it offers exactly until one is alike, insert. ``BENCH_TEXTS`` sets another number.
"""

import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import psutil
from rensa import RMinHash, RMinHashLSH

from bench._database import database
from curation.digest.normalise import normalise
from curation.digest.sketch import ALIKE, BANDS, ROWS, SEED, SHORTEST, grams, hashed_grams, jaccard
from feedbackhub.demo.corpus import generate_reviews

TEXTS = int(os.environ.get("BENCH_TEXTS", "1000000"))
BATCH = 2_000
EARLY = min(100_000, TEXTS)
REWORDED = 0.2
SAMPLED = 400
PEER_TEXTS = 1_000
RECALL = 0.98
COLUMNS = 1 << 20
WORDS = ("really", "just", "so", "and", "today", "honestly", "again", "quite")


@dataclass(frozen=True)
class Found:
    """What became of the sampled texts, beside the truth."""

    recall: float
    """Of those alike to an earlier text: recognised as such."""
    earliest: float
    """Of the same: with the earliest, or in no cluster because of several splits."""
    precision: float
    """Of those put with earlier texts: alike to one of that cluster."""
    leaks: int
    """Pairs that are alike and in different splits."""
    pairs: int
    unused: float
    """Share of all texts without a cluster."""


def corpus() -> list[str]:
    """Distinct normalised texts, long enough to have near-duplicates; the same ones every time."""
    rng = random.Random(5)
    fresh = iter(generate_reviews(n=TEXTS, seed=1))
    texts: dict[str, None] = {}
    drawn: list[str] = []
    while len(texts) < TEXTS:
        again = drawn and rng.random() < REWORDED
        review = None if again else next(fresh, None)
        text = normalise(review.text if review else reworded(rng.choice(drawn), rng))
        if len(text) >= SHORTEST and text not in texts:
            texts[text] = None
            drawn.append(text)
    return drawn


def reworded(text: str, rng: random.Random) -> str:
    """``text`` with up to three words left out, put in or misspelt."""
    words = text.split()
    for _ in range(rng.choice((1, 1, 2, 3))):
        at, how = rng.randrange(len(words)), rng.random()
        if how < 0.4 and len(words) > 2:
            words.pop(at)
        elif how < 0.7:
            words.insert(at, rng.choice(WORDS))
        else:
            words[at] = words[at][:-1] + rng.choice("abcdest")
    return " ".join(words)


def main() -> int:
    """Measure and judge; 1 when recall, precision or speed are below the floor."""
    texts = corpus()
    with database():
        from django.db import connection  # noqa: PLC0415 settings exist only now

        homes, rates = _take_in(texts)
        _sizes()
        connection.close()
    found = _judged(texts, homes)
    missed = _say_found(found)
    for label, size in (("early", EARLY), ("late", TEXTS)):
        alone, same = _peer(texts, size)
        good = rates[label] >= same
        missed |= not good
        print(
            f"  at {size:,}: {rates[label]:,.0f} texts/s into Postgres; rensa in memory {same:,.0f}"
            f" doing the same, {alone:,.0f} without comparing: {'ok' if good else 'MISSED'}",
            flush=True,
        )
    return int(missed)


def _take_in(texts: Sequence[str]) -> tuple[npt.NDArray[np.int64], dict[str, float]]:
    """(n_texts, 2) cluster (0 for none) and split of each; the rates of the first and last part."""
    from curation.digest.samples import NewSample, upsert_samples  # noqa: PLC0415
    from curation.models import Sample  # noqa: PLC0415
    from curation.services import LabelSpec, create_project  # noqa: PLC0415

    now = datetime.now(UTC)
    project = create_project(
        slug="bench",
        name="Bench",
        labels=[LabelSpec("bad", "#dc2626", "1"), LabelSpec("good", "#16a34a", "2")],
        guideline="",
        created_by=None,
        is_demo=False,
        now=now,
    )
    before, ids, seconds = _rss_mb(), [], []
    for start in range(0, len(texts), BATCH):
        batch = [NewSample(text, Sample.Origin.IMPORT) for text in texts[start : start + BATCH]]
        began = time.perf_counter()
        ids += upsert_samples(project=project, samples=batch, now=now)
        seconds.append(time.perf_counter() - began)
        if (start + BATCH) % EARLY == 0:
            part = seconds[-EARLY // BATCH :]
            print(f"  {start + BATCH:,}: {EARLY / sum(part):,.0f} texts/s", flush=True)
    print(f"  the writer's memory grew by {_rss_mb() - before:.0f} MB", flush=True)
    window = EARLY // BATCH
    rates = {"early": EARLY / sum(seconds[:window]), "late": EARLY / sum(seconds[-window:])}
    known = {
        pk: (cluster or 0, ("train", "calibrate", "test", None).index(split))
        for pk, cluster, split in Sample.objects.values_list(
            "pk", "cluster_id", "cluster__split"
        ).iterator(chunk_size=50_000)
    }
    return np.array([known[pk] for pk in ids], dtype=np.int64), rates


def _sizes() -> None:
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_relation_size('curation_band') / 1e6,"
            " pg_indexes_size('curation_band') / 1e6, (SELECT count(*) FROM curation_band)"
        )
        heap, index, rows = cursor.fetchone()
    print(
        f"  {rows / TEXTS:.1f} bands a text; on disk {heap:,.0f} MB and {index:,.0f} MB of index",
        flush=True,
    )


def _judged(texts: Sequence[str], homes: npt.NDArray[np.int64]) -> Found:
    rng = np.random.default_rng(1)
    sampled = np.sort(rng.choice(np.arange(TEXTS // 10, TEXTS), SAMPLED, replace=False))
    clusters, splits = homes[:, 0], homes[:, 1]
    alike = recognised = first = joined = right = leaks = pairs = 0
    for at, earlier in _brute_force(texts, sampled.tolist()):
        near = [other for other in earlier if clusters[other]]
        is_torn = len({int(splits[other]) for other in near}) > 1
        home = clusters[at]
        others = {int(clusters[other]) for other in near}
        pairs += len(near)
        if near:
            alike += 1
            recognised += home in others or (not home and is_torn)
            first += not home if is_torn else home == clusters[near[0]]
        if home:
            leaks += sum(splits[other] != splits[at] for other in near)
            if (clusters[:at] == home).any():
                joined += 1
                right += home in others
    return Found(
        recall=recognised / alike,
        earliest=first / alike,
        precision=right / max(joined, 1),
        leaks=leaks,
        pairs=pairs,
        unused=float((clusters == 0).mean()),
    )


def _brute_force(texts: Sequence[str], sampled: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
    """Each sampled text with all earlier ones whose Jaccard reaches the threshold."""
    columns, begins, sizes = _gram_columns(texts)
    for at in sampled:
        mine = np.zeros(COLUMNS, dtype=np.int32)
        mine[columns[begins[at] : begins[at] + sizes[at]]] = 1
        shared = np.add.reduceat(mine[columns[: begins[at]]], begins[:at])
        # Columns are shared by few grams: near enough to look at, then compared exactly.
        close = np.nonzero(shared / (sizes[at] + sizes[:at] - shared) >= ALIKE - 0.1)[0]
        own = grams(texts[at])
        yield at, [other for other in close.tolist() if jaccard(own, grams(texts[other])) >= ALIKE]


def _gram_columns(
    texts: Sequence[str],
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    parts, sizes = [], []
    for start in range(0, len(texts), 10_000):
        hashes, offsets = hashed_grams(texts[start : start + 10_000])
        rows = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets.astype(np.int64)))
        keys = np.unique(rows * COLUMNS + (hashes & np.uint64(COLUMNS - 1)).astype(np.int64))
        parts.append((keys % COLUMNS).astype(np.int32))
        sizes.append(np.bincount(keys // COLUMNS, minlength=len(offsets) - 1))
    lengths = np.concatenate(sizes).astype(np.int64)
    return np.concatenate(parts), np.cumsum(lengths) - lengths, lengths


def _peer(texts: Sequence[str], size: int) -> tuple[float, float]:
    """Texts a second of rensa's LSH that holds ``size`` texts: without and with the comparison."""
    before = _rss_mb()
    lsh = RMinHashLSH(0.5, BANDS * ROWS, BANDS)
    for start in range(0, size - PEER_TEXTS, 10_000):
        part = texts[start : min(start + 10_000, size - PEER_TEXTS)]
        sets = [list(grams(text)) for text in part]
        lsh.insert_matrix(RMinHash.digest_matrix_from_token_sets(sets, BANDS * ROWS, SEED), start)
    print(f"  rensa's memory at {size:,}: {_rss_mb() - before:,.0f} MB", flush=True)
    querying = comparing = 0.0
    for at in range(size - PEER_TEXTS, size):
        began = time.perf_counter()
        mine = grams(normalise(texts[at]))
        minima = RMinHash(BANDS * ROWS, SEED)
        minima.update(list(mine))
        offered = lsh.query(minima)
        lsh.insert(at, minima)
        querying += (queried := time.perf_counter()) - began
        any(jaccard(mine, grams(texts[other])) >= ALIKE for other in sorted(offered))
        comparing += time.perf_counter() - queried
    return PEER_TEXTS / querying, PEER_TEXTS / (querying + comparing)


def _say_found(found: Found) -> bool:
    """Print it; whether it is below the floor."""
    good = found.recall >= RECALL and found.precision == 1.0
    print(
        f"  of {SAMPLED} texts against all before them: recall {found.recall:.4f} (floor {RECALL}),"
        f" with the earliest {found.earliest:.4f}, precision {found.precision:.4f},"
        f" {found.leaks} of {found.pairs} pairs in two splits; {found.unused:.1%} of all texts in"
        f" no cluster: {'ok' if good else 'MISSED'}",
        flush=True,
    )
    return not good


def _rss_mb() -> float:
    return float(psutil.Process().memory_info().rss) / 1e6


if __name__ == "__main__":
    sys.exit(main())
