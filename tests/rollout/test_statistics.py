"""Published numbers, other people's implementations, edges, and simulated error rates."""

import doctest
import importlib
import itertools
import json
import random
from dataclasses import asdict, replace
from datetime import timedelta
from math import exp, log, prod, sqrt

import numpy as np
import pytest
from scipy import stats
from scipy.stats.contingency import odds_ratio as scipy_odds_ratio
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_confint,
    proportion_effectsize,
)

from rollout.statistics import power, proportions, sequential, wording
from rollout.statistics.arms import (
    ArmCounts,
    Plan,
    Verdict,
    as_json,
    compare,
    sentence,
    summarise,
)
from rollout.statistics.estimates import Estimate, NotEnough, Tally, from_json, to_json
from rollout.statistics.sequential import EProcess, Outcome, guardrail
from rollout.statistics.srm import LOG_THRESHOLD, sample_ratio

MODULES = ["arms", "estimates", "power", "proportions", "sequential", "srm", "wording"]


@pytest.mark.parametrize("name", MODULES)
def test_worked_examples_in_the_docstrings_hold(name: str) -> None:
    module = importlib.import_module(f"rollout.statistics.{name}")
    assert doctest.testmod(module).failed == 0


def known(measured: Estimate | NotEnough) -> Estimate:
    assert isinstance(measured, Estimate)
    return measured


# Shares


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    # Newcombe (1998), Statistics in Medicine 17:857-872, Table I, method 3.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_interval_is_the_published_one(hits: int, n: int, low: float, high: float) -> None:
    estimate = known(proportions.share(Tally(hits, n)))
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=6e-5)
    assert (estimate.low, estimate.high) == pytest.approx(
        proportion_confint(hits, n, method="wilson"), abs=1e-12
    )


@pytest.mark.parametrize(
    ("treatment", "control", "low", "high"),
    # Newcombe (1998), Statistics in Medicine 17:873-890, Table II, method 10.
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_newcombe_interval_is_the_published_one(
    treatment: tuple[int, int], control: tuple[int, int], low: float, high: float
) -> None:
    estimate = known(proportions.difference(control=Tally(*control), treatment=Tally(*treatment)))
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=6e-5)
    theirs = confint_proportions_2indep(*treatment, *control, method="newcomb", compare="diff")
    assert (estimate.low, estimate.high) == pytest.approx(theirs, abs=1e-9)


def test_odds_ratio_agrees_with_scipy() -> None:
    estimate = known(proportions.odds_ratio(control=Tally(40, 100), treatment=Tally(55, 100)))
    theirs = scipy_odds_ratio([[55, 45], [40, 60]], kind="sample")
    interval = theirs.confidence_interval(0.95)
    assert estimate.value == pytest.approx(theirs.statistic)
    assert (estimate.low, estimate.high) == pytest.approx((interval.low, interval.high))


def test_an_empty_cell_gives_a_finite_odds_ratio_and_an_empty_margin_none() -> None:
    estimate = known(proportions.odds_ratio(control=Tally(5, 50), treatment=Tally(0, 50)))
    assert estimate.value == pytest.approx(0.5 * 45.5 / (50.5 * 5.5))
    assert estimate.low < estimate.value < estimate.high
    nothing = proportions.odds_ratio(control=Tally(50, 50), treatment=Tally(50, 50), unit="thumbs")
    assert isinstance(nothing, NotEnough)
    assert nothing.needed is None


def test_thumbs_odds_ratio_survives_reporting_that_depends_on_the_outcome() -> None:
    """Users rate 3 % of correct and 12 % of wrong answers: the share misleads, the ratio holds."""
    truth = proportions.odds_ratio(control=Tally(80_000, 100_000), treatment=Tally(88_000, 100_000))
    control, treatment = Tally(2400, 2400 + 2400), Tally(2640, 2640 + 1440)
    thumbs = proportions.odds_ratio(control=control, treatment=treatment)
    assert (
        known(thumbs).value == pytest.approx(known(truth).value) == pytest.approx(1.8333, abs=1e-4)
    )
    assert known(proportions.share(control)).value == 0.5


@pytest.mark.parametrize("n", [0, 4])
def test_too_few_observations_are_not_a_number(n: int) -> None:
    measured = proportions.share(Tally(0, n), unit="audit labels", minimum=5)
    assert measured == NotEnough(5 - n, f"Not enough data, about {5 - n} more audit labels.")
    both = proportions.difference(control=Tally(9, 9), treatment=Tally(0, n), minimum=5)
    assert isinstance(both, NotEnough)
    assert both.needed == 5 - n


