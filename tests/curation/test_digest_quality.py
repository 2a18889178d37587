"""The arithmetic from voices to labels; no database."""

import doctest
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.digest import quality
from curation.digest import suggestion as suggestions
from curation.digest.quality import Voice, dispute_priority, verdict
from curation.digest.suggestion import Suggestion, suggestion
from curation.digest.supersession import VoiceKey, supersede

AGREES = Voice("good", False, "good")
CORRECTS = Voice("bad", True, "good")
REFUSES = Voice("", True, "good")
THRESHOLD = 0.6


@pytest.mark.parametrize("module", [quality, suggestions])
def test_the_worked_numbers_in_the_docstrings_hold(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("voices", "value", "expected"),
    [
        ([AGREES], "good", 0.7),
        ([AGREES] * 2, "good", 0.8),
        ([AGREES] * 3, "good", 0.85),
        ([CORRECTS], "bad", 0.5),
        ([CORRECTS] * 2, "bad", 0.7),
        ([CORRECTS] * 3, "bad", 0.8),
        ([CORRECTS] * 3 + [AGREES], "bad", 0.6),
        ([AGREES, CORRECTS], "good", 0.35),
        ([AGREES, REFUSES], "good", 0.35),
        ([AGREES] * 50, "good", 0.9),
    ],
)
def test_voices_weigh_as_described(voices: list[Voice], value: str, expected: float) -> None:
    said = verdict(tuple(voices))
    assert said is not None
    assert (said.value, said.quality) == (value, expected)


def test_a_lone_contradiction_waits_and_two_that_concur_do_not() -> None:
    alone, together = verdict((CORRECTS,)), verdict((CORRECTS,) * 2)
    assert alone is not None
    assert together is not None
    assert alone.quality < THRESHOLD < together.quality
    assert alone.reasons == ("1 subject corrects the model.", "Nobody has confirmed it.")
    assert together.reasons == ("2 subjects correct the model.",)


def test_who_only_refuses_names_no_label() -> None:
    assert verdict((REFUSES, REFUSES)) is None
    assert verdict(()) is None


def test_reasons_stop_counting_where_quality_stops_moving() -> None:
    five, fifty = verdict((AGREES,) * 30), verdict((AGREES,) * 50)
    assert five == fifty
    assert five is not None
    assert five.reasons == ("5 or more subjects agree with the model.",)


@given(st.lists(st.sampled_from([AGREES, CORRECTS, REFUSES, Voice("so-so", True, "bad")])))
def test_quality_stays_in_its_range_and_below_an_import(voices: list[Voice]) -> None:
    said = verdict(tuple(voices))
    assert said is None or 0.0 <= said.quality <= quality.CAP
    assert said == verdict(tuple(voices[::-1]))


@given(st.integers(0, 30), st.integers(0, 30))
def test_one_more_supporter_never_lowers_the_quality(agreeing: int, against: int) -> None:
    before = verdict((AGREES,) * (agreeing + 1) + (REFUSES,) * against)
    after = verdict((AGREES,) * (agreeing + 2) + (REFUSES,) * against)
    assert before is not None
    assert after is not None
    assert after.quality >= before.quality


def test_more_subjects_and_a_surer_model_make_a_dispute_more_urgent() -> None:
    lone = dispute_priority(contradicting=1, confidence=0.6)
    assert lone < dispute_priority(contradicting=2, confidence=0.6)
    assert lone < dispute_priority(contradicting=1, confidence=0.9)
    assert dispute_priority(contradicting=1, confidence=None) == 0.5


TWO, THREE = ("bad", "good"), ("bad", "good", "so-so")


@pytest.mark.parametrize(
    ("rating", "corrected", "labels", "label", "is_disputed"),
    [
        ("up", "", TWO, "good", False),
        ("down", "", TWO, "bad", True),
        ("down", "", THREE, "", True),
        ("down", "so-so", THREE, "so-so", True),
        ("down", "good", TWO, "", False),
        ("up", "bad", TWO, "", True),
        ("down", "unheard of", TWO, "", True),
        ("up", "good", TWO, "good", False),
        ("up", "", ("bad", "better"), "", False),
    ],
)
def test_what_a_thumb_on_good_says(
    rating: str, corrected: str, labels: tuple[str, ...], label: str, is_disputed: bool
) -> None:
    says = suggestion(rating=rating, predicted="good", corrected=corrected, labels=labels)
    assert (says.label, says.is_disputed) == (label, is_disputed)
    assert bool(says.reasons) == (says != Suggestion(label, is_disputed))


FIRST, SECOND, THIRD = (str(uuid.UUID(int=number)) for number in (1, 2, 3))
KEY: VoiceKey = (str(uuid.UUID(int=99)), b"subject")


def test_the_latest_of_a_batch_speaks_whatever_their_order_in_it() -> None:
    result = supersede(events=[(THIRD, KEY), (FIRST, KEY), (SECOND, KEY)], standing={})
    assert result.by == {FIRST: THIRD, SECOND: THIRD}
    assert result.gave_way == {}


def test_an_event_digested_after_a_later_one_is_superseded_straight_away() -> None:
    result = supersede(events=[(FIRST, KEY)], standing={KEY: SECOND})
    assert result.by == {FIRST: SECOND}
    assert result.gave_way == {}


def test_a_standing_voice_gives_way_to_the_one_that_speaks_in_the_end() -> None:
    result = supersede(events=[(SECOND, KEY), (THIRD, KEY)], standing={KEY: FIRST})
    assert result.by == {SECOND: THIRD}
    assert result.gave_way == {FIRST: THIRD}


def test_without_a_subject_nothing_is_superseded() -> None:
    assert supersede(events=[(FIRST, None), (SECOND, None)], standing={}).by == {}
