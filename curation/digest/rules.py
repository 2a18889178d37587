"""The statistical rules that hold feedback back: counts in, a reason or nothing out. Pure.

Honest dissent is not spam. No rule looks at whether a single thumb is right; each asks for a
pattern that one attentive person does not make, over a bounded window, and names its numbers.
Where a rule compares a subject with others it asks how likely the pattern is by chance, by
Chernoff's bound on the binomial tail (Hoeffding 1963, theorem 1, equation 2.1), which errs on the
side of the subject.
"""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

# What is assumed of a project nobody else has voted in: so many votes of others, and their share.
UNKNOWN_PEERS = 20
USUALLY_CONTRARY = 0.5
USUALLY_UP = 0.95
# One attentive subject in a million is held back by mistake.
CHANCE = 1e-6
# Whoever is confirmed this often by people who looked is right, however unusual.
VINDICATED_FROM = 5
VINDICATED_SHARE = 0.5
# A shorter comment repeats by itself ("wrong label").
LEAST_COMMENT = 20

# What a person may set.
Count = Annotated[int, Meta(ge=2, le=1_000_000)]
Share = Annotated[float, Meta(gt=0.5, le=1)]


@dataclass(frozen=True)
class SubjectMinute:
    """How much came from a subject in one minute."""

    subject: str
    """In hexadecimal."""
    bucket: int
    """Minutes since 1970."""
    n: int


@dataclass(frozen=True)
class AddressMinute:
    """How much came from a client address in one minute."""

    address: str
    """Its keyed hash in hexadecimal."""
    bucket: int
    n: int


@dataclass(frozen=True)
class SubjectDay:
    """What a subject said in one UTC day, and what the others said."""

    subject: str
    bucket: int
    """Days since 1970."""
    n: int
    contrary: int
    """Of ``n``, thumbs against the model's answer."""
    answers: int
    """How many different answers of the model it contradicted."""
    peers: int
    """Thumbs of others in that day, at most the latest few thousand."""
    peers_contrary: int
    checked: int
    """Of ``n``, thumbs on texts that an annotator or an import has labelled."""
    confirmed: int
    """Of ``checked``, those that say what the label says."""

    @property
    def is_vindicated(self) -> bool:
        """People who looked agree with the subject."""
        is_known = self.checked >= VINDICATED_FROM
        return is_known and self.confirmed >= VINDICATED_SHARE * self.checked


@dataclass(frozen=True)
class CommentDay:
    """Who wrote the same comment in one UTC day."""

    comment: str
    """Keyed hash of the normalised comment, in hexadecimal."""
    bucket: int
    n: int
    subjects: int


@dataclass(frozen=True)
class SourceMinute:
    """How much came from a source in one minute, and how much usually does."""

    source: int
    bucket: int
    n: int
    usual: float
    """Median of its active minutes in the day before."""
    active: int
    """How many minutes that median is of."""


Counts = SubjectMinute | AddressMinute | SubjectDay | CommentDay | SourceMinute


