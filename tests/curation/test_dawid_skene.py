"""Dawid and Skene's EM against their own published example, and against simulated truth."""

import numpy as np
import pytest

from curation.review.agreement.dawid_skene import UNKNOWN, Answers, Ints, estimate
from curation.review.agreement.records import records

# Dawid and Skene (1979), Table 1: 45 patients, each judged thrice by the first anaesthetist and
# once by four others, fit for surgery 1 to 4.
ANAESTHETISTS = """
1111111 3334334 1122122 2223121 2223222 2223322 1222111 3333433 2222223 2322223 4444444 2223343
1111111 2223212 1211111 1112111 1111111 1111111 2222221 2221322 2222222 2222221 2223222 2212222
1111111 1111111 2322222 1111111 1111111 1121121 1111111 3333233 1111111 2222222 2223232 4334343
2212232 2323233 3333432 1111111 1111111 1212111 2322222 1211111 2222222
"""
OBSERVERS = (0, 0, 0, 1, 2, 3, 4)


def published() -> Answers:
    rows = [
        (patient, observer, int(category) - 1)
        for patient, line in enumerate(ANAESTHETISTS.split())
        for observer, category in zip(OBSERVERS, line, strict=True)
    ]
    items, annotators, said = np.array(rows).T
    return Answers(items, annotators, said, 45, 5, 4)


