"""Near-duplicates in numbers: a text's 4-grams, their exact Jaccard, and MinHash sketches. Pure.

A sketch holds ``BANDS * ROWS`` minima of as many hash functions over a text's 4-grams (Broder 1997,
"On the resemblance and containment of documents"): two texts agree in each with the probability of
their Jaccard J. Bands of ``ROWS`` minima find candidates: texts share at least one band with
probability ``1 - (1 - J**ROWS) ** BANDS`` (Leskovec et al., "Mining of Massive Datasets", 3.4.2).

>>> [round(1 - (1 - j**ROWS) ** BANDS, 3) for j in (0.3, 0.6, 0.65, 0.7, 0.8)]
[0.15, 0.938, 0.98, 0.996, 1.0]

Bands in the database outlive this code: whatever changes them leaves the texts before unfound.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rensa import RMinHash

GRAM = 4
# Of shorter texts a sketch is noise: they are the same or they are not.
SHORTEST = 12
ALIKE = 0.6
BANDS, ROWS = 20, 4
SEED = 7411
# So many low bits of each minimum make the signature, from which the Jaccard can be estimated.
BITS = 4
SIGNATURE_BITS = BANDS * ROWS * BITS
_MIX = np.uint64(0x9E3779B97F4A7C15)
_STIR = np.uint64(0xBF58476D1CE4E5B9)


@dataclass(frozen=True)
class Sketches:
    """Of several texts; the rows run in step with them."""

    bands: npt.NDArray[np.int64]
    """(n_texts, BANDS): one hash a band, of texts of one project alone."""
    signatures: list[bytes]
    """``SIGNATURE_BITS`` bits each."""


def grams(text: str) -> frozenset[str]:
    """The distinct runs of four characters; empty below four.

    >>> sorted(grams("soups soup"))
    [' sou', 'oups', 'ps s', 's so', 'soup', 'ups ']
    """
    return frozenset([text[at : at + GRAM] for at in range(len(text) - GRAM + 1)])


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """What two sets share of all they hold, in [0, 1]; 0 when both are empty.

    >>> jaccard(grams("the soup was good"), grams("the soup was not good"))
    0.6
    """
    shared = len(one & other)
    return shared / ((len(one) + len(other) - shared) or 1)


def differing_bits(jaccard: float, *, deviations: float) -> int:
    """How many bits of two signatures differ at most, but for ``deviations`` standard deviations.

    A minimum that differs (probability ``1 - J``) differs in each of its bits half the time.

    >>> differing_bits(0.6, deviations=0)
    64
    >>> differing_bits(0.6, deviations=3)
    95
    """
    apart, minima = 1 - jaccard, BANDS * ROWS
    mean = apart * BITS / 2
    variance = apart * BITS * (BITS + 1) / 4 - mean**2
    return int(minima * mean + deviations * (minima * variance) ** 0.5)


def sketch(texts: Sequence[str], *, project_id: int) -> Sketches:
    """The sketches of normalised texts, none of them shorter than ``SHORTEST``."""
    hashes, offsets = hashed_grams(texts)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, offsets, BANDS * ROWS, SEED)
    minima = np.array(matrix.to_rows(), dtype=np.uint64)
    bands = np.full((len(texts), BANDS), project_id, dtype=np.uint64) * _MIX
    bands += np.arange(BANDS, dtype=np.uint64)
    for row in range(ROWS):
        bands = _stirred(bands) + minima[:, row::ROWS]
    low = (minima[:, :, None] >> np.arange(BITS, dtype=np.uint64)) & np.uint64(1)
    packed = np.packbits(low.astype(np.uint8).reshape(len(texts), SIGNATURE_BITS), axis=1)
    return Sketches(_stirred(bands).view(np.int64), [each.tobytes() for each in packed])


def hashed_grams(
    texts: Sequence[str],
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """A 64-bit hash of each run of four characters, text after text, and where each text begins."""
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    joined = "".join(texts).encode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(joined, dtype="<u4").astype(np.uint64)
    last = len(codes) - GRAM + 1
    hashes = codes[:last]
    for at in range(1, GRAM):
        hashes = _stirred(hashes) + codes[at : last + at]
    # Runs that reach into the next text are none.
    within = np.ones(last, dtype=bool)
    borders = np.cumsum(lengths)[:-1]
    for back in range(1, GRAM):
        within[borders - back] = False
    offsets = np.zeros(len(texts) + 1, dtype=np.uint64)
    offsets[1:] = np.cumsum(lengths - GRAM + 1)
    return _stirred(hashes)[within], offsets


def _stirred(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Each value mixed, so that one changed bit changes half of them."""
    mixed = (values + _MIX) * _STIR
    return mixed ^ (mixed >> np.uint64(31))
