"""With what chance each text is picked, and a draw that keeps exactly to it.

Who learns from picked texts must know how they were picked: an estimate over the pool weights each
by the inverse of its inclusion probability π (Horvitz and Thompson 1952, JASA 47, equation 4),

    estimate of the pool's total of y  =  Σ over the picks of y / π,

which is unbiased when every π is above zero and true. So π is designed first, and the draw is made
to fit it. A strategy says in which order it would ask; the text at place r gets r^-2, scaled so
that the strategy's share of the picks is used up and capped at 1: the first half of its share is
asked for certain, the rest falls off. A draw by place rather than the top alone also teaches more a
batch (Kirsch et al. 2023, "Stochastic Batch Acquisition", TMLR; their softrank with β = 2). The
uniform share gives every text of the pool the same. The sums over the strategies, capped at 1 and
scaled again to the number of picks, are the inclusion probabilities.

All take and return (n_texts,) arrays; an empty pool gives empty arrays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
UNIFORM = "uniform"
# The share of a strategy's picks that go to its first places: 2 makes half of them certain.
STEEPNESS = 2.0


@dataclass(frozen=True)
class Design:
    """How likely each text of a pool is picked."""

    probability: Floats
    """π of each text that was listed, in (0, 1]."""
    beyond: float
    """π of each further text, which only the uniform share can reach; 0 when there is none."""
    shares: Mapping[str, Floats]
    """By strategy, what it adds to each listed text before the cap."""


def design(
    orders: Mapping[str, Sequence[int]],
    *,
    shares: Mapping[str, float],
    n_listed: int,
    n_beyond: int = 0,
    n: int,
) -> Design:
    """π for ``n`` picks from ``n_listed`` texts in order and ``n_beyond`` that nobody put in order.

    ``orders`` has, for each strategy, positions of listed texts with the most wanted first; a
    strategy may leave texts out, and one that says nothing leaves its share to the others.
    ``shares`` are relative weights and name ``uniform`` with more than nothing: raises
    ``ValueError`` otherwise, for some π would be 0.
    """
    if shares.get(UNIFORM, 0) <= 0 or min(shares.values()) < 0:
        raise ValueError("The uniform share must be above 0, and none below.")
    size = n_listed + n_beyond
    wanted = min(n, size)
    heard = {name: shares[name] for name, order in orders.items() if len(order) and shares[name]}
    total = sum(heard.values()) + shares[UNIFORM]
    parts = {
        name: _by_place(orders[name], n_listed=n_listed, n=wanted * share / total)
        for name, share in heard.items()
    }
    everyone = wanted * shares[UNIFORM] / total / size if size else 0.0
    parts[UNIFORM] = np.full(n_listed, everyone)
    merits = np.append(np.sum(list(parts.values()), axis=0), everyone)
    copies = np.append(np.ones(n_listed), float(n_beyond))
    probability = capped(merits, n=wanted, copies=copies)
    return Design(probability[:-1], float(probability[-1]) if n_beyond else 0.0, parts)


def capped(merits: Floats, *, n: float, copies: Floats | None = None) -> Floats:
    """π in proportion to ``merits``, at most 1 each, with a sum of ``n``.

    Those that reach 1 are set aside and the rest is scaled anew until none exceeds it (Särndal,
    Swensson, Wretman 1992, section 3.6.2). ``copies`` (n_texts,) says how many texts a merit stands
    for. Merits 4, 1, 1 for n = 2 → 1, 0.5, 0.5. All are 1 when there are no more than ``n``.
    """
    many = np.ones(len(merits)) if copies is None else copies
    probability = np.where(merits > 0, 1.0, 0.0)
    certain = np.zeros(len(merits), dtype=bool)
    while True:
        free = ~certain & (merits > 0) & (many > 0)
        left, weight = n - many[certain].sum(), (merits * many)[free].sum()
        if weight <= 0 or left >= many[free].sum():
            return probability
        scaled = merits * (max(left, 0.0) / weight)
        over = free & (scaled >= 1)
        if not over.any():
            return np.where(free, scaled, probability)
        certain |= over


def systematic(probability: Floats, *, n_beyond: int, beyond: float, seed: int) -> "Drawn":
    """Pick texts so that each is picked with exactly its probability, and the number is fixed.

    The probabilities are laid end to end in random order, the further texts last, and every point
    at a whole distance from a random start picks whose stretch it falls into (Madow 1949, Annals
    of Mathematical Statistics 20, 333-354).
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(probability))
    ends = np.cumsum(np.append(probability[order], n_beyond * beyond))
    n = round(float(ends[-1])) if len(ends) else 0
    if n == 0:
        return Drawn([], 0)
    # The sum is a whole number but for rounding, which must not cost the last pick.
    points = (rng.random() + np.arange(n)) * (ends[-1] / n)
    hits = np.searchsorted(ends, points, side="right")
    listed = order[hits[hits < len(order)]]
    return Drawn(sorted(set(listed.tolist())), int((hits >= len(order)).sum()))


@dataclass(frozen=True)
class Drawn:
    """What a draw picked."""

    listed: list[int]
    """Positions of listed texts, ascending."""
    n_beyond: int
    """How many of the further texts, to be taken at random."""


def _by_place(order: Sequence[int], *, n_listed: int, n: float) -> Floats:
    """What a strategy adds to each listed text: place to the power of -2, capped, ``n`` in sum."""
    places = np.arange(1, len(order) + 1, dtype=np.float64)
    part = np.zeros(n_listed)
    part[np.asarray(order, dtype=np.intp)] = capped(places**-STEEPNESS, n=n)
    return part
