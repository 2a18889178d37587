"""Active learning: the least sure first, a uniform share beside, and every chance logged."""

from collections import Counter

import numpy as np
import pytest

from tests.training.texts import corpus, fitted
from training import scoring_arithmetic
from training.active_learning import (
    STRATEGIES,
    UnfittedEstimator,
    UnknownStrategy,
    rank_answers,
    rank_uncertain,
)
from training.estimators import build

TEXTS, _ = corpus(200, n_classes=3, seed=5)
ARITHMETIC = {
    "margin": (scoring_arithmetic.margin, 1),
    "entropy": (scoring_arithmetic.entropy, -1),
    "least_confident": (scoring_arithmetic.least_confident, -1),
}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_least_sure_texts_are_picked_first(strategy: str) -> None:
    pipeline = fitted(n_classes=3)
    measure, direction = ARITHMETIC[strategy]
    scores = measure(pipeline.predict_proba(TEXTS))
    picks = rank_uncertain(
        pipeline,
        TEXTS,
        n=20,
        strategy=strategy,
        rng_seed=1,
        uniform_share=0,  # type: ignore[arg-type]
    )
    assert [pick.score for pick in picks] == pytest.approx(
        (direction * np.sort(direction * scores))[:20].tolist()
    )
    assert [scores[pick.index] for pick in picks] == pytest.approx([pick.score for pick in picks])
    assert {(pick.strategy, pick.inclusion_probability) for pick in picks} == {(strategy, 1.0)}


def test_served_answers_rank_as_the_pipeline_does() -> None:
    pipeline = fitted(n_classes=3)
    answers = pipeline.predict_proba(TEXTS)
    assert rank_answers(answers, n=30, rng_seed=7) == rank_uncertain(
        pipeline, TEXTS, n=30, rng_seed=7
    )


def test_a_tenth_is_drawn_from_the_rest_and_says_with_what_chance() -> None:
    picks = rank_uncertain(fitted(n_classes=3), TEXTS, n=40, rng_seed=1)
    assert Counter(pick.strategy for pick in picks) == {"margin": 36, "uniform": 4}
    assert len({pick.index for pick in picks}) == 40
    drawn = [pick for pick in picks if pick.strategy == "uniform"]
    assert {(pick.score, pick.inclusion_probability) for pick in drawn} == {(None, 4 / 164)}


def test_the_logged_chances_weight_the_picks_back_to_the_pool() -> None:
    """Horvitz and Thompson: Σ 1/π over the picks estimates the size of the pool, of any part."""
    answers = np.random.default_rng(0).dirichlet([1, 1], size=100)
    estimates = [
        sum(
            1 / pick.inclusion_probability
            for pick in rank_answers(answers, n=40, rng_seed=seed, uniform_share=0.5)
            if pick.index < 30
        )
        for seed in range(400)
    ]
    assert np.mean(estimates) == pytest.approx(30, abs=1)


def test_the_same_seed_draws_the_same_picks_and_another_does_not() -> None:
    pipeline = fitted(n_classes=3)
    first, again, other = (
        rank_uncertain(pipeline, TEXTS, n=40, rng_seed=seed, uniform_share=1) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("n", [0, 1, 200, 500])
def test_no_more_is_picked_than_asked_for_or_there(n: int) -> None:
    picks = rank_uncertain(fitted(n_classes=3), TEXTS, n=n, rng_seed=1)
    assert len({pick.index for pick in picks}) == len(picks) == min(n, 200)
    assert all(0 < pick.inclusion_probability <= 1 for pick in picks)


def test_an_empty_pool_gives_no_picks() -> None:
    assert rank_uncertain(fitted(), [], n=5, rng_seed=1) == []
    assert rank_uncertain(None, [], n=5, rng_seed=1) == []


def test_a_cold_start_draws_uniformly() -> None:
    picks = rank_uncertain(None, TEXTS, n=50, rng_seed=1)
    assert {(pick.strategy, pick.score, pick.inclusion_probability) for pick in picks} == {
        ("uniform", None, 0.25)
    }


def test_an_unfitted_pipeline_is_refused_instead_of_calling_all_alike() -> None:
    with pytest.raises(UnfittedEstimator):
        rank_uncertain(build("tfidf_logreg", params={}, seed=1), TEXTS, n=5, rng_seed=1)


def test_an_unknown_strategy_is_refused() -> None:
    with pytest.raises(UnknownStrategy, match="margin"):
        rank_answers(np.eye(2), n=1, strategy="vibes", rng_seed=1)  # type: ignore[arg-type]


def test_a_long_text_does_not_cost_its_length_for_every_other() -> None:
    """modAL copies a list of texts into an array as wide as the longest: here 1.6 GB."""
    texts = [*TEXTS, "soup " * 400_000]
    assert len(rank_uncertain(fitted(n_classes=3), texts, n=5, rng_seed=1)) == 5