def simulated(
    accuracies: list[float], *, n_items: int, overlap: int, n_labels: int = 2, seed: int = 0
) -> tuple[Ints, Answers]:
    """Items of even prevalence, each answered by ``overlap`` annotators drawn anew."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, n_labels, n_items)
    drawn = [rng.choice(len(accuracies), overlap, replace=False) for _ in range(n_items)]
    annotators, items = np.concatenate(drawn), np.repeat(np.arange(n_items), overlap)
    is_right = rng.random(items.size) < np.array(accuracies)[annotators]
    wrong = (truth[items] + rng.integers(1, n_labels, items.size)) % n_labels
    said = np.where(is_right, truth[items], wrong)
    return truth, Answers(items, annotators, said, n_items, len(accuracies), n_labels)


def test_the_published_example_has_the_published_marginals_and_error_rates() -> None:
    found = estimate(published())
    assert found.has_converged
    assert found.prevalence == pytest.approx([0.40, 0.42, 0.11, 0.07], abs=0.005)
    assert found.error_rates[0] == pytest.approx(
        np.array(
            [
                [0.89, 0.11, 0.00, 0.00],
                [0.07, 0.88, 0.05, 0.00],
                [0.00, 0.34, 0.66, 0.00],
                [0.00, 0.00, 0.56, 0.44],
            ]
        ),
        abs=0.005,
    )


def test_the_published_example_leaves_almost_no_patient_in_doubt() -> None:
    truths = estimate(published()).truths
    certain = truths.max(axis=1) > 0.99
    assert np.flatnonzero(~certain).tolist() == [6, 34, 37]
    # The second patient was called a 3 by most; by the observers' habits that is what a 4 looks
    # like, as is the 36th.
    assert ANAESTHETISTS.split()[1].count("3") == 5
    assert truths[[1, 35]].argmax(axis=1).tolist() == [3, 3]


@pytest.mark.parametrize("prior", [None, 2.0])
def test_no_step_of_em_lowers_its_objective(prior: float | None) -> None:
    answers = published()
    pseudo = None if prior is None else np.tile(np.eye(4) * prior + 0.1, (5, 1, 1))
    trace = np.array(estimate(answers, pseudo_counts=pseudo).trace)
    assert len(trace) > 5
    assert np.diff(trace).min() > -1e-9


def test_the_same_answers_give_the_same_estimate_and_annotators_order_does_not_matter() -> None:
    answers = published()
    swapped = Answers(answers.items, 4 - answers.annotators, answers.said, 45, 5, 4)
    first = estimate(answers)
    assert np.array_equal(first.truths, estimate(answers).truths)
    assert np.allclose(first.error_rates[::-1], estimate(swapped).error_rates)


@pytest.mark.parametrize(
    ("n_labels", "accuracies"), [(2, [0.9, 0.85, 0.6, 0.55, 0.5]), (4, [0.9, 0.7, 0.4, 0.3, 0.25])]
)
def test_it_beats_the_majority_where_some_only_guess(
    n_labels: int, accuracies: list[float]
) -> None:
    truth, answers = simulated(accuracies, n_items=1500, overlap=3, n_labels=n_labels, seed=5)
    votes = np.zeros((1500, n_labels))
    np.add.at(votes, (answers.items, answers.said), 1)
    majority = np.mean(votes.argmax(axis=1) == truth)
    weighed = np.mean(estimate(answers).truths.argmax(axis=1) == truth)
    assert weighed > majority + 0.03


def test_an_item_with_one_answer_or_none_is_weighed_by_what_the_others_taught() -> None:
    _, answers = simulated([0.9, 0.9, 0.9, 0.5], n_items=400, overlap=3, seed=1)
    lonely = Answers(
        np.append(answers.items, [400, 401]),
        np.append(answers.annotators, [0, 3]),
        np.append(answers.said, [1, 1]),
        403,
        4,
        2,
    )
    truths = estimate(lonely).truths
    assert truths[400, 1] > 0.85
    assert 0.35 < truths[401, 1] < 0.65
    assert truths[402].sum() == pytest.approx(1)


def test_known_truths_are_kept_and_tell_who_is_right_when_two_differ() -> None:
    truth, answers = simulated([0.95, 0.6], n_items=300, overlap=2, seed=2)
    known = np.where(np.arange(300) < 100, truth, UNKNOWN)
    found = estimate(answers, known=known)
    assert np.array_equal(found.truths[:100].argmax(axis=1), truth[:100])
    assert found.truths[:100].max(axis=1).min() == 1
    right = found.error_rates[:, [0, 1], [0, 1]].mean(axis=1)
    assert right == pytest.approx([0.95, 0.6], abs=0.06)


def test_nothing_cannot_be_estimated() -> None:
    none = np.array([], dtype=np.int64)
    with pytest.raises(ValueError, match="without items"):
        estimate(Answers(none, none, none, 0, 1, 2))


def test_it_finds_the_truth_behind_many_answers_of_many_annotators() -> None:
    rng = np.random.default_rng(3)
    items, annotators = np.repeat(np.arange(60_000), 3), rng.integers(0, 50, 180_000)
    said = np.where(rng.random(180_000) < 0.8, items % 3, rng.integers(0, 3, 180_000))
    found = estimate(Answers(items, annotators, said, 60_000, 50, 3))
    assert np.mean(found.truths.argmax(axis=1) == np.arange(60_000) % 3) > 0.93


ACCURACIES = [0.9, 0.9, 0.85, 0.7, 0.5]


def test_intervals_of_accuracy_cover_the_truth_about_as_often_as_they_say() -> None:
    covered = [0] * len(ACCURACIES)
    runs = 120
    for seed in range(runs):
        _, answers = simulated(ACCURACIES, n_items=300, overlap=3, seed=seed)
        for user, found in enumerate(records(answers, is_senior=[False] * 5)):
            assert found.low is not None
            assert found.high is not None
            covered[user] += found.low <= ACCURACIES[user] <= found.high
    assert min(covered) >= 0.88 * runs
    assert 0.91 <= sum(covered) / (5 * runs) <= 0.99


def test_an_answer_held_to_gold_is_worth_a_whole_comparison_and_others_less() -> None:
    truth, answers = simulated(ACCURACIES, n_items=300, overlap=3, seed=4)
    blind = records(answers, is_senior=[False] * 5)
    gold = records(answers, is_senior=[False] * 5, known=truth)
    for unsure, sure in zip(blind, gold, strict=True):
        assert unsure.n_gold == 0
        assert sure.n_gold == sure.n_compared == unsure.n_compared
        assert sure.n_effective == pytest.approx(sure.n_compared)
        assert 0.2 * unsure.n_compared < unsure.n_effective < 0.9 * unsure.n_compared
        assert sure.confusion.sum() == pytest.approx(sure.n_compared)


def test_two_annotators_alone_cannot_tell_who_is_right() -> None:
    # Only the product of their skills shows in how often they agree.
    _, answers = simulated([0.95, 0.7], n_items=1000, overlap=2, n_labels=2, seed=6)
    for found in records(answers, is_senior=[False, False]):
        assert found.n_effective < 100
        assert found.low is None or found.high is None or found.high - found.low > 0.1


def test_a_single_comparison_is_worth_too_little_to_judge_by() -> None:
    zeros = np.zeros(2, dtype=np.int64)
    found = records(
        Answers(zeros, np.array([0, 1]), np.array([0, 1]), 1, 2, 2), is_senior=[False, False]
    )
    assert [(each.accuracy, each.n_compared) for each in found] == [(None, 1), (None, 1)]
