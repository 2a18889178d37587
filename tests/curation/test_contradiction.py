"""The arithmetic of contradiction and of trust; no database."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.digest import contradiction as contradictions
from curation.digest import trust_arithmetic
from curation.digest.contradiction import Neighbour, Standpoints, contradiction, dissent, division
from curation.digest.quality import Voice, label_quality, verdict
from curation.digest.trust_arithmetic import Trust, faded, rate, weight

AGREES, CORRECTS = Voice("good", False, "good"), Voice("bad", True, "good")


@pytest.mark.parametrize("module", [contradictions, trust_arithmetic])
def test_the_worked_numbers_in_the_docstrings_hold(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "kinds"),
    [
        (Standpoints(voices=[AGREES, AGREES]), ()),
        (Standpoints(voices=[CORRECTS]), ("user_model",)),
        (Standpoints(voices=[CORRECTS, AGREES]), ("user_model", "user_user")),
        (Standpoints(answers={"good": 1, "bad": 1}), ("annotators",)),
        (Standpoints(versions={"good": ["v1"], "bad": ["v2"]}), ("models",)),
        (Standpoints(versions={"good": ["v1", "v2"]}), ()),
        (
            Standpoints(label=("import", "good"), neighbours=[Neighbour("feedback", "bad", 1)]),
            ("neighbours",),
        ),
        (Standpoints(label=("import", "good"), neighbours=[Neighbour("import", "good", 3)]), ()),
        # Thumbs on two near-duplicates are users among themselves.
        (
            Standpoints(
                voices=[AGREES],
                label=("feedback", "good"),
                neighbours=[Neighbour("feedback", "bad", 1)],
            ),
            ("user_user",),
        ),
        # Annotators settle what was said before them, and nothing that is said after.
        (Standpoints(voices=[CORRECTS, AGREES], adjudicated="good"), ()),
        (Standpoints(voices=[CORRECTS], adjudicated="good", since=[CORRECTS]), ("user_annotator",)),
        (Standpoints(adjudicated="good", answers={"bad": 1}), ("annotators",)),
    ],
)
def test_each_kind_is_found_and_settled(given: Standpoints, kinds: tuple[str, ...]) -> None:
    found = contradiction(given)
    assert (found.kinds if found else ()) == kinds


def test_voices_known_to_be_wrong_contradict_more_softly() -> None:
    known = contradiction(Standpoints(voices=[Voice("bad", True, "good", weight=0.2)]))
    unknown = contradiction(Standpoints(voices=[CORRECTS]))
    assert known is not None
    assert unknown is not None
    assert known.strength < unknown.strength / 2


@given(
    st.lists(st.sampled_from([AGREES, CORRECTS, Voice("", True, "good")]), max_size=60),
    st.dictionaries(st.sampled_from(["good", "bad", "meh"]), st.integers(1, 40)),
)
def test_strength_stays_in_its_range(voices: list[Voice], answers: dict[str, int]) -> None:
    found = contradiction(Standpoints(voices=voices, answers=answers))
    assert found is None or 0.0 < found.strength <= 1.0


@given(st.integers(1, 30), st.integers(0, 30))
def test_more_dissent_is_stronger_and_more_support_is_weaker(against: int, agreeing: int) -> None:
    assert dissent(against + 1, agreeing) > dissent(against, agreeing)
    assert dissent(against, agreeing + 1) < dissent(against, agreeing)
    assert division([against, agreeing + 1]) == division([agreeing + 1, against])


def subject(agreed: float, disagreed: float) -> Trust:
    return Trust(agreed, disagreed, int(agreed), int(disagreed), 0.75, 10.0, 0.75)


def test_an_honest_dissenter_stays_near_the_prior_and_a_liar_does_not() -> None:
    assert subject(0, 0).weight == 1.0
    assert subject(0, 1).weight >= 0.9
    assert subject(0, 2).weight >= 0.8
    assert subject(0, 30).weight <= 0.3
    assert subject(30, 0).weight > 1.15
    low, high = subject(0, 2).interval()
    assert low < 0.6 < 0.75 < high
    assert subject(0, 30).interval()[1] < 0.35


def test_the_interval_is_that_of_the_beta_posterior() -> None:
    # Beta(7.5 + 3, 2.5 + 1): 2.5 % and 97.5 % points from R's qbeta.
    low, high = subject(3, 1).interval()
    assert low == pytest.approx(0.5071, abs=5e-3)
    assert high == pytest.approx(0.9298, abs=5e-3)


@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_no_voice_is_silenced_or_speaks_for_two(mean: float, usual: float) -> None:
    assert 0.1 <= weight(mean, usual=usual) <= 1.5


@given(st.floats(0, 500), st.integers(0, 400), st.integers(0, 400))
def test_fading_twice_is_fading_once(mass: float, first: int, second: int) -> None:
    in_two = faded(faded(mass, days=first, half_life_days=90), days=second, half_life_days=90)
    assert in_two == pytest.approx(faded(mass, days=first + second, half_life_days=90))
    assert rate(in_two, 0, expected=0.75, worth=10) >= 0.75


def test_a_distrusted_crowd_does_not_outvote_two_who_are_trusted() -> None:
    liars = (Voice("bad", True, "good", weight=0.2),) * 4
    honest = (Voice("good", False, "good", weight=1.2),) * 2
    said = verdict(liars + honest)
    assert said is not None
    assert said.value == "good"
    assert "right more often than usual" in said.reasons[-1]


@given(st.floats(0, 1), st.floats(0, 1) | st.none(), st.floats(0, 3000))
def test_the_quality_of_a_label_stays_in_its_range(
    word: float, support: float | None, age_days: float
) -> None:
    weighed = label_quality(word=word, grounds=(), support=support, age_days=age_days)
    assert 0.0 <= weighed.quality <= 1.0
    aged = label_quality(word=word, grounds=(), support=support, age_days=age_days + 91)
    assert aged.quality <= weighed.quality
    assert bool(weighed.reasons) == (support is not None or age_days >= 91)
