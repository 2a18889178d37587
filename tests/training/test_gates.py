"""Gates: tri-state, fail closed, and sure of what they say."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.pipeline import Pipeline

from tests.training.texts import corpus, fitted
from training.artifacts import Artifact, Manifest, save
from training.gates import (
    GATES,
    Claim,
    GateInput,
    GateOutcome,
    GatePolicy,
    GateStatus,
    VerdictStatus,
    required_gates,
    run_gates,
    verdict,
)
from training.gates.artifact import ArtifactGate, compare_latency
from training.gates.floor import FloorGate
from training.gates.non_inferior import NonInferiorGate, labels_needed, paired_difference
from training.gates.probe import ProbeFailed, run_probe

PASSED, FAILED, INSUFFICIENT = GateStatus.PASSED, GateStatus.FAILED, GateStatus.INSUFFICIENT
CLASSES = ("negative", "positive")
QUERIES, _ = corpus(10, seed=9)


def _answers(columns: np.ndarray) -> np.ndarray:
    return np.where(np.eye(2)[columns] == 1, 0.9, 0.1)


def _given(
    n: int = 1000,
    *,
    candidate_wrong: int = 0,
    champion_wrong: int | None = None,
    both: int = 0,
    **rest: Any,
) -> GateInput:
    """``n`` balanced samples; the models err on samples apart, and together on ``both`` more."""
    truth = np.arange(n) % 2
    candidate, champion = truth.copy(), truth.copy()
    candidate[:candidate_wrong] ^= 1
    if champion_wrong is not None:
        champion[candidate_wrong : candidate_wrong + champion_wrong] ^= 1
    if both:
        candidate[-both:] ^= 1
        champion[-both:] ^= 1
    return GateInput(
        labels=[CLASSES[index] for index in truth],
        classes=CLASSES,
        candidate=_answers(candidate),
        champion=None if champion_wrong is None else _answers(champion),
        **rest,
    )


# floor


def test_a_good_model_stands_above_the_floors() -> None:
    outcome = FloorGate()(_given(candidate_wrong=100))
    assert outcome.status == PASSED
    assert outcome.evidence["measures"]["Macro-F1"]["value"] == pytest.approx(0.9)
    assert outcome.needs is None


def test_a_bad_model_is_refused_with_the_measures_that_fell_short() -> None:
    outcome = FloorGate()(_given(candidate_wrong=600))
    assert outcome.status == FAILED
    assert "Macro-F1 is 0.400" in outcome.summary
    assert "Recall of `negative` is 0.400" in outcome.summary


def test_a_model_close_to_the_floor_is_undecided_and_says_how_many_labels_decide() -> None:
    outcome = FloorGate()(_given(300, candidate_wrong=114))
    assert outcome.status == INSUFFICIENT
    assert outcome.needs is not None
    decided = FloorGate()(
        _given(300 + outcome.needs, candidate_wrong=round((300 + outcome.needs) * 0.38))
    )
    assert decided.status == PASSED


def test_one_class_that_is_never_found_fails_whatever_the_rest() -> None:
    given = _given(1000)
    outcome = FloorGate()(dataclasses.replace(given, candidate=_answers(np.ones(1000, dtype=int))))
    assert outcome.status == FAILED
    assert "Recall of `negative` is 0.000" in outcome.summary


@pytest.mark.parametrize("n", [0, 1, 249])
def test_too_few_labels_are_insufficient_however_good_the_model(n: int) -> None:
    outcome = FloorGate()(_given(n))
    assert outcome.status == INSUFFICIENT
    assert outcome.needs is not None
    assert outcome.needs >= 250 - n


def test_a_class_with_hardly_any_samples_is_insufficient() -> None:
    given = GateInput(
        labels=["positive"] * 390 + ["negative"] * 10,
        classes=CLASSES,
        candidate=_answers(np.array([1] * 390 + [0] * 10)),
        champion=None,
    )
    outcome = FloorGate()(given)
    assert outcome.status == INSUFFICIENT
    assert "`negative`" in outcome.summary
    assert outcome.needs == 400


@pytest.mark.parametrize("poison", [math.nan, math.inf, -1.0])
def test_answers_that_are_not_probabilities_fail_the_floor(poison: float) -> None:
    given = _given(400)
    given.candidate[3, 0] = poison
    assert FloorGate()(given).status == FAILED


# non-inferior


def test_an_equal_model_passes_with_enough_labels() -> None:
    outcome = NonInferiorGate()(_given(4000, candidate_wrong=60, champion_wrong=60, both=200))
    assert outcome.status == PASSED
    assert outcome.evidence["b"] == outcome.evidence["c"] == 60
    assert outcome.evidence["p_mcnemar"] == 1


def test_a_worse_model_fails() -> None:
    outcome = NonInferiorGate()(_given(2000, candidate_wrong=120, champion_wrong=40))
    assert outcome.status == FAILED
    assert outcome.summary.startswith("Worse.")


def test_an_undecided_comparison_says_how_many_labels_decide() -> None:
    outcome = NonInferiorGate()(_given(300, candidate_wrong=8, champion_wrong=7))
    assert outcome.status == INSUFFICIENT
    # (1.645 + 0.842)² · 0.05 / 0.01² = 3,091
    assert outcome.needs == 2792
    assert "2,792 more test labels" in outcome.summary


def test_the_same_counts_pass_under_a_wider_margin() -> None:
    given = _given(300, candidate_wrong=8, champion_wrong=7, policy=GatePolicy(delta=0.05))
    assert NonInferiorGate()(given).status == PASSED


def test_agreement_on_few_labels_is_not_proof() -> None:
    """Without discordant labels Wald's interval has no width; the score interval asks for 268."""
    policy = GatePolicy(min_test_labels=100)
    assert NonInferiorGate()(_given(267, champion_wrong=0, policy=policy)).status == INSUFFICIENT
    assert NonInferiorGate()(_given(268, champion_wrong=0, policy=policy)).status == PASSED


