"""Near-duplicates in Postgres: which texts of a project, stored or of one batch, are alike.

Texts are listed under the bands of their sketches, as many in a row of ``curation_band``. Whoever
shares a band with a new text and has a similar signature is compared with it exactly. A band that
very many texts share (of a template, or of spam with a counter) lists only the earliest of them:
the rest is found by their other bands, or has joined the cluster of the listed ones already.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from django.db import connection

from curation.digest.normalise import normalise
from curation.digest.sketch import (
    ALIKE,
    BANDS,
    SHORTEST,
    differing_bits,
    grams,
    jaccard,
    sketch,
)
from curation.models.sample import Split
from feedbackhub.core.sql import execute, statements

SQL = statements(Path(__file__).with_name("near.sql"))
CLUSTER_LOCK = 7412
# What a band lists before it is crowded. Held-out texts are few, and must be found whatever
# training texts crowd their bands.
CROWD = {Split.TRAIN: 8, Split.CALIBRATE: 32, Split.TEST: 32}
# Of texts exactly as alike as ``ALIKE``, one in a thousand differs in more bits.
MOST_BITS = differing_bits(ALIKE, deviations=3)


class Home(NamedTuple):
    """A cluster a text may belong to."""

    cluster_id: int
    split: str


class Candidate(NamedTuple):
    """A text that may be alike, in a cluster."""

    sample_id: int
    home: Home
    text: str


@dataclass(frozen=True)
class Prepared:
    """Texts of one project ready to be looked up: all that needs no lock."""

    texts: list[str]
    """Normalised."""
    bands: dict[int, list[int]]
    """Of the texts long enough to have a sketch, by their places."""
    signatures: dict[int, bytes]
    """Of the same."""


def prepare(texts: Sequence[str], *, project_id: int) -> Prepared:
    """Normalise and sketch; the costly part, to be done before anyone waits for the result."""
    words = [normalise(text) for text in texts]
    long = [at for at, each in enumerate(words) if len(each) >= SHORTEST]
    if not long:
        return Prepared(words, {}, {})
    made = sketch([words[at] for at in long], project_id=project_id)
    bands = dict(zip(long, made.bands.tolist(), strict=True))
    return Prepared(words, bands, dict(zip(long, made.signatures, strict=True)))


def lock_clusters(*, project_id: int) -> None:
    """Wait until nobody else is finding clusters in this project; until the transaction ends."""
    execute(SQL["lock_clusters"], {"lock_class": CLUSTER_LOCK, "project": project_id % 2**31})


def forget(*, project_id: int, texts: Mapping[int, str]) -> None:
    """Take texts that are about to be erased, by sample id, out of the bands."""
    prepared = prepare(list(texts.values()), project_id=project_id)
    ids = list(texts)
    listed = [(band, ids[at]) for at, bands in prepared.bands.items() for band in bands]
    execute(
        SQL["forget_bands"],
        {"hashes": [band for band, _ in listed], "samples": [pk for _, pk in listed]},
    )


def array_text(numbers: Iterable[int]) -> str:
    """A PostgreSQL array. A driver that adapts each number by itself takes longer than its query.

    >>> array_text([3, -4])
    '{3,-4}'
    """
    return "{" + ",".join(map(str, numbers)) + "}"


class Neighbourhood:
    """The texts alike to each of a batch, stored before it or settled earlier in it.

    Its owner has locked the project's clusters, and settles each text before it asks about the
    next, in the order in which they came.
    """

    def __init__(self, prepared: Prepared, *, project_id: int, asked: Sequence[int]) -> None:
        """Look up the texts of the batch that are ``asked`` about in one statement."""
        self.bands: list[int] = []
        """What later texts are to find settled ones by; in step with ``listed``."""
        self.listed: list[int] = []
        """The samples of these bands."""
        self._prepared = prepared
        self._stored: dict[int, list[Candidate]] = defaultdict(list)
        self._crowds: dict[int, int] = {}
        self._settled: dict[int, list[tuple[int, Candidate]]] = defaultdict(list)
        self._grams: dict[int, frozenset[str]] = {}
        places = [at for at in asked if at in prepared.bands]
        counts = Counter(chain.from_iterable(prepared.bands[at] for at in places))
        self._shared = {band for band, count in counts.items() if count > 1}
        if places:
            self._look_up(project_id, places)
        self._watched = self._shared | self._crowds.keys()

    def home(self, at: int) -> tuple[Home | None, bool]:
        """The cluster of the earliest text alike to the ``at``-th, and whether splits conflict.

        None when nothing is alike, or when texts alike to it are in clusters of different splits.
        """
        homes = list(self._homes(at))
        return (homes[0], False) if len(homes) == 1 else (None, bool(homes))

    def splits(self, at: int) -> set[str]:
        """Of the clusters that hold texts alike to the ``at``-th."""
        return {home.split for home in self._homes(at)}

    def signature(self, at: int) -> str | None:
        """Of the ``at``-th text, in hexadecimal; None for one too short."""
        held = self._prepared.signatures.get(at)
        return None if held is None else held.hex()

    def settle(self, at: int, *, sample_id: int, home: Home) -> None:
        """The ``at``-th text is a sample of this cluster: later ones are compared with it."""
        bands = self._prepared.bands.get(at, ())
        watched = self._watched.intersection(bands)
        if watched:
            candidate = Candidate(sample_id, home, self._prepared.texts[at])
            crowd = CROWD[Split(home.split)]
            full = {band for band in watched if self._crowds.get(band, 0) >= crowd}
            for band in watched - full:
                self._crowds[band] = self._crowds.get(band, 0) + 1
                self._settled[band].append((at, candidate))
            bands = [band for band in bands if band not in full]
        self.bands.extend(bands)
        self.listed.extend([sample_id] * len(bands))

    def _homes(self, at: int) -> Iterator[Home]:
        """The cluster of the earliest text alike, then those of other splits as far as there are.

        One text alike says all about its split: of the others only those that may conflict are
        compared.
        """
        mine: frozenset[str] | None = None
        seen: set[str] = set()
        for candidate in self._candidates(at):
            if candidate.home.split in seen:
                continue
            if mine is None:
                mine = grams(self._prepared.texts[at])
            if jaccard(mine, self._grams_of(candidate)) >= ALIKE:
                seen.add(candidate.home.split)
                yield candidate.home

    def _look_up(self, project_id: int, places: Sequence[int]) -> None:
        prepared = self._prepared
        params: dict[str, Any] = {
            "project": project_id,
            "bands": BANDS,
            "hashes": array_text(chain.from_iterable(prepared.bands[at] for at in places)),
            "signatures": [prepared.signatures[at].hex() for at in places],
            "most_bits": MOST_BITS,
            "crowd": min(CROWD.values()),
        }
        with connection.cursor() as cursor:
            cursor.execute(SQL["neighbours"], params)
            for row, one, two, split, text in cursor.fetchall():
                if row is None:
                    self._crowds[one] = two
                else:
                    self._stored[places[row]].append(Candidate(one, Home(two, split), text))

    def _candidates(self, at: int) -> list[Candidate]:
        """What may be alike, the earliest first."""
        near = {each.sample_id: each for each in self._stored.get(at, ())}
        for band in self._shared.intersection(self._prepared.bands.get(at, ())):
            for other, each in self._settled.get(band, ()):
                if each.sample_id not in near and self._may_be_alike(at, other):
                    near[each.sample_id] = each
        return [near[sample_id] for sample_id in sorted(near)]

    def _may_be_alike(self, one: int, other: int) -> bool:
        signatures = self._prepared.signatures
        apart = int.from_bytes(signatures[one]) ^ int.from_bytes(signatures[other])
        return apart.bit_count() <= MOST_BITS

    def _grams_of(self, candidate: Candidate) -> frozenset[str]:
        held = self._grams.get(candidate.sample_id)
        if held is None:
            held = self._grams[candidate.sample_id] = grams(normalise(candidate.text))
        return held
