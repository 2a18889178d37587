"""Verdicts: on the same labels for both, in one step with the status, and renewed when due."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from sklearn.pipeline import Pipeline

from curation.models import Project
from curation.models.sample import Split
from feedbackhub.core.transitions import history
from tests import factories
from tests.factories import NOW
from tests.training.scenes import label_reviews, label_texts, trainable_project
from training import estimators, evaluation, registry
from training.gates import GateInput, GateOutcome, GateStatus
from training.models import Evaluation, GateResult, ModelVersion, TrainingRun

pytestmark = pytest.mark.django_db
Status = ModelVersion.Status
_seeds = itertools.count(100)


class Passing:
    """In place of the artifact gate's fresh process, where a test is about something else."""

    name = "artifact"

    def __call__(self, given: GateInput) -> GateOutcome:
        return GateOutcome(self.name, GateStatus.PASSED, "Passed.", {})


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "GATES", {**evaluation.GATES, "artifact": Passing()})


def trained_on(*, lies: float = 0.0, n: int = 120) -> Pipeline:
    """A model of its own, fitted on reviews of which a share is labelled wrong."""
    scratch = factories.make_project()
    labels = label_reviews(scratch, n, lies=lies, seed=next(_seeds))
    return estimators.fit(
        estimators.build("tfidf_logreg", params={}, seed=7),
        texts=[str(label.sample.text) for label in labels],
        labels=[label.value for label in labels],
    )


def champion_of(project: Project) -> ModelVersion:
    return factories.make_version(project, pipeline=trained_on())


def candidate_of(project: Project, *, lies: float = 0.0) -> ModelVersion:
    return factories.make_version(project, pipeline=trained_on(lies=lies), status=Status.CANDIDATE)


def judge(version: ModelVersion, *, after: timedelta = timedelta(0)) -> Evaluation:
    version.refresh_from_db()
    said = evaluation.evaluate(version=version, now=NOW + after)
    version.refresh_from_db()
    return said


def gates(said: Evaluation) -> dict[str, str]:
    return {gate.gate: gate.status for gate in said.gate_results.all()}


def test_an_equal_candidate_is_blessed_on_the_labels_both_answered() -> None:
    project = trainable_project(n_train=0, n_test=120)
    champion, candidate = champion_of(project), candidate_of(project)
    said = judge(candidate)
    # The real artifact gate: a busy machine may leave the latencies undecided, never worse.
    assert gates(said)["floor"] == gates(said)["non_inferior"] == GateStatus.PASSED
    assert gates(said)["artifact"] in (GateStatus.PASSED, GateStatus.INSUFFICIENT)
    assert (said.champion, said.n_test) == (champion, 120)
    assert said.metrics["candidate"]["accuracy"] == said.metrics["champion"]["accuracy"] == 1.0
    assert said.metrics["test_origins"] == {"import": 120}
    assert said.policy["delta"] == 0.05
    assert candidate.status == said.verdict


@pytest.mark.usefixtures("quick")
def test_a_worse_candidate_is_rejected_with_the_numbers() -> None:
    project = trainable_project(n_train=0, n_test=120)
    champion_of(project)
    candidate = candidate_of(project, lies=0.45)
    said = judge(candidate)
    assert candidate.status == Status.REJECTED
    assert gates(said)["non_inferior"] == GateStatus.FAILED
    assert "Worse. Accuracy changes by −" in said.summary
    assert history(candidate).last().reason == said.summary  # type: ignore[union-attr]
    assert evaluation.due(now=NOW + timedelta(days=9)) == []


@pytest.mark.usefixtures("quick")
def test_a_held_candidate_is_looked_at_again_when_enough_labels_came_and_then_blessed() -> None:
    project = trainable_project(n_train=0, n_test=60, min_test_labels=100)
    champion_of(project)
    candidate = candidate_of(project)
    said = judge(candidate)
    assert candidate.status == Status.INSUFFICIENT
    assert said.gate_results.get(gate="floor").needs == 40

    label_reviews(project, 24, split=Split.TEST, seed=next(_seeds))
    assert evaluation.due(now=NOW) == []
    label_reviews(project, 1, split=Split.TEST, seed=next(_seeds))
    assert evaluation.due(now=NOW) == [candidate.pk]
    judge(candidate, after=timedelta(minutes=1))
    assert candidate.status == Status.INSUFFICIENT
    assert evaluation.due(now=NOW) == []

    label_reviews(project, 15, split=Split.TEST, seed=next(_seeds))
    assert evaluation.due(now=NOW) == [candidate.pk]
    judge(candidate, after=timedelta(minutes=2))
    assert candidate.status == Status.BLESSED
    assert candidate.evaluations.count() == 3
    # Three looks at one-sided 95 % each are three chances to pass by luck: the evidence says so.
    for gate in candidate.evaluations.first().gate_results.exclude(gate="artifact"):  # type: ignore[union-attr]
        assert gate.evidence["confidence"] == "one-sided 95 % at each look"
        assert gate.evidence["look"] == 3
    assert list(registry.blessed_versions(project=project)) == [candidate]