def test_fewer_labels_than_asked_for_decide_nothing() -> None:
    outcome = NonInferiorGate()(_given(249, candidate_wrong=200, champion_wrong=0))
    assert outcome.status == INSUFFICIENT
    assert outcome.needs == 1


@pytest.mark.parametrize("min_test_labels", [0, 1])
def test_no_labels_decide_nothing_even_if_the_policy_asks_for_none(min_test_labels: int) -> None:
    given = _given(0, champion_wrong=0, policy=GatePolicy(min_test_labels=min_test_labels))
    assert NonInferiorGate()(given).status == INSUFFICIENT


def test_a_zero_margin_never_passes_on_equality() -> None:
    given = _given(5000, champion_wrong=0, policy=GatePolicy(delta=0.0))
    assert NonInferiorGate()(given).status == INSUFFICIENT


def test_a_champion_whose_answers_are_lost_is_insufficient() -> None:
    given = _given(400, champion_wrong=0)
    assert given.champion is not None
    given.champion[0] = math.nan
    assert NonInferiorGate()(given).status == INSUFFICIENT


def test_a_first_model_has_nothing_to_be_compared_with() -> None:
    outcome = NonInferiorGate()(_given(400))
    assert outcome.status == INSUFFICIENT
    assert outcome.summary.startswith("Does not apply")
    assert "non_inferior" not in required_gates(has_champion=False)
    assert "non_inferior" in required_gates(has_champion=True)


def test_the_interval_is_the_wider_of_wald_and_score() -> None:
    wide = paired_difference(30, 20, 1000)
    error = math.sqrt(50 - 100 / 1000) / 1000
    assert wide.low <= 0.01 - 1.6449 * error
    assert wide.high >= 0.01 + 1.6449 * error
    assert wide.low == pytest.approx(0.01 - 1.6449 * error, abs=2e-4)
    # None of 50 discordant: z² / (n + z²), the closed form of Tango's bound.
    z_squared = 1.6448536**2
    assert paired_difference(0, 0, 50).high == pytest.approx(z_squared / (50 + z_squared))
    assert paired_difference(3, 9, 40).low == pytest.approx(-paired_difference(9, 3, 40).high)


@pytest.mark.parametrize("discordant", [0.005, 0.02, 0.1])
def test_a_model_worse_by_the_margin_rarely_passes(discordant: float) -> None:
    """At d = -δ exactly, the share of passes stays near 5 %."""
    rng, n, delta = np.random.default_rng(3), 400, min(0.01, discordant)
    share_c = (discordant + delta) / 2
    counts = rng.multinomial(n, [discordant - share_c, share_c, 1 - discordant], size=3000)
    passes = [paired_difference(int(b), int(c), n).low > -delta for b, c, _ in counts]
    assert np.mean(passes) <= 0.065


def test_needed_labels_are_enough_four_times_of_five() -> None:
    rng, psi, delta = np.random.default_rng(4), 0.05, 0.02
    total = 400 + (labels_needed(10, 10, 400, delta) or 0)
    counts = rng.multinomial(total, [psi / 2, psi / 2, 1 - psi], size=2000)
    passes = [paired_difference(int(b), int(c), total).low > -delta for b, c, _ in counts]
    assert np.mean(passes) == pytest.approx(0.8, abs=0.05)
    assert labels_needed(0, 400, 10_000, 0.01) is None


# artifact


def _artifact(pipeline: Pipeline, directory: Path) -> Artifact:
    manifest = Manifest("p", "tfidf_logreg", {}, 1, "0" * 64, CLASSES, "2026-01-01T00:00:00Z")
    return save(pipeline, directory=directory, manifest=manifest)


