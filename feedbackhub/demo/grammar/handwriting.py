"""How a review is typed: capitals, full stops, typos, shouting, now and then an emoji."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

MISSPELLINGS = {
    "definitely": "definately",
    "delicious": "delicous",
    "restaurant": "restaraunt",
    "atmosphere": "atmosfere",
    "recommend": "recomend",
    "waited": "waitted",
    "friendly": "freindly",
    "reservation": "resevation",
    "received": "recieved",
    "disappointing": "dissapointing",
    "disappoint": "dissapoint",
    "portions": "portons",
    "because": "becuase",
    "overpriced": "over priced",
    "couldn't": "couldnt",
    "wasn't": "wasnt",
    "won't": "wont",
    "can't": "cant",
    "isn't": "isnt",
    "courier": "currier",
    "packaging": "packageing",
    "really": "realy",
    "their": "thier",
    "minutes": "mins",
}

DINER_EMOJI = {"positive": ("😋", "👍", "❤️", "🍷"), "negative": ("👎", "😡", "🤢", "😒")}
ORDERER_EMOJI = {"positive": ("🔥", "💯", "🫶", "😭🔥"), "negative": ("💀", "🗑️", "🤡", "😭")}

_LETTERS_FOR_A_SLIP = 5
_EXCLAIM_SHARE = 0.15


@dataclass(frozen=True, kw_only=True)
class Hand:
    """How often the writers of an era type carelessly, as shares of their reviews."""

    lower_share: float
    typo_share: float
    emoji_share: float
    emoji: Mapping[str, tuple[str, ...]]
    shout_share: float = 0.015


def write(sentences: list[str], *, label: str, hand: Hand, rng: random.Random) -> str:
    """The clauses of a review as one text, typed by someone in a mood."""
    careless = rng.random() < hand.lower_share
    end = rng.choice((". ", ", ", ", ", " ")) if careless else ". "
    text = "".join(_sentence(part, end, careless=careless) for part in sentences).strip()
    if careless:
        text = text.rstrip(".,")
    elif rng.random() < _EXCLAIM_SHARE:
        text = text.rstrip(".") + rng.choice(("!", "!", "!!"))
    if not careless and rng.random() < hand.shout_share:
        text = text.upper()
    if rng.random() < hand.typo_share:
        text = _mistype(text, rng)
    if rng.random() < hand.emoji_share:
        text = f"{text} {rng.choice(hand.emoji[label])}"
    return text


def _sentence(clause: str, end: str, *, careless: bool) -> str:
    if careless:
        return clause.replace("I'", "i'").replace("I ", "i ") + end
    parts = [part[0].upper() + part[1:] for part in clause.split(". ")]
    return ". ".join(parts) + end


def _mistype(text: str, rng: random.Random) -> str:
    """One known misspelling where the text allows it, otherwise a slip of the fingers."""
    known = [word for word in MISSPELLINGS if word in text]
    if known:
        word = rng.choice(known)
        return text.replace(word, MISSPELLINGS[word], 1)
    words = text.split(" ")
    long = [
        at for at, word in enumerate(words) if len(word) > _LETTERS_FOR_A_SLIP and word.isalpha()
    ]
    if not long:
        return text
    at = rng.choice(long)
    words[at] = _slip(words[at], rng)
    return " ".join(words)


def _slip(word: str, rng: random.Random) -> str:
    """Two neighbouring letters swapped or one doubled; never the first or last.

    Leaving one out is not among them: a dropped letter can make a word nobody wants in a demo.
    """
    at = rng.randrange(1, len(word) - 2)
    swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    doubled = word[:at] + word[at] + word[at:]
    return rng.choice((swapped, doubled))
