"""What one thumb says is true, given the answer it judges. Pure."""

from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Suggestion:
    """What a thumb says."""

    label: str
    """The label it says is true; empty when it does not say."""
    is_disputed: bool
    """It says the model was wrong."""
    reasons: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def suggestion(
    *, rating: str, predicted: str, corrected: str, labels: tuple[str, ...]
) -> Suggestion:
    """What a thumb says is true.

    Up confirms; down with a correction names the truth; down alone does so only where there are
    two labels. A thumb that contradicts itself says nothing about the truth.

    >>> suggestion(rating="down", predicted="bad", corrected="", labels=("bad", "good")).label
    'good'
    """
    if corrected and corrected not in labels:
        return Suggestion("", rating == "down", ("The correction is no label of the project.",))
    if rating == "up":
        if corrected not in ("", predicted):
            return Suggestion("", True, ("A thumb up with another label contradicts itself.",))
        if predicted not in labels:
            return Suggestion("", False, ("The prediction is no label of the project.",))
        return Suggestion(predicted, False)
    if corrected == predicted and corrected:
        return Suggestion("", False, ("The correction repeats the prediction.",))
    if corrected:
        return Suggestion(corrected, True)
    others = [label for label in labels if label != predicted]
    is_certain = len(others) == 1 and predicted in labels
    return Suggestion(others[0] if is_certain else "", True)
