"""Each group against the rest: intervals, tests, and how many tests were made. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from curation.groups.slicing import Group

# Fewer say nothing about a group: it is shown, and not judged.
LEAST = 30
# Fewer are not even shown: a language that was guessed once.
SHOWN = 10
ALPHA = 0.05


@dataclass
class Counts:
    """What was counted in one group, or in all."""

    predictions: int = 0
    feedback: int = 0
    """Predictions that were rated."""
    down: int = 0
    audited: int = 0
    correct: int = 0


@dataclass(frozen=True)
class Compared:
    """A group beside the rest."""

    group: Group
    counts: Counts
    heard_q: float | None
    """Of the share of predictions that were rated; None where too few say nothing."""
    correct_q: float | None
    """Of the share of audited answers that were right."""
    is_under_heard: bool
    is_failing: bool


@dataclass
class Tally:
    """Counts by group, of as many predictions and audits as are added."""

    all: Counts = field(default_factory=Counts)
    by_group: dict[Group, Counts] = field(default_factory=dict)

    def add_prediction(self, groups: Iterable[Group], *, rating: str | None) -> None:
        """Count one prediction, with the thumb it got."""
        for counts in self._of(groups):
            counts.predictions += 1
            counts.feedback += rating is not None
            counts.down += rating == "down"

    def add_audit(self, groups: Iterable[Group], *, is_correct: bool) -> None:
        """Count one audited answer."""
        for counts in self._of(groups):
            counts.audited += 1
            counts.correct += is_correct

    def _of(self, groups: Iterable[Group]) -> Iterable[Counts]:
        yield self.all
        for group in groups:
            yield self.by_group.setdefault(group, Counts())


def compare(tally: Tally, *, most: int) -> list[Compared]:
    """The groups of each dimension, at most the ``most`` largest, each against all others.

    A dimension with one group is left out: it has no rest. Two-sided exact tests (Fisher 1922),
    adjusted over all groups by Benjamini and Hochberg (1995): of the groups that are flagged, at
    most one in twenty is expected to be flagged by chance.
    """
    chosen = _largest(tally.by_group, most)
    total = tally.all
    heard = [
        _Beside(c.feedback, c.predictions, total.feedback, total.predictions) for _, c in chosen
    ]
    right = [_Beside(c.correct, c.audited, total.correct, total.audited) for _, c in chosen]
    heard_q, right_q = _adjusted([b.p for b in heard]), _adjusted([b.p for b in right])
    return [
        Compared(
            group,
            counts,
            heard_q[i],
            right_q[i],
            is_under_heard=heard[i].is_below and _is_flagged(heard_q[i]),
            is_failing=right[i].is_below and _is_flagged(right_q[i]),
        )
        for i, (group, counts) in enumerate(chosen)
    ]


def _largest(by_group: Mapping[Group, Counts], most: int) -> list[tuple[Group, Counts]]:
    dimensions: dict[str, list[tuple[Group, Counts]]] = {}
    for group, counts in by_group.items():
        dimensions.setdefault(group[0], []).append((group, counts))
    chosen = []
    for name in sorted(dimensions):
        members = sorted(
            (each for each in dimensions[name] if _is_shown(each[1])),
            key=lambda each: (-each[1].predictions, -each[1].audited, each[0]),
        )
        # Words that a lead wrote are compared with the texts without them.
        if len(members) > 1 or name == "words":
            chosen += members[:most]
    return chosen


def _is_shown(counts: Counts) -> bool:
    return max(counts.predictions, counts.audited) >= SHOWN


@dataclass(frozen=True)
class _Beside:
    """A group's share beside that of the rest."""

    hits: int
    n: int
    all_hits: int
    all_n: int

    @property
    def p(self) -> float | None:
        """That both are the same, two-sided; None where either is too small."""
        rest = self.all_n - self.n
        if self.n < LEAST or rest < LEAST:
            return None
        from scipy.stats import fisher_exact  # takes long to import: only who measures pays

        rest_hits = self.all_hits - self.hits
        table = [[self.hits, self.n - self.hits], [rest_hits, rest - rest_hits]]
        return float(fisher_exact(table).pvalue)

    @property
    def is_below(self) -> bool:
        return self.hits * (self.all_n - self.n) < (self.all_hits - self.hits) * self.n


def _is_flagged(q: float | None) -> bool:
    return q is not None and q <= ALPHA


def _adjusted(p_values: Sequence[float | None]) -> list[float | None]:
    """Benjamini and Hochberg's adjusted p-values, in the order given; None stays None.

    >>> _adjusted([0.01, None, 0.04, 0.03])
    [0.03, None, 0.04, 0.04]
    """
    known = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    least = 1.0
    for rank, (p, index) in reversed(list(enumerate(known, start=1))):
        least = min(least, p * len(known) / rank)
        adjusted[index] = least
    return adjusted