@pytest.mark.usefixtures("quick")
def test_test_labels_that_are_thumbs_do_not_count() -> None:
    project = trainable_project(n_train=0, n_test=0)
    candidate = candidate_of(project)
    label_reviews(project, 200, split=Split.TEST, origin="feedback")
    assert judge(candidate).n_test == 0
    assert candidate.status == Status.INSUFFICIENT


@pytest.mark.usefixtures("quick")
def test_a_new_champion_renews_the_verdict_of_a_blessed_version() -> None:
    project = trainable_project(n_train=0)
    first = candidate_of(project)
    judge(first)
    crown(first, None)
    second, third = candidate_of(project), candidate_of(project)
    judge(second)
    judge(third)
    assert set(registry.blessed_versions(project=project)) == {second, third}
    crown(second, first)
    assert not registry.blessed_versions(project=project).exists()
    assert evaluation.due(now=NOW) == [third.pk]
    judge(third, after=timedelta(minutes=1))
    assert list(registry.blessed_versions(project=project)) == [third]
    assert evaluation.due(now=NOW) == []


@pytest.mark.usefixtures("quick")
def test_a_blessed_version_that_the_new_champion_beats_loses_its_blessing() -> None:
    project = trainable_project(n_train=0, macro_f1_floor=0.3, recall_floor=0.2)
    poor = candidate_of(project, lies=0.4)
    judge(poor)
    assert poor.status == Status.BLESSED
    champion_of(project)
    judge(poor, after=timedelta(minutes=1))
    assert poor.status == Status.REJECTED


@pytest.mark.usefixtures("quick")
def test_a_newer_candidate_takes_the_place_of_an_older_undecided_one() -> None:
    project = trainable_project(n_train=0, n_test=30)
    older, newer = candidate_of(project), candidate_of(project)
    judge(older)
    judge(newer)
    older.refresh_from_db()
    assert (older.status, newer.status) == (Status.SUPERSEDED, Status.INSUFFICIENT)
    with pytest.raises(evaluation.NotJudged):
        judge(older)


@pytest.mark.usefixtures("quick")
def test_a_changed_policy_is_due_at_once() -> None:
    project = trainable_project(n_train=0, n_test=60, min_test_labels=100)
    candidate = candidate_of(project)
    judge(candidate)
    project.training_policy.min_test_labels = 50
    project.training_policy.save()
    assert evaluation.due(now=NOW) == [candidate.pk]
    judge(candidate, after=timedelta(minutes=1))
    assert candidate.status == Status.BLESSED


