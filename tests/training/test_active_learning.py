"""Strategies: each puts a pool in its order, and none breaks on what a young project has."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from sklearn.pipeline import Pipeline

from tests.training.texts import corpus, fitted
from training.active_learning import (
    DEFAULT_SHARES,
    STRATEGIES,
    BadMixture,
    Pool,
    checked_shares,
    measures,
    pick,
    vote_entropy,
)
from training.estimators import build
from training.inclusion import UNIFORM

TEXTS, _ = corpus(200, n_classes=3, seed=5)


def pool_of(
    pipeline: Pipeline, texts: Sequence[str] = TEXTS, *, committee: Sequence[Pipeline] = ()
) -> Pool:
    answers = pipeline.predict_proba(texts) if len(texts) else np.empty((0, 3))
    return Pool(
        measures=measures(answers),
        texts=lambda positions: [texts[position] for position in positions],
        pipeline=lambda: pipeline,
        committee=lambda: list(committee),
    )


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return fitted(n_classes=3)


def order(name: str, pool: Pool, n: int = 20) -> list[int]:
    return list(STRATEGIES[name].order(pool, n))


@pytest.mark.parametrize(("name", "direction"), [("margin", 1), ("entropy", -1), ("confidence", 1)])
def test_the_least_sure_texts_come_first(pipeline: Pipeline, name: str, direction: int) -> None:
    pool = pool_of(pipeline)
    scores = getattr(pool.measures, name)
    said = order({"confidence": "least_confident"}.get(name, name), pool)
    assert sorted(said) == list(range(200))
    assert np.all(np.diff(direction * scores[said]) >= 0)


def test_a_committee_asks_where_versions_disagree(pipeline: Pipeline) -> None:
    other = fitted(n_classes=3, seed=9, C=0.01)
    members = [pipeline, other, fitted(n_classes=2, seed=2)]
    said = order("committee", pool_of(pipeline, committee=members))
    votes = np.array([member.predict(TEXTS) for member in members]).T
    assert set(said) == {i for i, row in enumerate(votes) if len(set(row)) > 1}
    assert len(set(votes[said[0]])) == max(len(set(row)) for row in votes)


def test_votes_count_by_name_whatever_classes_a_version_knows() -> None:
    three, two = fitted(n_classes=3), fitted(n_classes=2, seed=4)
    division = vote_entropy([three, two], ["okay average fine plain usual", "awful cold rude"])
    assert division == pytest.approx([np.log(2), 0])


@pytest.mark.parametrize("members", [0, 1, 2])
def test_a_committee_that_cannot_disagree_is_silent(pipeline: Pipeline, members: int) -> None:
    unfitted = build("tfidf_logreg", params={}, seed=1)
    committee = [pipeline, unfitted][:members]
    assert order("committee", pool_of(pipeline, committee=committee)) == []


def test_a_diverse_batch_does_not_ask_the_same_thing_twice(pipeline: Pipeline) -> None:
    alike = [f"awful but lovely soup {'again ' * n}" for n in range(30)]
    texts = [*alike, "slow yet tasty bread", "cold fish, friendly waiter", "rude but cosy room"]
    pool = pool_of(pipeline, texts)
    said = order("diversity", pool, 4)
    assert sorted(said) == list(range(len(texts)))
    assert said[0] == order("margin", pool)[0]
    assert len({index for index in said[:5] if index >= 30}) == 3


def test_only_the_head_of_a_large_pool_is_compared(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.active_learning.DIVERSITY_POOL", 15)
    pool = pool_of(pipeline)
    assert set(order("diversity", pool)) == set(order("margin", pool)[:15])


@pytest.mark.parametrize(
    "texts", [[], ["soup"], ["soup", "fish"], ["zzz", "yyy", "xxx"], ["soup"] * 9]
)
@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("n", [1, 50])
def test_no_strategy_breaks_on_a_small_pool(
    pipeline: Pipeline, name: str, texts: list[str], n: int
) -> None:
    pool = pool_of(pipeline, texts, committee=[pipeline, fitted(n_classes=2)])
    said = order(name, pool, n)
    assert len(set(said)) == len(said)
    assert set(said) <= set(range(len(texts)))


def test_an_unfitted_version_puts_nothing_in_order() -> None:
    unfitted = build("tfidf_logreg", params={}, seed=1)
    pool = pool_of(fitted(n_classes=3))
    assert (
        order("diversity", Pool(pool.measures, pool.texts, lambda: unfitted, pool.committee)) == []
    )


def picked(pipeline: Pipeline, **given: Any) -> Any:
    pool = pool_of(pipeline)
    orders = {"margin": order("margin", pool)}
    shares = {"margin": 0.8, UNIFORM: 0.2}
    asked: dict[str, Any] = {"shares": shares, "size": 200, "n": 40, "rng_seed": 1, **given}
    return pick(pool, orders, **asked)


def test_picks_come_with_their_chance_and_their_strategy(pipeline: Pipeline) -> None:
    found = picked(pipeline)
    assert len({each.index for each in found.picks}) == len(found.picks) == 40
    assert {each.strategy for each in found.picks} == {"margin", UNIFORM}
    assert all(0 < each.inclusion_probability <= 1 for each in found.picks)
    certain = [each for each in found.picks if each.inclusion_probability == 1]
    first = order("margin", pool_of(pipeline))[: len(certain)]
    assert {each.index for each in certain} == set(first)


def test_the_same_seed_draws_the_same_picks_and_another_does_not(pipeline: Pipeline) -> None:
    assert picked(pipeline) == picked(pipeline)
    assert picked(pipeline) != picked(pipeline, rng_seed=2)


@pytest.mark.parametrize("n", [0, 1, 200, 500])
def test_no_more_is_picked_than_asked_for_or_there(pipeline: Pipeline, n: int) -> None:
    assert len(picked(pipeline, n=n).picks) == min(n, 200)


def test_the_rest_of_a_large_pool_is_reached_by_chance(pipeline: Pipeline) -> None:
    found = picked(pipeline, size=100_000, n=50)
    assert len(found.picks) + found.n_beyond == 50
    assert found.n_beyond == pytest.approx(10, abs=2)
    assert found.beyond_probability == pytest.approx(10 / 100_000, rel=0.1)


def test_the_usual_mixture_can_be_used() -> None:
    assert checked_shares(DEFAULT_SHARES) == pytest.approx(dict(DEFAULT_SHARES))
    assert checked_shares({"margin": 3, "entropy": 0, UNIFORM: 1}) == {
        "margin": 0.75,
        UNIFORM: 0.25,
    }


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ({"vibes": 1, UNIFORM: 1}, "no strategy vibes"),
        ({"margin": 1}, "at random"),
        ({"margin": 1, UNIFORM: 0.001}, "at random"),
        ({UNIFORM: 0}, "at random"),
        ({"margin": -1, UNIFORM: 1}, "share of margin"),
        ({"margin": "much", UNIFORM: 1}, "share of margin"),
        ({"margin": float("nan"), UNIFORM: 1}, "share of margin"),
        ({"margin": True, UNIFORM: 1}, "share of margin"),
    ],
)
def test_a_mixture_that_cannot_be_used_is_refused(shares: dict[str, Any], said: str) -> None:
    with pytest.raises(BadMixture, match=said):
        checked_shares(shares)