class SubjectBurst(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """More thumbs in a minute than a person can mean."""

    name: ClassVar[str] = "subject_burst"
    title: ClassVar[str] = "Burst of one subject"
    about: ClassVar[str] = "One subject sends more thumbs in a minute than a person can mean."
    per_minute: Annotated[Count, Meta(title="Thumbs in one minute, from")] = 60

    def judge(self, counts: SubjectMinute) -> str | None:
        """The reason to hold that minute of that subject back, or None."""
        if counts.n < self.per_minute:
            return None
        return f"One subject sent {counts.n:,} thumbs in one minute; held from {self.per_minute:,}."


class AddressBurst(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """More thumbs in a minute than those who share an address can mean."""

    name: ClassVar[str] = "address_burst"
    title: ClassVar[str] = "Burst of one address"
    about: ClassVar[str] = (
        "One client address sends more thumbs in a minute than the people behind it can mean, "
        "under however many names. Addresses of frontends' servers are not looked at."
    )
    per_minute: Annotated[Count, Meta(title="Thumbs in one minute, from")] = 300

    def judge(self, counts: AddressMinute) -> str | None:
        """The reason to hold that minute of that address back, or None."""
        if counts.n < self.per_minute:
            return None
        return f"One address sent {counts.n:,} thumbs in one minute; held from {self.per_minute:,}."


class SourceBurst(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A source sends many times what it usually does."""

    name: ClassVar[str] = "source_burst"
    title: ClassVar[str] = "Burst of one source"
    about: ClassVar[str] = (
        "A source with a known habit sends many times its usual minute. A new source has no habit."
    )
    per_minute: Annotated[Count, Meta(title="Thumbs in one minute, from")] = 3_000
    times_usual: Annotated[Count, Meta(title="Times its usual minute, from")] = 20
    active_minutes: Annotated[Count, Meta(title="Known from so many active minutes")] = 30

    def judge(self, counts: SourceMinute) -> str | None:
        """The reason to hold that minute of that source back, or None."""
        is_known = counts.active >= self.active_minutes
        is_much = counts.n >= max(self.per_minute, self.times_usual * counts.usual)
        if not (is_known and is_much):
            return None
        return (
            f"The source sent {counts.n:,} thumbs in one minute; usual are {counts.usual:,.0f}, "
            f"held from {self.times_usual:,} times that."
        )


class Contrarian(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One subject contradicts everything, whatever the model said."""

    name: ClassVar[str] = "contrarian"
    title: ClassVar[str] = "One subject flips everything"
    about: ClassVar[str] = (
        "One subject contradicts nearly every answer in a day, of every kind, where others agree. "
        "Nobody whom annotators confirm is held back."
    )
    per_day: Annotated[Count, Meta(title="Thumbs in one day, from")] = 40
    share: Annotated[Share, Meta(title="Share that contradicts, from")] = 0.95

    def judge(self, counts: SubjectDay) -> str | None:
        """The reason to hold that day of that subject back, or None."""
        if counts.n < self.per_day or counts.contrary < self.share * counts.n:
            return None
        # Whoever rejects one answer only may be right about that answer.
        if counts.answers < 2 or counts.is_vindicated:
            return None
        usual = _smoothed(counts.peers_contrary, counts.peers, USUALLY_CONTRARY)
        if chance_at_most(counts.contrary, counts.n, usual) > CHANCE:
            return None
        return (
            f"One subject contradicted {counts.contrary:,} of {counts.n:,} answers in one day; "
            f"{_others(counts.peers, counts.peers_contrary, 'contradict')}."
        )


class ConstantRater(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One subject presses the same thumb all day."""

    name: ClassVar[str] = "constant_rater"
    title: ClassVar[str] = "The same thumb all day"
    about: ClassVar[str] = (
        "One subject gives only thumbs up, or only thumbs down, far more often than chance allows."
    )
    per_day: Annotated[Count, Meta(title="Thumbs in one day, from")] = 100

    def judge(self, counts: SubjectDay) -> str | None:
        """The reason to hold that day of that subject back, or None."""
        is_up, is_down = counts.contrary == 0, counts.contrary == counts.n
        if counts.n < self.per_day or not (is_up or is_down) or counts.is_vindicated:
            return None
        same = counts.peers - counts.peers_contrary if is_up else counts.peers_contrary
        usual = _smoothed(same, counts.peers, USUALLY_UP if is_up else USUALLY_CONTRARY)
        if chance_at_most(counts.n, counts.n, usual) > CHANCE:
            return None
        thumb = "up" if is_up else "down"
        return (
            f"One subject gave {counts.n:,} thumbs {thumb} in one day and no other; "
            f"{_others(counts.peers, same, f'press {thumb}')}."
        )


class CopiedComment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Many subjects send the same long comment."""

    name: ClassVar[str] = "copied_comment"
    title: ClassVar[str] = "Copy-paste campaign"
    about: ClassVar[str] = (
        f"Many subjects send the same comment of {LEAST_COMMENT} characters or more in a day. "
        "Short remarks repeat by themselves, and a popular text is judged by many honestly."
    )
    subjects: Annotated[Count, Meta(title="Subjects with the same comment, from")] = 10

    def judge(self, counts: CommentDay) -> str | None:
        """The reason to hold the thumbs with that comment back, or None."""
        if counts.subjects < self.subjects:
            return None
        return (
            f"{counts.subjects:,} subjects sent the same comment in one day, {counts.n:,} times; "
            f"held from {self.subjects:,} subjects."
        )


class GarbageText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The text judged is no text."""

    name: ClassVar[str] = "garbage_text"
    title: ClassVar[str] = "Garbage text"
    about: ClassVar[str] = (
        "The judged text has no words, is one character or phrase over and over, or is mashed keys."
    )


Rule = (
    SubjectBurst
    | AddressBurst
    | SourceBurst
    | Contrarian
    | ConstantRater
    | CopiedComment
    | GarbageText
)
RULES: tuple[type[Rule], ...] = (
    SubjectBurst,
    AddressBurst,
    SourceBurst,
    Contrarian,
    ConstantRater,
    CopiedComment,
    GarbageText,
)
NAMES = {rule.name: rule for rule in RULES}


def chance_at_most(k: int, n: int, p: float) -> float:
    """An upper bound on P(X ≥ k) for X binomial(n, p): exp(-n KL(k/n ‖ p)); 1 when k/n ≤ p.

    >>> round(chance_at_most(40, 40, 0.5) * 2**40, 6)
    1.0
    >>> chance_at_most(5, 10, 0.6)
    1.0
    """
    share = k / n
    if share <= p:
        return 1.0
    divergence = share * math.log(share / p)
    if share < 1:
        divergence += (1 - share) * math.log((1 - share) / (1 - p))
    return math.exp(-n * divergence)


def _smoothed(count: int, n: int, assumed: float) -> float:
    """A share of the others' votes, drawn to what is usual as long as there are few of them."""
    return (count + UNKNOWN_PEERS * assumed) / (n + UNKNOWN_PEERS)


def _others(n: int, count: int, verb: str) -> str:
    if not n:
        return "nobody else has voted that day"
    return f"others {verb} {100 * count / n:.0f} % of the time"
