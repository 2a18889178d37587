"""The worlds the demo lives through: dine-in at the opening, later mostly delivery."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from feedbackhub.demo.grammar import verdicts
from feedbackhub.demo.grammar.delivery_bag import IN_THE_BAG
from feedbackhub.demo.grammar.delivery_door import TO_THE_DOOR
from feedbackhub.demo.grammar.expand import Topic
from feedbackhub.demo.grammar.handwriting import DINER_EMOJI, ORDERER_EMOJI, Hand
from feedbackhub.demo.grammar.opening_house import AROUND_THE_TABLE
from feedbackhub.demo.grammar.opening_table import AT_THE_TABLE

Label = Literal["positive", "negative"]
ByLabel = Mapping[Label, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Era:
    """What guests write about in a time, and how."""

    name: str
    topics: tuple[Topic, ...]
    weights: tuple[int, ...]
    """How often each topic leads a review, in the order of ``topics``."""
    openers: tuple[str, ...]
    endings: ByLabel
    resolves: ByLabel
    """What the guest will do, as the deciding half of a mixed review."""
    shorts: ByLabel
    sarcasm: tuple[str, ...]
    hand: Hand
    echo: "Era | None" = None
    """The era before, in which a share of the guests still lives."""
    echo_share: float = 0.0


def _weigh(topics: tuple[Topic, ...], weights: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(weights[topic.name] for topic in topics)


_DINER_TOPICS = AT_THE_TABLE + AROUND_THE_TABLE
_ORDERER_TOPICS = IN_THE_BAG + TO_THE_DOOR

OPENING = Era(
    name="opening",
    topics=_DINER_TOPICS,
    weights=_weigh(
        _DINER_TOPICS,
        {
            "food": 26,
            "service": 17,
            "waiting": 9,
            "price": 9,
            "ambience": 9,
            "drinks": 7,
            "dessert": 6,
            "portion": 5,
            "hygiene": 5,
            "booking": 4,
            "delivery": 3,
        },
    ),
    openers=verdicts.DINER_OPENERS,
    endings={"positive": verdicts.DINER_HAPPY, "negative": verdicts.DINER_UNHAPPY},
    resolves={"positive": verdicts.DINER_STAY, "negative": verdicts.DINER_LEAVE},
    shorts={"positive": verdicts.DINER_SHORT_HAPPY, "negative": verdicts.DINER_SHORT_UNHAPPY},
    sarcasm=verdicts.DINER_SARCASM,
    hand=Hand(lower_share=0.12, typo_share=0.1, emoji_share=0.02, emoji=DINER_EMOJI),
)

DELIVERY = Era(
    name="delivery",
    topics=_ORDERER_TOPICS,
    weights=_weigh(
        _ORDERER_TOPICS,
        {
            "food": 23,
            "delivery": 17,
            "packaging": 10,
            "app": 9,
            "waiting": 9,
            "price": 8,
            "service": 8,
            "portion": 5,
            "drinks": 4,
            "dessert": 4,
            "hygiene": 3,
            "booking": 3,
        },
    ),
    openers=verdicts.ORDERER_OPENERS,
    endings={"positive": verdicts.ORDERER_HAPPY, "negative": verdicts.ORDERER_UNHAPPY},
    resolves={"positive": verdicts.ORDERER_STAY, "negative": verdicts.ORDERER_LEAVE},
    shorts={"positive": verdicts.ORDERER_SHORT_HAPPY, "negative": verdicts.ORDERER_SHORT_UNHAPPY},
    sarcasm=verdicts.ORDERER_SARCASM,
    hand=Hand(lower_share=0.35, typo_share=0.14, emoji_share=0.06, emoji=ORDERER_EMOJI),
    echo=OPENING,
    echo_share=0.4,
)

ERAS = {era.name: era for era in (OPENING, DELIVERY)}


def opposite(label: Label) -> Label:
    """The other one of the two labels."""
    return "negative" if label == "positive" else "positive"
