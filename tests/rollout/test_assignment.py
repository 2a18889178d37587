"""Assignment: sticky, proportional, independent between salts, and ramps that move nobody."""

import itertools
import uuid
from collections import Counter

import pytest
from scipy import stats

from rollout.serving.assignment import (
    CONTROL,
    DAY0,
    LOOP,
    OUTSIDE,
    TREATMENT,
    assign,
    coverage_and_weight,
    in_audit,
    programme_group,
    unit_of,
)

UNITS = [f"subject-{number}".encode() for number in range(20_000)]


def arms(salt: str, *, treatment_share: float) -> list[str]:
    coverage, weight = coverage_and_weight(treatment_share)
    return [
        assign(salt=salt, unit=unit, coverage=coverage, treatment_weight=weight).arm
        for unit in UNITS
    ]


def test_the_same_unit_always_gets_the_same_arm() -> None:
    assert arms("r1", treatment_share=0.5) == arms("r1", treatment_share=0.5)


@pytest.mark.parametrize(
    ("treatment_share", "expected"),
    [
        (0.05, {CONTROL: 0.05, TREATMENT: 0.05, OUTSIDE: 0.9}),
        (0.5, {CONTROL: 0.5, TREATMENT: 0.5}),
        (0.8, {CONTROL: 0.2, TREATMENT: 0.8}),
    ],
)
def test_arms_get_their_shares(treatment_share: float, expected: dict[str, float]) -> None:
    counts = Counter(arms("r1", treatment_share=treatment_share))
    assert set(counts) == set(expected)
    planned = [share * len(UNITS) for share in expected.values()]
    assert stats.chisquare([counts[arm] for arm in expected], planned).pvalue > 0.001


def test_nobody_is_assigned_at_no_coverage() -> None:
    assert set(arms("r1", treatment_share=0.0)) == {OUTSIDE}


def test_a_ramp_to_one_half_only_brings_units_in() -> None:
    ramp = [arms("r1", treatment_share=share) for share in (0.01, 0.1, 0.15, 0.25, 0.5)]
    for before, after in itertools.pairwise(ramp):
        moved = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
        assert moved
        assert all(a == OUTSIDE for a, _ in moved)


def test_a_ramp_from_20_to_30_percent_coverage_moves_nobody_back() -> None:
    for unit in UNITS:
        before, after = (
            assign(salt="r1", unit=unit, coverage=coverage, treatment_weight=0.4).arm
            for coverage in (0.2, 0.3)
        )
        assert before in (OUTSIDE, after)


def test_a_ramp_beyond_one_half_takes_nobody_out_of_treatment() -> None:
    half, most = arms("r1", treatment_share=0.5), arms("r1", treatment_share=0.9)
    assert all(b == TREATMENT for a, b in zip(half, most, strict=True) if a == TREATMENT)


@pytest.mark.parametrize(("one", "other"), [("exp1", "exp2"), ("r", "rr"), ("1", "2")])
def test_two_salts_choose_independently(one: str, other: str) -> None:
    pairs = Counter(
        zip(arms(one, treatment_share=0.5), arms(other, treatment_share=0.5), strict=True)
    )
    table = [[pairs[a, b] for b in (CONTROL, TREATMENT)] for a in (CONTROL, TREATMENT)]
    assert stats.chi2_contingency(table).pvalue > 0.001


def test_buckets_are_uniform() -> None:
    buckets = [assign(salt="r1", unit=u, coverage=1, treatment_weight=0.5).bucket for u in UNITS]
    assert 0 <= min(buckets) < max(buckets) <= 9_999
    counts = Counter(bucket // 100 for bucket in buckets)
    assert stats.chisquare([counts[part] for part in range(100)]).pvalue > 0.001


def test_a_prediction_without_a_subject_is_its_own_unit() -> None:
    prediction_id = uuid.UUID(int=7)
    assert unit_of(subject_hash=b"s" * 16, prediction_id=prediction_id) == b"s" * 16
    assert unit_of(subject_hash=None, prediction_id=prediction_id) == prediction_id.bytes


def test_holdback_audit_and_arm_are_chosen_independently_with_one_salt() -> None:
    treated = [arm == TREATMENT for arm in arms("p", treatment_share=0.5)]
    held = [programme_group(salt="p", unit=u, holdback_share=0.3) == DAY0 for u in UNITS]
    audited = [
        in_audit(salt="p", prediction_id=uuid.UUID(bytes=u.ljust(16)[:16]), share=0.3)
        for u in UNITS
    ]
    for one, other in ((treated, held), (treated, audited), (held, audited)):
        pairs = Counter(zip(one, other, strict=True))
        table = [[pairs[a, b] for b in (False, True)] for a in (False, True)]
        assert stats.chi2_contingency(table).pvalue > 0.001
    assert stats.binomtest(sum(held), len(UNITS), 0.3).pvalue > 0.001
    assert stats.binomtest(sum(audited), len(UNITS), 0.3).pvalue > 0.001


@pytest.mark.parametrize(("share", "group"), [(0.0, LOOP), (1.0, DAY0)])
def test_the_ends_of_the_holdback_hold_for_everyone(share: float, group: str) -> None:
    assert {programme_group(salt="p", unit=u, holdback_share=share) for u in UNITS} == {group}


def test_a_larger_holdback_or_audit_share_keeps_those_already_in_it() -> None:
    for unit in UNITS:
        if programme_group(salt="p", unit=unit, holdback_share=0.05) == DAY0:
            assert programme_group(salt="p", unit=unit, holdback_share=0.1) == DAY0
