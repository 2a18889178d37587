"""The texts of the journey and their truth: real reviews where they are to be had."""

import csv
import os
import random
from dataclasses import dataclass
from pathlib import Path

from feedbackhub.demo.corpus import generate_reviews
from feedbackhub.demo.eras import Label
from feedbackhub.supervision import CHECKOUT

DUMP = "restaurant/a1_RestaurantReviews_HistoricDump.tsv"
LATER = "zomato_hyderabad/zomato_hyderabad.csv"
SHORT, LONG = 25, 140
SEED = 2


@dataclass(frozen=True)
class Corpus:
    """A file to import, and what guests write afterwards."""

    dump: Path
    """Tab-separated, with ``Review`` and ``Liked``."""
    written: list[tuple[str, Label]]
    """Distinct texts with their truth, half of them positive."""

    def imported(self) -> list[tuple[str, Label]]:
        """The texts of the dump with their labels; its quotes are plain characters."""
        with self.dump.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            return [
                (row["Review"], "positive" if row["Liked"] == "1" else "negative") for row in rows
            ]


def corpus(*, n: int, folder: Path) -> Corpus:
    """The real dump and later reviews of another town; generated ones where there are none."""
    data = Path(os.environ.get("FEEDBACKHUB_SHARED_DATA") or CHECKOUT.parent / "shared" / "data")
    if (data / DUMP).exists() and (data / LATER).exists():
        return Corpus(dump=data / DUMP, written=_balanced(_rated(data / LATER), n))
    written = [
        (each.text, each.label) for each in generate_reviews(n=3 * n, seed=8, era="delivery")
    ]
    return Corpus(dump=_generated_dump(folder), written=_balanced(written, n))


def _rated(path: Path) -> list[tuple[str, Label]]:
    """Short reviews with a clear rating: 4 and more are positive, 2 and less negative."""
    rated: list[tuple[str, Label]] = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            text, stars = row["Review"].strip(), row["Rating"]
            if not SHORT <= len(text) <= LONG or "\n" in text or not text.isascii():
                continue
            if stars.replace(".", "").isdigit() and not 2 < float(stars) < 4:
                rated.append((text, "positive" if float(stars) >= 4 else "negative"))
    return rated


def _balanced(rated: list[tuple[str, Label]], n: int) -> list[tuple[str, Label]]:
    distinct = list({text.casefold(): (text, label) for text, label in rated}.values())
    rng = random.Random(SEED)
    rng.shuffle(distinct)
    halves = [[pair for pair in distinct if pair[1] == label] for label in ("positive", "negative")]
    chosen = [pair for half in halves for pair in half[: n // 2]]
    rng.shuffle(chosen)
    assert len(chosen) == n, "there are too few reviews"
    return chosen


def _generated_dump(folder: Path) -> Path:
    path = folder / "dump.tsv"
    lines = [
        f"{' '.join(review.text.split())}\t{int(review.label == 'positive')}\n"
        for review in generate_reviews(n=900, seed=7)
    ]
    path.write_text("Review\tLiked\n" + "".join(lines), encoding="utf-8")
    return path
