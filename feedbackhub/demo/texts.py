"""Which reviews the demo imports and which its guests write later, with the truth about each."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from curation.intake.files import read_rows
from feedbackhub.demo.corpus import OVERALL, Review, generate_reviews, normalised
from feedbackhub.demo.eras import Label

LABEL_OF: dict[str, Label] = {"0": "negative", "1": "positive"}
# Of a dump, this many reviews are kept back to be written by guests.
KEPT_BACK = 100


@dataclass(frozen=True)
class Texts:
    """The reviews of one demo."""

    imported: list[Review]
    stream: list[Review]
    """In the order guests write them."""
    test_share: float
    """Of the imported ones: a small import holds more of them out, for tests to mean something."""

    def truth(self) -> dict[str, Label]:
        """The true label of every text, by its normalised form."""
        return {normalised(review.text): review.label for review in self.imported + self.stream}


def generated(*, imported: int, stream: int, seed: int) -> Texts:
    """Opening-era reviews to import; then guests who order in as well."""
    return Texts(
        imported=generate_reviews(n=imported, seed=seed),
        stream=generate_reviews(n=stream, seed=seed + 1, era="delivery"),
        test_share=0.25,
    )


def dumped(path: Path, *, stream: int, seed: int) -> Texts:
    """The restaurant dump, some of it kept back for the guests; generated reviews fill the rest.

    Raises :class:`~curation.intake.files.CannotImport` when the file is not such a dump.
    """
    rows = read_rows(path, columns=["Review", "Liked"], is_quoted=None)
    reviews = [
        Review(str(row.values["Review"]), LABEL_OF[liked], OVERALL, "plain")
        for row in rows
        if row.values and (liked := str(row.values["Liked"]).strip()) in LABEL_OF
    ]
    rng = random.Random(f"dump:{seed}")  # noqa: S311 a demo is no secret
    rng.shuffle(reviews)
    written = reviews[:KEPT_BACK] + generate_reviews(
        n=stream - KEPT_BACK, seed=seed + 1, era="delivery"
    )
    rng.shuffle(written)
    return Texts(imported=_unlike(reviews[KEPT_BACK:], written), stream=written, test_share=0.4)


def _unlike(reviews: Iterable[Review], others: Iterable[Review]) -> list[Review]:
    taken = {normalised(review.text) for review in others}
    return [review for review in reviews if normalised(review.text) not in taken]
