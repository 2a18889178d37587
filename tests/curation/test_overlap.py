"""How many annotators an item needs; no database."""

from dataclasses import replace

import pytest

from curation.review.agreement.skill import Skill
from curation.review.consensus import Answer
from curation.review.overlap import Ballot, Decision, Skip, Standing, decide

PROVEN = Skill({"good": {"good": 98, "bad": 2}, "bad": {"bad": 98, "good": 2}})


def standing(*answers: str, senior: int | None = None, proven: bool = False, **facts) -> Standing:  # type: ignore[no-untyped-def]
    """An item with these answers, one a person; the one numbered ``senior`` is a senior's."""
    ballots = [
        Ballot(n, Answer(n, value, is_senior=n == senior), PROVEN if proven else Skill())
        for n, value in enumerate(answers)
    ]
    usual = Standing(
        item_id=1,
        sample_id=1,
        queue="uncertain",
        is_opened_for_senior=False,
        overlap=1,
        dispute_overlap=2,
        confident_posterior=0.95,
        confident_model=0.9,
        labels=["bad", "good"],
        done=len(ballots),
        ballots=ballots,
        skips=[],
        believed=None,
        predicted="good",
        confidence=0.6,
        is_annotated=False,
        has_others=True,
    )
    return replace(usual, **facts)


def skips(*reasons: str, senior: int | None = None) -> list[Skip]:
    return [Skip(100 + n, reason, n == senior) for n, reason in enumerate(reasons)]


def outcome(decision: Decision) -> tuple[str, str]:
    """In a word, and what is believed."""
    if decision.status == "open":
        word = "senior" if decision.for_senior else f"needs {decision.needed}"
    else:
        word = decision.status
    return word, decision.agreed.value if decision.agreed else ""


DISPUTED = {"queue": "disputed"}
AUDIT = {"queue": "audit"}
SURE_MODEL = {"confidence": 0.97}


@pytest.mark.parametrize(
    ("answers", "facts", "expected"),
    [
        ([], {}, ("needs 1", "")),
        (["good"], {}, ("done", "good")),
        (["good"], DISPUTED, ("needs 2", "")),
        (["good", "good"], DISPUTED, ("done", "good")),
        (["good", "bad"], DISPUTED, ("needs 3", "")),
        (["good", "bad", "bad"], DISPUTED, ("done", "bad")),
        (["bad"], SURE_MODEL, ("needs 2", "")),
        (["good"], SURE_MODEL, ("done", "good")),
        (["bad"], {"believed": "good"}, ("needs 2", "")),
        (["good"], {"believed": "good"}, ("done", "good")),
        (["bad"], {"believed": "good", "dispute_overlap": 1}, ("done", "bad")),
        (["bad"], AUDIT | SURE_MODEL | {"believed": "good"}, ("done", "bad")),
        (["bad", "good"], AUDIT | {"overlap": 2}, ("needs 3", "")),
        (["bad", "good", "so-so"], {"overlap": 2}, ("senior", "")),
        (["a", "b", "c", "d", "e"], {"overlap": 5}, ("senior", "")),
        (["a", "b", "c"], {"overlap": 5}, ("needs 5", "")),
        (["good"], DISPUTED | {"has_others": False}, ("done", "good")),
        (["good"], {"overlap": 2, "has_others": False}, ("needs 2", "")),
        (["good", "bad"], {"overlap": 2, "has_others": False}, ("senior", "")),
        (["good", "good"], DISPUTED | {"done": 0}, ("needs 2", "")),
    ],
)
def test_answers_ask_for_no_more_than_they_make_necessary(
    answers: list[str], facts: dict[str, object], expected: tuple[str, str]
) -> None:
    assert outcome(decide(standing(*answers, **facts))) == expected


def test_one_proven_annotator_is_enough_and_the_answer_saved_is_counted() -> None:
    decision = decide(standing("good", queue="disputed", proven=True))
    assert (outcome(decision), decision.saved) == (("done", "good"), 1)
    assert decide(standing("good", "good", overlap=3)).saved == 1
    unsure = standing("good", queue="disputed", proven=True, confident_posterior=0.99)
    assert outcome(decide(unsure)) == ("needs 2", "")


def test_a_senior_decides_a_split_and_their_word_is_what_is_believed() -> None:
    decided = decide(standing("bad", "good", "so-so", "bad", senior=3))
    assert (outcome(decided), decided.routed, decided.grounds) == (("done", "bad"), "split", [0, 3])
    assert decided.agreed is not None
    assert decided.agreed.reasons == ("A senior annotator decided against 2 of 4.",)
    against_one = decide(standing("good", "bad", queue="disputed", senior=1))
    assert outcome(against_one) == ("done", "bad")


@pytest.mark.parametrize(
    ("reasons", "facts", "expected"),
    [
        (["unclear"], {}, ("needs 1", "")),
        (["unclear", "unclear"], {}, ("senior", "unclear")),
        (["language", "language"], {}, ("senior", "language")),
        (["other", "other"], {}, ("needs 1", "")),
        (["other", "spam", "unclear"], {}, ("senior", "passed")),
        (["spam", "spam"], {}, ("closed", "spam")),
    ],
)
def test_skips_that_agree_go_to_a_senior(
    reasons: list[str], facts: dict[str, object], expected: tuple[str, str]
) -> None:
    decision = decide(standing(skips=skips(*reasons), **facts))
    assert (outcome(decision)[0], decision.routed) == expected
    assert decision.asks_about_spam == (expected[1] == "spam")


def test_a_senior_who_passes_it_on_too_ends_it() -> None:
    unclear = decide(standing(skips=skips("unclear", "unclear", "unclear", senior=2)))
    assert (unclear.status, unclear.routed, unclear.is_spam) == ("closed", "unclear", False)
    spam = decide(standing(skips=skips("spam", "spam", senior=1)))
    assert (spam.status, spam.is_spam, spam.asks_about_spam) == ("closed", True, False)
    assert list(spam.grounds) == [101]
    undecided = decide(standing(skips=skips("unclear", "unclear", "other", senior=2)))
    assert outcome(undecided) == ("senior", "")


def test_what_was_opened_for_a_senior_waits_for_one() -> None:
    spam = {"queue": "spam", "is_opened_for_senior": True}
    assert outcome(decide(standing(**spam))) == ("senior", "")
    assert outcome(decide(standing("good", "good", **spam))) == ("senior", "")
    assert outcome(decide(standing("good", senior=0, **spam))) == ("done", "good")
    confirmed = decide(standing(skips=skips("spam", senior=0), **spam))
    assert (confirmed.status, confirmed.is_spam) == ("closed", True)


def test_gold_is_done_with_one_answer_and_nothing_is_believed() -> None:
    decision = decide(standing("bad", queue="gold"))
    assert outcome(decision) == ("done", "")
    assert decide(standing(queue="gold")).status == "open"