@pytest.mark.parametrize(("hits", "n"), [(3, 2), (-1, 2), (0, -1)])
def test_impossible_counts_are_refused(hits: int, n: int) -> None:
    with pytest.raises(ValueError, match="not a count"):
        Tally(hits, n)


def test_measurements_survive_storage() -> None:
    for measured in (Estimate(0.1, 0.0, 0.2, 9), NotEnough(3, "x"), NotEnough(None, "y")):
        assert from_json(json.loads(json.dumps(to_json(measured)))) == measured


# Sequential


@pytest.mark.parametrize("treatment_share", [0.5, 0.2])
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_e_process_has_mean_one_without_harm(treatment_share: float, rate: float) -> None:
    """Exactly, over all 4^6 ways that six outcomes can fall."""
    outcomes = [Outcome(treated, harmed) for treated in (False, True) for harmed in (False, True)]
    chance = {
        o: (treatment_share if o.treated else 1 - treatment_share)
        * (rate if o.harmed else 1 - rate)
        for o in outcomes
    }
    mean = sum(
        prod(chance[o] for o in path) * exp(EProcess(treatment_share).after(path).log_e)
        for path in itertools.product(outcomes, repeat=6)
    )
    assert mean == pytest.approx(1.0, abs=1e-12)


def test_e_process_bets_against_harm_only() -> None:
    better = [Outcome(True, False), Outcome(False, True)] * 200
    assert EProcess().after(better).log_peak == 0.0
    worse = [Outcome(True, True), Outcome(False, False)] * 200
    assert EProcess().after(worse).log_e > log(1000)


def test_e_process_may_be_fed_in_pieces_and_stored_between() -> None:
    rng = random.Random(5)
    path = [Outcome(rng.random() < 0.5, rng.random() < 0.3) for _ in range(300)]
    piecewise = EProcess()
    for start in range(0, 300, 7):
        stored = json.loads(json.dumps(asdict(piecewise)))
        piecewise = EProcess(**stored).after(path[start : start + 7])
    assert piecewise == EProcess().after(path)


def crossing_share(
    *, control: float, treatment: float, runs: int, outcomes: int, voters_treated: float = 0.5
) -> float:
    """How many runs ever reach E = 20, looking after every outcome."""
    rng = np.random.default_rng(20261123)
    crossed = 0
    for _ in range(runs):
        treated = rng.random(outcomes) < voters_treated
        harmed = rng.random(outcomes) < np.where(treated, treatment, control)
        pairs = zip(treated.tolist(), harmed.tolist(), strict=True)
        crossed += EProcess().after(Outcome(*pair) for pair in pairs).log_peak >= log(20)
    return crossed / runs


def test_e_process_rarely_rolls_back_a_harmless_candidate_however_often_it_looks() -> None:
    # 1,000 runs: a true rate of 5 % shows as at most 6.6 % with 99 % probability.
    assert crossing_share(control=0.2, treatment=0.2, runs=1000, outcomes=600) <= 0.066


def test_e_process_keeps_its_level_when_one_arm_votes_more() -> None:
    share = crossing_share(control=0.2, treatment=0.2, runs=1000, outcomes=600, voters_treated=0.6)
    assert share <= 0.066


def test_e_process_finds_harm() -> None:
    # Half of the runs find .20 -> .30 within about 350 outcomes an arm.
    assert 0.3 < crossing_share(control=0.2, treatment=0.3, runs=150, outcomes=700) < 0.7
    assert crossing_share(control=0.2, treatment=0.4, runs=100, outcomes=700) > 0.95


def test_a_crossing_stays_a_crossing() -> None:
    process = EProcess().after([Outcome(True, True), Outcome(False, False)] * 30)
    assert process.log_e > log(40)
    calmed = process.after([Outcome(True, False), Outcome(False, True)] * 60)
    assert calmed.log_e < log(40)
    rail = guardrail(name="thumbs-down rate", process=calmed, alpha=0.025)
    assert rail.threshold == 40
    assert rail.crossed
    assert rail.e_value < rail.threshold < rail.peak
    assert rail.sentence.startswith("The thumbs-down rate is worse: 30 of 90 in treatment")


def test_confidence_sequence_is_that_of_growthbook() -> None:
    """Their TestSequentialTTest: uplift .50336 ± .33341, 6,461 users, tuning 1,000."""
    half = sequential.reach(spread=0.33341 * sqrt(6461), n=6461, decision_size=1000)
    assert (0.50336 - half, 0.50336 + half) == pytest.approx((-0.55844, 1.56516), abs=2e-5)


