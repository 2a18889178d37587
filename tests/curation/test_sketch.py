"""Sketches find what is alike: their arithmetic, and what stored bands rest on."""

import random

import pytest

from curation.digest.normalise import normalise
from curation.digest.sketch import (
    ALIKE,
    BANDS,
    ROWS,
    SIGNATURE_BITS,
    differing_bits,
    grams,
    jaccard,
    sketch,
)

ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def pairs_as_alike_as(least: float, most: float, *, count: int) -> list[tuple[str, str]]:
    rng = random.Random(7)
    found: list[tuple[str, str]] = []
    while len(found) < count:
        shared = "".join(rng.choices(ALPHABET, k=rng.randint(30, 50)))
        ends = ("".join(rng.choices(ALPHABET, k=rng.randint(3, 14))) for _ in range(2))
        one, other = (shared + end for end in ends)
        if least <= jaccard(grams(one), grams(other)) < most:
            found.append((one, other))
    return found


def test_bands_are_what_they_were_when_stored() -> None:
    # Bands in databases outlive an update of the library: were these other, none would be found.
    bands = sketch(["the soup was good", "déjà-vu: \U0001f35c twice"], project_id=3).bands
    assert bands[:, 0].tolist() == [-6950961823927334447, 5287771799696701099]


def test_texts_share_bands_as_often_as_their_jaccard_says() -> None:
    pairs = pairs_as_alike_as(0.6, 0.66, count=500)
    one, other = (sketch(texts, project_id=1).bands for texts in zip(*pairs, strict=True))

    found = sum(bool(set(a) & set(b)) for a, b in zip(one.tolist(), other.tolist(), strict=True))

    expected = sum(1 - (1 - jaccard(grams(a), grams(b)) ** ROWS) ** BANDS for a, b in pairs)
    assert found == pytest.approx(expected, abs=15)


def test_signatures_differ_within_bounds_in_texts_alike_and_beyond_them_in_others() -> None:
    most = differing_bits(ALIKE, deviations=3)
    alike = pairs_as_alike_as(0.6, 0.7, count=300)
    texts = [text for pair in alike for text in pair]
    signatures = [int.from_bytes(each) for each in sketch(texts, project_id=1).signatures]
    apart = [(a ^ b).bit_count() for a, b in zip(signatures[::2], signatures[1::2], strict=True)]
    strangers = [(a ^ b).bit_count() for a, b in zip(signatures, signatures[2:], strict=False)]

    assert sum(bits > most for bits in apart) <= 3
    assert min(strangers) > most
    assert SIGNATURE_BITS == 320


def test_texts_of_two_projects_share_no_band() -> None:
    here, there = (sketch(["the soup was good"], project_id=pk).bands for pk in (1, 2))
    assert not set(here[0].tolist()) & set(there[0].tolist())


def test_a_sketch_depends_on_its_own_text_alone() -> None:
    texts = ["the soup was good", "the bread was stale", "nothing at all to say"]
    together = sketch(texts, project_id=1)
    for at, text in enumerate(texts):
        alone = sketch([text], project_id=1)
        assert alone.bands[0].tolist() == together.bands[at].tolist()
        assert alone.signatures[0] == together.signatures[at]


@pytest.mark.parametrize(
    "text",
    ["  The  SOUP\twas GOOD ", "plain", "", "naïve ＦＵＬＬ", "zero\u200bwidth", "bell\x07", "ẞ ß"],
)
def test_the_short_way_normalises_as_the_long_one_does(text: str) -> None:
    # A character that is not ASCII sends the text the long way.
    assert normalise(text + " é") == (normalise(text) + " é").strip()
