"""The quarantine rules as arithmetic: what each catches, and above all what it leaves alone."""

import math
from fractions import Fraction

import pytest

from curation.digest.garbage import garbage_reason
from curation.digest.rule_book import UnfitThresholds, make_rule
from curation.digest.rules import (
    CHANCE,
    NAMES,
    AddressBurst,
    AddressMinute,
    CommentDay,
    ConstantRater,
    Contrarian,
    CopiedComment,
    SourceBurst,
    SourceMinute,
    SubjectBurst,
    SubjectDay,
    SubjectMinute,
    chance_at_most,
)


def day(n: int, contrary: int, **fields: int) -> SubjectDay:
    known = {
        "answers": 2,
        "peers": 1_000,
        "peers_contrary": 80,
        "checked": 0,
        "confirmed": 0,
        **fields,
    }
    return SubjectDay(subject="aa", bucket=1, n=n, contrary=contrary, **known)


def test_a_burst_of_a_subject_is_named_with_its_numbers() -> None:
    assert SubjectBurst().judge(SubjectMinute("aa", 1, 59)) is None
    reason = SubjectBurst().judge(SubjectMinute("aa", 1, 1_200))
    assert reason == "One subject sent 1,200 thumbs in one minute; held from 60."


def test_a_burst_of_an_address_is_named_with_its_numbers() -> None:
    assert AddressBurst().judge(AddressMinute("aa", 1, 299)) is None
    reason = AddressBurst().judge(AddressMinute("aa", 1, 1_200))
    assert reason == "One address sent 1,200 thumbs in one minute; held from 300."


@pytest.mark.parametrize(
    ("n", "usual", "active", "is_held"),
    [
        (50_000, 100, 60, True),
        (50_000, 0, 0, False),  # A new source loads its history.
        (2_999, 1, 600, False),  # Small sources may have their hour.
        (30_000, 2_000, 600, False),  # Fifteen times a busy source.
        (50_000, 100, 29, False),
    ],
)
def test_a_source_is_held_to_its_own_habit(
    n: int, usual: float, active: int, is_held: bool
) -> None:
    reason = SourceBurst().judge(SourceMinute(1, 1, n, usual, active))
    assert (reason is not None) is is_held


def test_one_subject_that_flips_everything_is_held() -> None:
    reason = Contrarian().judge(day(60, 59))
    assert reason == (
        "One subject contradicted 59 of 60 answers in one day; others contradict 8 % of the time."
    )


@pytest.mark.parametrize(
    "counts",
    [
        pytest.param(day(39, 39), id="all of a few"),
        pytest.param(day(500, 300), id="a dissenter by taste"),
        pytest.param(day(60, 60, answers=1), id="rejects one answer only"),
        pytest.param(day(60, 60, peers_contrary=900), id="the model is bad: most contradict it"),
        pytest.param(day(60, 60, checked=6, confirmed=4), id="annotators agree with the subject"),
        pytest.param(day(60, 3), id="usual"),
    ],
)
def test_honest_dissent_is_left_alone(counts: SubjectDay) -> None:
    assert Contrarian().judge(counts) is None
    assert ConstantRater().judge(counts) is None


def test_a_subject_alone_in_its_project_is_held_for_flipping_but_not_for_praise() -> None:
    alone = {"peers": 0, "peers_contrary": 0}
    reason = Contrarian().judge(day(60, 60, **alone))
    assert reason is not None
    assert "nobody else has voted" in reason
    assert ConstantRater().judge(day(200, 0, **alone)) is None
    assert ConstantRater().judge(day(400, 0, **alone)) is not None


@pytest.mark.parametrize(
    ("counts", "is_held"),
    [
        (day(120, 0, peers_contrary=300), True),
        (day(99, 0, peers_contrary=300), False),
        (day(120, 1, peers_contrary=300), False),
        (day(120, 0, peers_contrary=5), False),  # Nearly everyone presses up all day.
        (day(150, 150, answers=1), True),
    ],
)
def test_the_same_thumb_all_day_is_held_when_chance_does_not_explain_it(
    counts: SubjectDay, is_held: bool
) -> None:
    assert (ConstantRater().judge(counts) is not None) is is_held


def test_a_campaign_needs_many_subjects() -> None:
    assert CopiedComment().judge(CommentDay("aa", 1, n=500, subjects=9)) is None
    reason = CopiedComment().judge(CommentDay("aa", 1, n=14, subjects=12))
    assert reason == (
        "12 subjects sent the same comment in one day, 14 times; held from 10 subjects."
    )


@pytest.mark.parametrize(
    ("k", "n", "p"), [(40, 40, 0.5), (38, 40, 0.5), (60, 60, 0.09), (9, 10, 0.6)]
)
def test_the_bound_on_chance_is_never_below_the_exact_tail(k: int, n: int, p: float) -> None:
    share = Fraction(p)
    exact = sum(math.comb(n, i) * share**i * (1 - share) ** (n - i) for i in range(k, n + 1))
    assert float(exact) <= chance_at_most(k, n, p) * (1 + 1e-9)
    assert chance_at_most(k, n, p) <= float(exact) * 60


def test_honest_subjects_are_not_held_by_chance() -> None:
    # A power user who reports errors alone meets a model that errs half of the time.
    assert chance_at_most(40, 40, 0.75) > CHANCE
    assert Contrarian().judge(day(40, 40, peers=1_000, peers_contrary=750)) is None


@pytest.mark.parametrize(
    "text",
    [
        "meh",
        "👍👍👍👍",
        "10/10",
        "Yummmmmmmmmmmmmmmmmmmmmmmm!",
        "no no no no no no no",
        "おいしい料理でした。また来ます。とてもよかったです。",
        "strč prst skrz krk, vlk zmrzl",
        "Rhythms of the lynx spry crypt",
        "مطعم رائع والخدمة ممتازة",
        "The soup was cold and the bread was hard. " * 3,
        "WTF?!",
        "¯\\_(ツ)_/¯",
    ],
)
def test_odd_texts_are_texts(text: str) -> None:
    assert garbage_reason(text) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("?!? ... !!!", "no word, digit or symbol in 11 characters"),
        ("\u200b\u200b", "no word, digit or symbol"),
        ("a" * 40, "one character 40 times in 40"),
        ("buy now " * 60, "repeats itself: 479 characters"),
        ("sdfkjhsdkfjhsdkfjhsdf lkjsdfg", " letters are words of 10 or more without a vowel"),
    ],
)
def test_garbage_is_named(text: str, why: str) -> None:
    assert why in str(garbage_reason(text))


@pytest.mark.parametrize(
    "thresholds",
    [{"per_minute": 1}, {"per_minute": "60"}, {"per_minute": 2.5}, {"per_hour": 5}],
)
def test_thresholds_are_typed(thresholds: dict[str, object]) -> None:
    with pytest.raises(UnfitThresholds, match="subject_burst"):
        make_rule(name="subject_burst", thresholds=thresholds)


def test_every_rule_stands_with_its_defaults() -> None:
    assert all(make_rule(name=name, thresholds={}) == kind() for name, kind in NAMES.items())