def test_confidence_sequence_holds_at_every_look_and_the_fixed_interval_does_not() -> None:
    rng = np.random.default_rng(7)
    runs, per_arm = 400, 400
    arms = np.cumsum(rng.random((2, runs, per_arm)) < 0.8, axis=2)
    missed = {"sequence": 0, "fixed": 0}
    for run in range(runs):
        looks = [
            (Tally(int(arms[0, run, n - 1]), n), Tally(int(arms[1, run, n - 1]), n))
            for n in range(20, per_arm + 1, 10)
        ]
        for name, method in (
            (
                "sequence",
                lambda c, t: sequential.difference(control=c, treatment=t, decision_size=400),
            ),
            ("fixed", lambda c, t: proportions.difference(control=c, treatment=t)),
        ):
            intervals = [known(method(c, t)) for c, t in looks]
            missed[name] += any(not e.low <= 0 <= e.high for e in intervals)
    assert missed["sequence"] / runs <= 0.05
    assert missed["fixed"] / runs > 0.12


def test_arms_without_a_miss_are_not_known_for_certain() -> None:
    estimate = known(
        sequential.difference(control=Tally(30, 30), treatment=Tally(30, 30), decision_size=200)
    )
    assert estimate.low < -0.05
    assert estimate.high > 0.05


def test_confidence_sequence_waits_for_twenty_labels_an_arm() -> None:
    measured = sequential.difference(
        control=Tally(15, 15), treatment=Tally(40, 50), decision_size=200, unit="audit labels"
    )
    assert measured == NotEnough(5, "Not enough data, about 5 more audit labels.")


# Sample ratio


def test_sample_ratio_p_value_is_pearsons() -> None:
    ratio = sample_ratio(observed=[520, 480], weights=[0.5, 0.5])
    assert ratio.p_value == pytest.approx(stats.chisquare([520, 480]).pvalue)
    three = sample_ratio(observed=[100, 210, 300], weights=[1, 2, 3])
    expected = stats.chisquare([100, 210, 300], [610 / 6, 610 / 3, 610 / 2])
    assert three.p_value == pytest.approx(expected.pvalue)


def test_sample_ratio_bayes_factor_is_the_dirichlet_multinomial_one() -> None:
    ratio = sample_ratio(observed=[530, 470], weights=[0.5, 0.5])
    alternative = stats.dirichlet_multinomial.logpmf([530, 470], [500, 500], 1000)
    plan = stats.multinomial.logpmf([530, 470], 1000, [0.5, 0.5])
    assert ratio.log_bayes_factor == pytest.approx(float(alternative - plan), abs=1e-8)


def test_sample_ratio_mismatch_is_found_and_said() -> None:
    ratio = sample_ratio(observed=[3300, 1700], weights=[0.8, 0.2])
    assert ratio.mismatched
    assert ratio.sentence == (
        "Subjects are split 66.0% / 34.0% where 80.0% / 20.0% was planned: do not trust this test."
    )
    assert not sample_ratio(observed=[4010, 990], weights=[0.8, 0.2]).mismatched


def test_subjects_in_an_arm_of_no_weight_are_a_mismatch_and_none_are_not() -> None:
    assert sample_ratio(observed=[500, 500, 1], weights=[1, 1, 0]).mismatched
    clean = sample_ratio(observed=[500, 520, 0], weights=[1, 1, 0])
    assert not clean.mismatched
    assert clean.p_value == pytest.approx(stats.chisquare([500, 520]).pvalue)


def test_sample_ratio_of_few_subjects_has_no_p_value() -> None:
    ratio = sample_ratio(observed=[0, 0], weights=[0.5, 0.5])
    assert isinstance(ratio.p_value, NotEnough)
    assert ratio.sentence == "No subject has been assigned yet."


def test_sample_ratio_test_does_not_cry_wolf_when_looked_at_often() -> None:
    rng = np.random.default_rng(11)
    alarms = 0
    for _ in range(300):
        treated = np.cumsum(rng.random(10_000) < 0.5)
        looks = range(50, 10_001, 50)
        alarms += any(
            sample_ratio(
                observed=[n - int(treated[n - 1]), int(treated[n - 1])], weights=[0.5, 0.5]
            ).log_bayes_factor
            > LOG_THRESHOLD
            for n in looks
        )
    assert alarms == 0