@pytest.mark.parametrize("gate", ["artifact", "floor"])
def test_a_gate_that_breaks_never_lets_a_candidate_through(
    gate: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(given: GateInput) -> GateOutcome:
        raise ZeroDivisionError("division by zero")

    broken.name = gate  # type: ignore[attr-defined]
    monkeypatch.setattr(
        evaluation, "GATES", {**evaluation.GATES, "artifact": Passing(), gate: broken}
    )
    project = trainable_project(n_train=0)
    candidate = candidate_of(project)
    said = judge(candidate)
    assert candidate.status == Status.INSUFFICIENT
    summary = said.gate_results.get(gate=gate).summary
    assert summary == f"The {gate} gate could not measure: ZeroDivisionError: division by zero"
    assert f"The {gate} gate broke" in caplog.text

    # Trouble with measuring is tried again on the same labels, but not for ever.
    assert evaluation.due(now=NOW + timedelta(minutes=1)) == []
    for minutes in (2, 4, 6, 8):
        assert evaluation.due(now=NOW + timedelta(minutes=minutes)) == [candidate.pk]
        judge(candidate, after=timedelta(minutes=minutes))
    assert evaluation.due(now=NOW + timedelta(minutes=60)) == []


def test_a_missing_model_file_is_rejected_by_the_artifact_gate() -> None:
    project = trainable_project(n_train=0)
    candidate = candidate_of(project)
    registry.artifact_file(candidate).unlink()
    said = judge(candidate)
    assert candidate.status == Status.REJECTED
    assert gates(said)["artifact"] == GateStatus.FAILED
    assert "no model file" in said.summary


@pytest.mark.usefixtures("quick")
def test_a_champion_whose_file_is_gone_is_no_evidence_for_the_candidate() -> None:
    project = trainable_project(n_train=0)
    champion, candidate = champion_of(project), candidate_of(project)
    registry.artifact_file(champion).unlink()
    said = judge(candidate)
    assert candidate.status == Status.INSUFFICIENT
    assert gates(said)["non_inferior"] == GateStatus.INSUFFICIENT
    assert "v1 cannot be loaded" in said.summary


@pytest.mark.usefixtures("quick")
def test_a_label_the_model_never_saw_counts_against_it() -> None:
    project = trainable_project(n_train=0)
    label_texts(project, [(f"so so {n}", "neutral") for n in range(30)], split=Split.TEST)
    candidate = candidate_of(project)
    said = judge(candidate)
    assert candidate.status == Status.REJECTED
    assert said.metrics["candidate"]["classes"]["neutral"]["recall"] == 0


@pytest.mark.usefixtures("quick")
def test_a_verdict_that_came_meanwhile_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    project = trainable_project(n_train=0)
    candidate = candidate_of(project)
    ask, is_first = evaluation._ask, iter([True])

    def slow(*given: Any) -> GateOutcome:
        if next(is_first, False):
            evaluation.evaluate(version=ModelVersion.objects.get(pk=candidate.pk), now=NOW)
        return ask(*given)

    monkeypatch.setattr(evaluation, "_ask", slow)
    judge(candidate)
    assert Evaluation.objects.count() == 1
    assert GateResult.objects.count() == 3


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("flaw", [0.0, 0.45])
def test_a_verdict_against_a_champion_that_went_meanwhile_is_not_kept(
    monkeypatch: pytest.MonkeyPatch, flaw: float
) -> None:
    project = trainable_project(n_train=0, macro_f1_floor=0.1, recall_floor=0.1)
    poor = champion_of(project)
    candidate = candidate_of(project, lies=flaw)
    ask, is_first = evaluation._ask, iter([True])

    def slow(*given: Any) -> GateOutcome:
        if next(is_first, False):
            ModelVersion.objects.filter(pk=poor.pk).update(status=Status.SUPERSEDED)
            champion_of(project)
        return ask(*given)

    monkeypatch.setattr(evaluation, "_ask", slow)
    said = judge(candidate)
    assert said.champion == registry.live_version(project_id=project.pk) != poor
    assert list(candidate.evaluations.all()) == [said]
    assert candidate.status == said.verdict == (Status.REJECTED if flaw else Status.BLESSED)


@pytest.mark.usefixtures("quick")
def test_a_version_promoted_while_it_was_judged_keeps_its_crown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = trainable_project(n_train=0)
    candidate = candidate_of(project)
    ask, is_first = evaluation._ask, iter([True])

    def slow(*given: Any) -> GateOutcome:
        if next(is_first, False):
            ModelVersion.objects.filter(pk=candidate.pk).update(status=Status.LIVE)
        return ask(*given)

    monkeypatch.setattr(evaluation, "_ask", slow)
    with pytest.raises(evaluation.NotJudged):
        judge(candidate)
    assert not Evaluation.objects.exists()


def test_looking_for_what_is_due_is_cheap_when_nothing_is() -> None:
    project = trainable_project(n_train=0, n_test=0)
    factories.make_version(project)
    factories.make_version(project, status=Status.REJECTED)
    with CaptureQueriesContext(connection) as queries:
        assert evaluation.due(now=NOW) == []
    assert len(queries) == 1


def test_a_version_of_which_nothing_can_be_told_does_not_keep_the_others_from_being_judged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lost, sound = (trainable_project(n_train=0, n_test=0) for _ in range(2))
    candidates = [candidate_of(project) for project in (lost, sound)]
    for candidate in candidates:
        judge(candidate)
    lost.training_policy.delete()
    sound.training_policy.delta = 0.2
    sound.training_policy.save()
    assert evaluation.due(now=NOW) == [candidates[1].pk]
    assert f"Whether {candidates[0]} is to be judged could not be told" in caplog.text


def test_a_candidate_is_left_to_its_run_while_that_is_active() -> None:
    candidate = candidate_of(trainable_project(n_train=0, n_test=0))
    TrainingRun.objects.filter(pk=candidate.run_id).update(status=TrainingRun.Status.RUNNING)
    assert evaluation.due(now=NOW) == []
    TrainingRun.objects.filter(pk=candidate.run_id).update(status=TrainingRun.Status.FAILED)
    assert evaluation.due(now=NOW) == [candidate.pk]


def crown(version: ModelVersion, champion: ModelVersion | None) -> None:
    registry.crown(version=version, expected_champion=champion, actor="lead", reason="", now=NOW)


@pytest.fixture(autouse=True)
def _fresh_models() -> None:
    """Files are removed under loaded models here; what one test loaded must not help another."""
    registry._load.cache_clear()
