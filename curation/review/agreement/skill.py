"""What is known of an annotator, as the chance of each answer given each truth. Pure.

Evidence shrinks towards less specific knowledge twice: an annotator's accuracy towards what is
assumed of anyone in their role (a Beta prior), and each row of their confusion towards their
accuracy with errors spread evenly (a Dirichlet prior). Nobody is judged by three answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

# What is assumed of someone nobody was compared with, and the number of comparisons that outweigh
# it. A lone blind answer has to be believed, or a project with one annotator would learn nothing.
PRIOR_ACCURACY = 0.95
SENIOR_ACCURACY = 0.98
PRIOR_STRENGTH = 10.0
ROW_STRENGTH = 10.0
# Nobody is taken to be infallible, nor to be wrong on purpose.
MOST_ACCURATE = 0.995


@dataclass(frozen=True)
class Skill:
    """What comparisons told about one annotator; empty for someone nobody was compared with."""

    confusion: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By truth, then by what was said: counts, fractional where the truth itself is uncertain."""

    @property
    def n(self) -> float:
        """How many comparisons with a known truth the evidence is worth."""
        return sum(sum(row.values()) for row in self.confusion.values())

    @property
    def right(self) -> float:
        """How many of them were right."""
        return sum(row.get(truth, 0.0) for truth, row in self.confusion.items())

    def accuracy(self, *, is_senior: bool) -> float:
        """The expected share of right answers, in (0, 1): the mean of the Beta posterior.

        >>> Skill().accuracy(is_senior=False)
        0.95
        >>> Skill({"good": {"good": 5, "bad": 5}}).accuracy(is_senior=False)
        0.725
        """
        prior = SENIOR_ACCURACY if is_senior else PRIOR_ACCURACY
        mean = (self.right + PRIOR_STRENGTH * prior) / (self.n + PRIOR_STRENGTH)
        return min(mean, MOST_ACCURATE)

    def chance(self, said: str, *, truth: str, n_labels: int, is_senior: bool) -> float:
        """How likely the annotator says ``said`` where ``truth`` is true, in (0, 1).

        >>> round(Skill().chance("bad", truth="good", n_labels=3, is_senior=False), 3)
        0.025
        """
        accuracy = self.accuracy(is_senior=is_senior)
        evenly = accuracy if said == truth else (1 - accuracy) / max(n_labels - 1, 1)
        row = self.confusion.get(truth, {})
        return (row.get(said, 0.0) + ROW_STRENGTH * evenly) / (sum(row.values()) + ROW_STRENGTH)