def test_sample_ratio_finds_a_split_of_52_to_48() -> None:
    rng = np.random.default_rng(12)
    treated = rng.binomial(20_000, 0.48, size=200).tolist()
    found = sum(
        sample_ratio(observed=[20_000 - count, count], weights=[0.5, 0.5]).mismatched
        for count in treated
    )
    assert found > 180


@pytest.mark.parametrize(("observed", "weights"), [([1], [0.5, 0.5]), ([-1, 2], [1, 1])])
def test_sample_ratio_refuses_nonsense(observed: list[int], weights: list[float]) -> None:
    with pytest.raises(ValueError, match="One count and one weight"):
        sample_ratio(observed=observed, weights=weights)


# Power


@pytest.mark.parametrize(
    ("control", "treatment", "n"),
    [(0.80, 0.82, 6036), (0.05, 0.0575, 14177), (0.02, 0.023, 36650)],
)
def test_sample_sizes_are_those_of_statsmodels(control: float, treatment: float, n: int) -> None:
    assert power.per_arm(control=control, treatment=treatment) == pytest.approx(n, abs=1)
    effect = proportion_effectsize(treatment, control)
    theirs = NormalIndPower().solve_power(effect, power=0.8, alpha=0.05)
    assert power.per_arm(control=control, treatment=treatment) == pytest.approx(theirs, abs=1)


def test_no_sample_shows_a_change_that_is_none() -> None:
    assert power.per_arm(control=0.8, treatment=0.8) is None


def test_labels_to_decide_are_just_enough() -> None:
    control, treatment = Tally(160, 200), Tally(180, 200)
    more = power.labels_to_decide(
        control=control, treatment=treatment, margin=0.0, decision_size=400
    )
    assert more is not None
    spread = sequential.spread_of_difference(control=control, treatment=treatment)
    halves = [
        sequential.reach(spread=spread, n=400 + extra, decision_size=400)
        for extra in (more - 1, more)
    ]
    assert halves[0] >= 0.1 > halves[1]


def test_labels_to_decide_knows_when_it_is_decided_and_when_it_never_will_be() -> None:
    clear = power.labels_to_decide(
        control=Tally(100, 200), treatment=Tally(190, 200), margin=0.05, decision_size=400
    )
    assert clear == 0
    on_the_margin = power.labels_to_decide(
        control=Tally(190, 200), treatment=Tally(180, 200), margin=0.05, decision_size=400
    )
    assert on_the_margin is None


def test_time_left_is_unknown_while_nothing_comes_in() -> None:
    assert power.time_left(labels=100, per_hour=50) == timedelta(hours=2)
    assert power.time_left(labels=100, per_hour=0) is None


# Wording


def test_numbers_read_as_a_person_writes_them() -> None:
    assert wording.points(Estimate(-0.0004, -0.02, 0.013, 10)) == "0.0 points (−2.0 to 1.3)"
    assert wording.percent(NotEnough(3, "Not enough data.")) == "Not enough data."
    assert wording.ratio(Estimate(1.8333, 1.44, 2.333, 9)) == "1.83 (1.44 to 2.33)"


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=59), "under a minute"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=89), "89 minutes"),
        (timedelta(hours=9, minutes=10), "9 hours"),
        (timedelta(hours=36), "2 days"),
    ],
)
def test_durations_use_the_unit_that_fits(span: timedelta, words: str) -> None:
    assert wording.duration(span) == words


# Arms


def arm(name: str, *, correct: int, labelled: int, **counts: int) -> ArmCounts:
    given = {"predictions": 4000, "subjects": 1000, "feedback": 400, "up": 300, "down": 100}
    return ArmCounts(name, "v1", audit_labelled=labelled, audit_correct=correct, **(given | counts))


def judged(
    control: tuple[int, int], treatment: tuple[int, int], *, plan: Plan, per_hour: float = 46.0
) -> tuple[Verdict, str]:
    comparison = compare(
        control=arm("control", correct=control[0], labelled=control[1]),
        treatment=arm("treatment", correct=treatment[0], labelled=treatment[1]),
        plan=plan,
        labels_per_hour=per_hour,
    )
    return comparison.verdict, sentence(comparison)


def test_the_page_opens_with_who_is_better_how_sure_and_what_decides() -> None:
    verdict, said = judged((3906, 4794), (4055, 4794), plan=Plan(minimum_labels=5000))
    assert verdict is Verdict.BETTER
    assert said == (
        "Treatment is better by 3.1 points (0.8 to 5.4); 412 more labels decide it, about 9 hours."
    )