def _claim(artifact: Artifact) -> Claim:
    return Claim(artifact.path, artifact.sha256, artifact.fingerprint)


@pytest.fixture(scope="module")
def model() -> Pipeline:
    return fitted()


@pytest.fixture
def given(model: Pipeline, tmp_path: Path) -> GateInput:
    """A sound candidate without a champion."""
    return _given(
        400,
        candidate_artifact=_claim(_artifact(model, tmp_path)),
        probe_texts=QUERIES,
        probe_answers=model.predict_proba(QUERIES),
    )


def test_a_sound_file_passes_in_a_fresh_process_beside_its_champion(given: GateInput) -> None:
    outcome = ArtifactGate()(
        dataclasses.replace(
            given, champion_artifact=given.candidate_artifact, policy=GatePolicy(latency_ratio=3)
        )
    )
    assert outcome.status == PASSED, outcome.summary
    assert 0.3 < outcome.evidence["latency_ratio"] < 3


def test_a_first_model_s_file_needs_no_champion(given: GateInput) -> None:
    outcome = ArtifactGate()(given)
    assert outcome.status == PASSED, outcome.summary
    assert outcome.evidence["p95_ms"] > 0


def test_the_fresh_process_gets_no_secrets(
    given: GateInput, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Any] = {}

    def spy(*_: Any, env: dict[str, str], **__: Any) -> None:
        seen.update(env)
        raise KeyboardInterrupt

    monkeypatch.setenv("SECRET_KEY", "x" * 40)
    monkeypatch.setattr("training.gates.probe.subprocess.run", spy)
    with pytest.raises(KeyboardInterrupt):
        ArtifactGate()(given)
    assert "PATH" in seen
    assert not {"SECRET_KEY", "DATABASE_URL", "SUBJECT_HASH_KEY"} & seen.keys()


def test_a_changed_file_fails(given: GateInput) -> None:
    assert given.candidate_artifact is not None
    with given.candidate_artifact.path.open("ab") as file:
        file.write(b"\0")
    outcome = ArtifactGate()(given)
    assert outcome.status == FAILED
    assert "ArtifactMismatch" in outcome.summary


