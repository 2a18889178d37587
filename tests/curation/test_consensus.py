"""What annotators' answers make us believe; no database."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.review import consensus as module
from curation.review.agreement import skill
from curation.review.agreement.skill import Skill
from curation.review.consensus import Answer, consensus, posteriors

LABELS = ("bad", "good")


def record(accuracy: float, n: int = 1000) -> Skill:
    """Someone compared ``n`` times and right so often, whatever was true."""
    right, wrong = n / 2 * accuracy, n / 2 * (1 - accuracy)
    return Skill({"good": {"good": right, "bad": wrong}, "bad": {"bad": right, "good": wrong}})


def said(*values: str, senior: int | None = None) -> list[Answer]:
    return [Answer(user, value, is_senior=user == senior) for user, value in enumerate(values)]


@pytest.mark.parametrize("documented", [module, skill])
def test_the_worked_numbers_in_the_docstrings_hold(documented: object) -> None:
    assert doctest.testmod(documented).failed == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([], None),
        (["good"], ("good", 0.95)),
        (["good", "good"], ("good", 0.99)),
        (["bad", "good"], None),
        (["good", "bad", "good"], ("good", 0.85)),
        (["bad", "good", "mixed"], None),
        (["bad", "bad", "good", "good"], None),
    ],
)
def test_without_records_everyone_counts_alike(
    answers: list[str], expected: tuple[str, float] | None
) -> None:
    agreed = consensus(said(*answers), labels=LABELS, skills={})
    assert (agreed and (agreed.value, agreed.quality)) == expected


def test_a_lone_answer_of_an_unknown_annotator_is_believed_and_sure_enough_to_stop() -> None:
    agreed = consensus(said("good"), labels=LABELS, skills={})
    assert agreed is not None
    assert agreed.posterior == 0.95
    assert agreed.reasons == ("An annotator said so, blind.",)


def test_a_lone_answer_of_a_known_guesser_is_not_believed() -> None:
    assert consensus(said("good"), labels=LABELS, skills={0: record(0.55)}) is None


def test_one_reliable_annotator_outweighs_two_guessers() -> None:
    skills = {0: record(0.97), 1: record(0.6), 2: record(0.6)}
    agreed = consensus(said("good", "bad", "bad"), labels=LABELS, skills=skills)
    assert agreed is not None
    assert agreed.value == "good"
    assert agreed.reasons == (
        "1 of 3 annotators said so.",
        "Going by the annotators' records it is 93 % likely.",
    )


def test_a_senior_weighs_more_but_two_others_outweigh_one() -> None:
    alone = posteriors(said("good", "bad", senior=0), labels=LABELS, skills={})
    two = posteriors(said("good", "bad", "bad", senior=0), labels=LABELS, skills={})
    assert alone["good"] > 0.7
    assert two["good"] < 0.3
    settled = consensus(said("bad", "good", "good", senior=2), labels=LABELS, skills={})
    assert settled is not None
    assert "A senior annotator is among them." in settled.reasons


def test_an_annotator_who_confuses_one_label_only_is_doubted_on_it_alone() -> None:
    # Calls half of what is mixed good, and is right about the rest.
    confuses = Skill(
        {
            "good": {"good": 200.0},
            "bad": {"bad": 200.0},
            "mixed": {"mixed": 100.0, "good": 100.0},
        }
    )
    labels = ("bad", "good", "mixed")
    chance = {
        value: posteriors(said(value), labels=labels, skills={0: confuses})[value]
        for value in labels
    }
    assert chance["bad"] > 0.98
    assert chance["mixed"] > 0.98
    assert chance["good"] < 0.7


def test_what_nobody_said_is_never_believed() -> None:
    contrary = record(0.02)
    assert posteriors(said("good"), labels=LABELS, skills={0: contrary})["bad"] > 0.9
    assert consensus(said("good"), labels=LABELS, skills={0: contrary}) is None


def test_a_few_comparisons_move_a_record_only_a_little() -> None:
    unlucky = Skill({"good": {"bad": 2.0}})
    assert 0.75 < unlucky.accuracy(is_senior=False) < 0.8
    assert record(0.7).accuracy(is_senior=False) == pytest.approx(0.7, abs=0.01)


def test_an_answer_whose_label_is_gone_still_counts_against_the_others() -> None:
    assert consensus(said("retired", "good"), labels=LABELS, skills={}) is None


@given(
    answers=st.lists(st.sampled_from(["a", "b", "c"]), max_size=7),
    accuracies=st.lists(st.floats(0.0, 1.0), min_size=7, max_size=7),
)
def test_whatever_is_said_the_numbers_are_shares_and_order_does_not_matter(
    answers: list[str], accuracies: list[float]
) -> None:
    skills = {
        user: Skill({"a": {"a": p * 50, "b": 50 - p * 50}}) for user, p in enumerate(accuracies)
    }
    given_answers = said(*answers)
    chances = posteriors(given_answers, labels=["a", "b", "c"], skills=skills)
    agreed = consensus(given_answers, labels=["a", "b", "c"], skills=skills)

    assert sum(chances.values()) == pytest.approx(1, abs=1e-5)
    assert all(0 <= chance <= 1 for chance in chances.values())
    assert posteriors(given_answers[::-1], labels=["a", "b", "c"], skills=skills) == chances
    if agreed is not None:
        assert agreed.value in answers
        assert 0 <= agreed.quality <= round(agreed.posterior, 2) <= 1