@pytest.mark.parametrize(
    ("control", "treatment", "verdict", "said"),
    [
        (
            (850, 1000),
            (950, 1000),
            Verdict.BETTER,
            "Treatment is better by 10.0 points (6.0 to 14.0).",
        ),
        (
            (900, 1000),
            (896, 1000),
            Verdict.NOT_WORSE,
            "Treatment is not worse: behind by 0.4 points (−3.7 to 4.5), "
            "within the margin of 5 points.",
        ),
        (
            (900, 1000),
            (780, 1000),
            Verdict.WORSE,
            "Treatment is worse by 12.0 points (7.1 to 16.9), beyond the margin of 5 points.",
        ),
    ],
)
def test_a_decided_comparison_asks_for_no_more_labels(
    control: tuple[int, int], treatment: tuple[int, int], verdict: Verdict, said: str
) -> None:
    assert judged(control, treatment, plan=Plan(minimum_labels=1000)) == (verdict, said)


def test_an_undecided_comparison_says_what_decides_it() -> None:
    verdict, said = judged((160, 200), (162, 200), plan=Plan(minimum_labels=100))
    assert verdict is Verdict.UNDECIDED
    assert said.startswith("Undecided: treatment is ahead by 1.0 points (−")
    assert "more labels decide it, about" in said


def test_a_comparison_on_the_margin_promises_no_number_of_labels() -> None:
    verdict, said = judged((190, 200), (180, 200), plan=Plan(minimum_labels=100))
    assert verdict is Verdict.UNDECIDED
    assert said.endswith("; too close to the margin to say how many more labels decide it.")


def test_a_comparison_without_labels_says_how_many_are_missing() -> None:
    plan = Plan(minimum_labels=100)
    assert judged((0, 0), (0, 0), plan=plan) == (
        Verdict.NO_DATA,
        "Not enough data to compare the arms, about 200 more audit labels, about 4 hours.",
    )
    assert judged((80, 90), (5, 5), plan=plan, per_hour=0) == (
        Verdict.NO_DATA,
        "Not enough data to compare the arms, about 190 more audit labels, but none are coming in.",
    )


def test_a_plan_cannot_ask_for_fewer_labels_than_the_arithmetic_needs() -> None:
    comparison = compare(
        control=arm("control", correct=19, labelled=19),
        treatment=arm("treatment", correct=60, labelled=60),
        plan=Plan(minimum_labels=0),
    )
    assert comparison.lacks_labels
    assert comparison.labels_more == 2
    assert isinstance(comparison.audit_difference, NotEnough)
    assert comparison.audit_difference.needed == 2


def test_an_arm_nobody_used_has_no_rates() -> None:
    summary = summarise(ArmCounts("treatment", "v2"))
    rates = (
        summary.audit_accuracy,
        summary.thumbs_up_share,
        summary.feedback_rate,
        summary.correction_rate,
    )
    assert all(isinstance(rate, NotEnough) for rate in rates)


def test_rates_are_the_plain_shares() -> None:
    summary = summarise(arm("control", correct=90, labelled=100, corrections=20))
    assert known(summary.audit_accuracy).value == 0.9
    assert known(summary.thumbs_up_share).value == 0.75
    assert known(summary.feedback_rate).value == 0.1
    assert known(summary.correction_rate).value == 0.05


def test_comparison_weighs_thumbs_by_odds_and_checks_the_split() -> None:
    comparison = compare(
        control=arm("control", correct=90, labelled=100, up=240, down=160, subjects=700),
        treatment=arm("treatment", correct=95, labelled=100, up=300, down=100, subjects=300),
        plan=Plan(treatment_weight=0.3),
    )
    assert known(comparison.thumbs_odds_ratio).value == pytest.approx(2.0)
    assert not comparison.sample_ratio.mismatched
    crooked = compare(
        control=replace(comparison.control.counts),
        treatment=comparison.treatment.counts,
        plan=Plan(treatment_weight=0.5),
    )
    assert crooked.sample_ratio.mismatched


def test_a_comparison_is_kept_as_plain_json() -> None:
    process = EProcess().after([Outcome(True, True), Outcome(False, False)] * 30)
    comparison = compare(
        control=arm("control", correct=180, labelled=200),
        treatment=arm("treatment", correct=190, labelled=200),
        plan=Plan(),
        guardrails=(guardrail(name="thumbs-down rate", process=process, alpha=0.05),),
    )
    stored = json.loads(json.dumps(as_json(comparison), allow_nan=False))
    assert from_json(stored["audit_difference"]) == comparison.audit_difference
    assert stored["sentence"] == sentence(comparison)
    assert stored["guardrails"][0]["crossed"] is True
    assert stored["hours_more"] is None
