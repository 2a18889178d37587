"""When answers agree well enough to be believed, and how much they weigh. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

UNANIMOUS_QUALITY = 0.95
MAJORITY_QUALITY = 0.85
UNBLIND_QUALITY = 0.75
MOST_ANSWERS = 3


@dataclass(frozen=True)
class Consensus:
    """The answer annotators agree on, with its weight and its grounds in words."""

    value: str
    quality: float
    reasons: tuple[str, ...]


def consensus(answers: Sequence[str]) -> Consensus | None:
    """What more annotators said than anything else; None when they are split or there are none.

    >>> consensus(["good", "bad", "good"])
    Consensus(value='good', quality=0.85, reasons=('2 of 3 annotators said so.',))
    >>> consensus(["good", "bad"]) is None
    True
    """
    if not answers:
        return None
    (value, most), *others = Counter(answers).most_common()
    if others and others[0][1] == most:
        return None
    if others:
        return Consensus(
            value, MAJORITY_QUALITY, (f"{most} of {len(answers)} annotators said so.",)
        )
    who = "An annotator" if most == 1 else f"All {most} annotators"
    return Consensus(value, UNANIMOUS_QUALITY, (f"{who} said so, blind.",))
