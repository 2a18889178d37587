"""The simulated end users: mostly silent, mostly honest, and selecting themselves."""

import random
from dataclasses import replace

import pytest

from feedbackhub.demo.corpus import Review, generate_reviews
from feedbackhub.demo.eras import Label
from feedbackhub.demo.subjects import Reaction, Subject, make_subjects, react

REVIEW = Review("The soup was cold.", "negative", "food", "plain")
HONEST = Subject(
    name="guest-1",
    error_share=0.0,
    rate_when_right=1.0,
    rate_when_wrong=1.0,
    correction_share=1.0,
    tastes=frozenset(),
)


def _reactions(subject: Subject, predicted: Label, times: int = 2_000) -> list[Reaction | None]:
    rng = random.Random(1)
    return [react(subject, review=REVIEW, predicted=predicted, rng=rng) for _ in range(times)]


def test_a_seed_always_gives_the_same_subjects() -> None:
    assert make_subjects(n=20, seed=1) == make_subjects(n=20, seed=1)
    assert make_subjects(n=20, seed=1) != make_subjects(n=20, seed=2)
    assert make_subjects(n=30, seed=1)[:20] == make_subjects(n=20, seed=1)
    assert len({subject.name for subject in make_subjects(n=500, seed=1)}) == 500


def test_an_honest_subject_praises_right_answers_and_corrects_wrong_ones() -> None:
    right = _reactions(HONEST, "negative")
    assert {(r.rating, r.corrected_label) for r in right if r} == {("up", None)}
    wrong = _reactions(HONEST, "positive")
    assert {(r.rating, r.corrected_label) for r in wrong if r} == {("down", "negative")}


def test_an_erring_subject_presses_the_wrong_thumb_and_corrects_to_the_wrong_label() -> None:
    erring = replace(HONEST, error_share=1.0)
    assert {r.rating for r in _reactions(erring, "positive") if r} == {"up"}
    blamed = _reactions(erring, "negative")
    assert {(r.rating, r.corrected_label) for r in blamed if r} == {("down", "positive")}


def test_shares_are_kept() -> None:
    subject = replace(HONEST, error_share=0.2, rate_when_wrong=0.5, correction_share=0.25)
    rated = [r for r in _reactions(subject, "positive", times=8_000) if r]
    down = [r for r in rated if r.rating == "down"]
    assert len(rated) / 8_000 == pytest.approx(0.5, abs=0.03)
    assert len(down) / len(rated) == pytest.approx(0.8, abs=0.03)
    assert sum(r.corrected_label is not None for r in down) / len(down) == pytest.approx(
        0.25, abs=0.03
    )


def test_a_topic_of_taste_is_rated_more_often() -> None:
    casual = replace(HONEST, rate_when_wrong=0.2)
    fond = replace(casual, tastes=frozenset({"food"}))
    rated_casually = sum(r is not None for r in _reactions(casual, "positive"))
    rated_fondly = sum(r is not None for r in _reactions(fond, "positive"))
    assert rated_fondly > 1.3 * rated_casually


def test_wrong_answers_are_rated_more_often_by_a_crowd_with_few_contrarians() -> None:
    rng = random.Random(2)
    subjects = make_subjects(n=4_000, seed=3)
    right = wrong = 0
    for subject, review in zip(subjects, generate_reviews(n=4_000, seed=3), strict=True):
        other: Label = "negative" if review.label == "positive" else "positive"
        right += react(subject, review=review, predicted=review.label, rng=rng) is not None
        wrong += react(subject, review=review, predicted=other, rng=rng) is not None
    assert 0.02 < right / 4_000 < 0.08
    assert wrong > 2.5 * right
    contrarians = sum(subject.error_share > 0.5 for subject in subjects) / len(subjects)
    assert 0.015 < contrarians < 0.05


def test_eagerness_scales_ratings_and_never_exceeds_certainty() -> None:
    calm, eager = make_subjects(n=50, seed=4), make_subjects(n=50, seed=4, eagerness=2.0)
    for one, other in zip(calm, eager, strict=True):
        assert other.rate_when_right == pytest.approx(2 * one.rate_when_right)
        assert other.error_share == one.error_share
    for subject in make_subjects(n=50, seed=4, eagerness=100):
        assert subject.rate_when_wrong == 1.0


def test_comments_are_occasional_and_fit_the_thumb() -> None:
    comments = {r.comment for r in _reactions(HONEST, "positive") if r and r.comment}
    silent = sum(r is not None and r.comment is None for r in _reactions(HONEST, "positive"))
    assert 5 < len(comments) < 100
    assert silent > 1_000
    assert not any(comment.startswith(("yes", "nice", "I liked")) for comment in comments)
    assert not any("{" in comment or "|" in comment for comment in comments)