def test_a_probe_that_runs_out_of_time_is_no_word_on_the_file(given: GateInput) -> None:
    outcome = ArtifactGate()(dataclasses.replace(given, policy=GatePolicy(probe_timeout_s=0.05)))
    assert outcome.status is GateStatus.INSUFFICIENT
    assert "did not answer within 0.05 s" in outcome.summary


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("kill -KILL $$", "it was ended by signal 9"),
        ("kill -SEGV $$", "it was ended by signal 11"),
        ("echo 'MemoryError: no room' >&2; exit 1", "it ran out of memory"),
    ],
)
def test_a_probe_that_is_killed_or_out_of_memory_is_no_word_on_the_file(
    given: GateInput, script: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\ncat > /dev/null\n{script}\n")
    python.chmod(0o755)
    monkeypatch.setattr("training.gates.probe.sys.executable", str(python))
    outcome = ArtifactGate()(given)
    assert outcome.status is GateStatus.INSUFFICIENT
    assert said in outcome.summary


def test_a_probe_that_breaks_on_the_file_fails(
    given: GateInput, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.gates.probe.sys.executable", "/bin/false")
    assert ArtifactGate()(given).status is GateStatus.FAILED


def _replying(given: GateInput, **changes: Any) -> ArtifactGate:
    """The gate with a process that replies with the right answers but for ``changes``."""
    assert given.candidate_artifact is not None
    assert given.probe_answers is not None
    reply = {
        "fingerprint": given.candidate_artifact.fingerprint,
        "probabilities": given.probe_answers.tolist(),
    }
    latency = {"candidate": [1.0] * 7, "champion": [1.0] * 7}
    latency |= changes.pop("latency", {})
    return ArtifactGate(
        probe=lambda **_: {"candidate": reply | changes, "champion": None, "latency_ms": latency}
    )


def test_a_file_of_another_model_fails(given: GateInput) -> None:
    outcome = _replying(given, fingerprint="0" * 64)(given)
    assert outcome.status == FAILED
    assert "fingerprints differ" in outcome.summary


@pytest.mark.parametrize(
    ("change", "why"), [(1e-6, "answers differently"), (math.nan, "finite"), (0.5, "outside|sum")]
)
def test_answers_that_changed_on_the_way_fail(given: GateInput, change: float, why: str) -> None:
    assert given.probe_answers is not None
    rows = given.probe_answers.copy()
    rows[0] += [change, -change] if change == 1e-6 else [change, change]
    outcome = _replying(given, probabilities=rows.tolist())(given)
    assert outcome.status == FAILED
    assert any(word in outcome.summary for word in why.split("|"))


def test_the_tolerance_is_one_in_a_billion(given: GateInput) -> None:
    assert given.probe_answers is not None
    rows = given.probe_answers + np.array([5e-10, -5e-10])
    assert _replying(given, probabilities=rows.tolist())(given).status == PASSED


@pytest.mark.parametrize(
    ("candidate", "champion", "status"),
    [
        ([1.1] * 7, [1.0] * 7, PASSED),
        ([1.3] * 7, [1.0] * 7, FAILED),
        ([1.3] * 4 + [1.0] * 3, [1.0] * 7, INSUFFICIENT),
        ([9.0] * 3 + [1.0] * 4, [1.0] * 7, PASSED),
        ([math.nan] * 7, [1.0] * 7, INSUFFICIENT),
        ([1.0] * 7, [0.0] * 7, INSUFFICIENT),
        ([1.0] * 7, [], INSUFFICIENT),
    ],
)
def test_latency_is_judged_against_the_champion(
    given: GateInput, candidate: list[float], champion: list[float], status: GateStatus
) -> None:
    assert compare_latency(candidate, champion, 1.2)[0] == status
    gate = _replying(given, latency={"candidate": candidate, "champion": champion})
    assert gate(dataclasses.replace(given, champion=given.candidate)).status == status


@pytest.mark.parametrize(
    "missing",
    [{"candidate_artifact": None}, {"probe_texts": QUERIES[:9]}, {"probe_answers": None}],
)
def test_nothing_to_check_is_not_a_pass(given: GateInput, missing: dict[str, Any]) -> None:
    assert ArtifactGate()(dataclasses.replace(given, **missing)).status == INSUFFICIENT


def test_a_process_that_dies_says_so(given: GateInput, monkeypatch: pytest.MonkeyPatch) -> None:
    assert given.candidate_artifact is not None
    monkeypatch.setattr("training.gates.probe.sys.executable", "/bin/false")
    with pytest.raises(ProbeFailed, match="ended with code"):
        run_probe(candidate=given.candidate_artifact, champion=None, texts=QUERIES, timeout_s=60)


# verdict


def _outcome(name: str, status: GateStatus = PASSED, **rest: Any) -> GateOutcome:
    return GateOutcome(name, status, f"{name} says {status}.", rest.pop("evidence", {}), **rest)


def test_all_required_gates_passed_is_a_blessing() -> None:
    found = verdict([_outcome("a"), _outcome("b"), _outcome("extra", FAILED)], {"a", "b"})
    assert found.status == VerdictStatus.BLESSED


def test_one_failure_rejects_whatever_else_is_unknown() -> None:
    found = verdict([_outcome("a", FAILED), _outcome("b", INSUFFICIENT)], {"a", "b", "c"})
    assert found.status == VerdictStatus.REJECTED
    assert found.reason == "a says failed."


def test_insufficient_evidence_holds_and_says_what_is_missing() -> None:
    outcomes = [_outcome("a", INSUFFICIENT, needs=40), _outcome("b", INSUFFICIENT, needs=90)]
    found = verdict(outcomes, {"a", "b"})
    assert found.status == VerdictStatus.INSUFFICIENT
    assert found.needs == 90


@pytest.mark.parametrize(
    ("outcomes", "required", "why"),
    [
        ([], set(), "No gate"),
        ([_outcome("a")], set(), "No gate"),
        ([], {"a"}, "Not measured: a"),
        ([_outcome("a")], {"a", "b"}, "Not measured: b"),
        ([_outcome("a"), _outcome("a")], {"a"}, "twice"),
        ([_outcome("a", evidence={"x": [{"y": math.nan}]})], {"a"}, "not finite"),
        ([_outcome("a", "maybe")], {"a"}, "a says maybe"),  # type: ignore[arg-type]
    ],
)
def test_a_verdict_without_evidence_never_blesses(
    outcomes: list[GateOutcome], required: set[str], why: str
) -> None:
    found = verdict(outcomes, required)
    assert found.status == VerdictStatus.INSUFFICIENT
    assert why in found.reason


def test_all_gates_of_a_first_model_together_bless_it(given: GateInput) -> None:
    outcomes = run_gates(given)
    assert [outcome.name for outcome in outcomes] == list(GATES)
    assert verdict(outcomes, required_gates(has_champion=False)).status == VerdictStatus.BLESSED
    assert verdict(outcomes, required_gates(has_champion=True)).status == VerdictStatus.INSUFFICIENT


@pytest.mark.parametrize("bad", [{"delta": -0.1}, {"recall_floor": 2}, {"latency_ratio": math.nan}])
def test_a_policy_that_makes_no_sense_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"lie between|positive"):
        GatePolicy(**bad)  # type: ignore[arg-type]
