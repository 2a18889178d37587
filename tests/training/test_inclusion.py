"""Every text can be picked, its chance is logged truly, and the chances undo the choice."""

from collections import Counter

import numpy as np
import pytest

from training.inclusion import UNIFORM, capped, design, systematic

SHARES = {"margin": 0.5, "diversity": 0.3, UNIFORM: 0.2}
# What two strategies might say of 300 texts; a third of them lies beyond what they saw.
N_LISTED, N_BEYOND, N = 200, 100, 20
ORDERS = {
    "margin": list(range(N_LISTED)),
    "diversity": np.random.default_rng(3).permutation(N_LISTED)[:80].tolist(),
}


def test_shares_of_picks_are_capped_at_certainty() -> None:
    assert capped(np.array([4.0, 1.0, 1.0]), n=2).tolist() == [1, 0.5, 0.5]
    assert capped(np.array([100.0, 10.0, 1.0, 1.0]), n=3).tolist() == [1, 1, 0.5, 0.5]
    assert capped(np.array([1.0, 1.0]), n=5).tolist() == [1, 1]
    assert capped(np.array([1.0, 0.0]), n=2).tolist() == [1, 0]
    assert capped(np.array([2.0, 1.0]), n=4, copies=np.array([1, 9])) == pytest.approx(
        [2 * 4 / 11, 4 / 11]
    )
    assert capped(np.empty(0), n=2).tolist() == []


@pytest.mark.parametrize("n", [1, 7, 20, 150, 299, 300, 500])
def test_every_text_has_a_chance_and_the_chances_sum_to_the_picks(n: int) -> None:
    made = design(ORDERS, shares=SHARES, n_listed=N_LISTED, n_beyond=N_BEYOND, n=n)
    assert made.probability.min() > 0
    assert made.beyond > 0
    assert made.probability.max() <= 1
    assert made.probability.sum() + N_BEYOND * made.beyond == pytest.approx(min(n, 300))


def test_the_first_half_of_a_strategys_share_is_certain() -> None:
    made = design(
        {"margin": range(1000)}, shares={"margin": 0.9, UNIFORM: 0.1}, n_listed=1000, n=100
    )
    assert (made.probability == 1).sum() == pytest.approx(45, abs=5)
    assert made.probability[200] < 0.1
    assert made.probability[999] == pytest.approx(10 / 1000, rel=0.3)


def test_a_silent_strategy_leaves_its_share_to_the_others() -> None:
    alone = design(
        {"margin": ORDERS["margin"]}, shares={"margin": 0.5, UNIFORM: 0.2}, n_listed=N_LISTED, n=N
    )
    beside = design({**ORDERS, "diversity": []}, shares=SHARES, n_listed=N_LISTED, n=N)
    assert beside.probability == pytest.approx(alone.probability)


def test_with_nothing_but_chance_all_are_alike() -> None:
    made = design({}, shares={UNIFORM: 1}, n_listed=30, n_beyond=10, n=8)
    assert made.probability == pytest.approx(np.full(30, 0.2))
    assert made.beyond == pytest.approx(0.2)


@pytest.mark.parametrize(
    "shares", [{"margin": 1.0}, {"margin": 1, UNIFORM: 0}, {"x": -1, UNIFORM: 1}]
)
def test_a_mixture_without_chance_is_refused(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="uniform"):
        design(ORDERS, shares=shares, n_listed=N_LISTED, n=N)


def test_each_text_is_picked_as_often_as_its_chance_says() -> None:
    made = design(ORDERS, shares=SHARES, n_listed=N_LISTED, n_beyond=N_BEYOND, n=N)
    seen, beyond, draws = Counter[int](), 0, 4000
    for seed in range(draws):
        drawn = systematic(made.probability, n_beyond=N_BEYOND, beyond=made.beyond, seed=seed)
        assert len(drawn.listed) + drawn.n_beyond == N
        seen.update(drawn.listed)
        beyond += drawn.n_beyond
    often = np.array([seen[index] for index in range(N_LISTED)]) / draws
    spread = np.sqrt(made.probability * (1 - made.probability) / draws)
    assert (np.abs(often - made.probability) <= 4.5 * spread + 1e-9).all()
    assert beyond / draws == pytest.approx(N_BEYOND * made.beyond, abs=0.1)


def test_the_weighted_picks_tell_the_error_of_the_pool_and_the_bare_ones_do_not() -> None:
    """The model errs more often where it is unsure, which is where most picks come from."""
    rng = np.random.default_rng(1)
    is_wrong = rng.random(N_LISTED + N_BEYOND) < np.linspace(0.6, 0.02, N_LISTED + N_BEYOND)
    truth = is_wrong.mean()
    made = design(ORDERS, shares=SHARES, n_listed=N_LISTED, n_beyond=N_BEYOND, n=N)
    weighted, bare = [], []
    for seed in range(3000):
        drawn = systematic(made.probability, n_beyond=N_BEYOND, beyond=made.beyond, seed=seed)
        others = rng.choice(np.arange(N_LISTED, len(is_wrong)), drawn.n_beyond, replace=False)
        picks = np.append(np.array(drawn.listed, dtype=int), others)
        chances = np.append(made.probability[drawn.listed], np.full(len(others), made.beyond))
        weighted.append((is_wrong[picks] / chances).sum() / len(is_wrong))
        bare.append(is_wrong[picks].mean())
    error = np.std(weighted) / np.sqrt(len(weighted))
    assert np.mean(weighted) == pytest.approx(truth, abs=3.5 * error)
    assert np.mean(bare) > truth + 0.1


def test_an_empty_pool_gives_nothing() -> None:
    made = design({"margin": []}, shares=SHARES, n_listed=0, n=5)
    drawn = systematic(made.probability, n_beyond=0, beyond=made.beyond, seed=1)
    assert (drawn.listed, drawn.n_beyond) == ([], 0)
