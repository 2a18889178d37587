"""What a measurement comes out as: a number with its interval, or words for why there is none."""

from dataclasses import asdict, dataclass
from typing import Any

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A measured number and how sure it is."""

    value: float
    low: float
    """Lower end of the interval, in the unit of ``value``."""
    high: float
    n: int
    """How many observations it rests on."""


@dataclass(frozen=True)
class NotEnough:
    """The honest answer when there is too little data for a number."""

    needed: int | None
    """About how many more observations give one; None when nobody can say."""
    sentence: str


Measured = Estimate | NotEnough


def not_enough(*, needed: int | None, unit: str) -> NotEnough:
    """A :class:`NotEnough` in the house's words: "Not enough data, about 12 more audit labels."."""
    if needed is None:
        return NotEnough(None, f"Not enough data: no telling how many more {unit} it takes.")
    return NotEnough(needed, f"Not enough data, about {needed:,} more {unit}.")


@dataclass(frozen=True)
class Tally:
    """How many of ``n`` observations were hits. Raises ``ValueError`` on impossible counts."""

    hits: int
    n: int

    def __post_init__(self) -> None:
        if not 0 <= self.hits <= self.n:
            raise ValueError(f"{self.hits} of {self.n} is not a count of hits.")

    @property
    def misses(self) -> int:
        """The observations that were not hits."""
        return self.n - self.hits


def to_json(measured: Measured) -> dict[str, Any]:
    """A measurement as a JSON object; :func:`from_json` brings it back."""
    return asdict(measured)


def from_json(stored: dict[str, Any]) -> Measured:
    """The measurement that :func:`to_json` stored."""
    return NotEnough(**stored) if "sentence" in stored else Estimate(**stored)
