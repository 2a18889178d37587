"""A candidate that fails costs no request, is not counted as served, and is rolled back."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from django.db import DatabaseError, connection

from curation.intake.schemas import PredictionRequest
from curation.models import Prediction
from feedbackhub.core.clock import utcnow
from rollout import reconcile
from rollout.models import Rollout, RolloutPolicy, ServingFailure
from rollout.serving import plan
from rollout.serving.scorer import Score, Scorer
from rollout.serving.service import Served, predict
from tests.factories import make_project, make_rollout, make_version
from training.models import ModelVersion

pytestmark = pytest.mark.django_db
Status = ModelVersion.Status


class Failing:
    """A model that breaks on some texts."""

    def __init__(self, inner: Scorer, *, on: str, how: str = "raise") -> None:
        self._inner, self._on, self._how = inner, on, how
        self.classes = inner.classes

    def score(self, text: str) -> Score:
        found = self._inner.score(text)
        if self._on not in text:
            return found
        if self._how == "nan":
            return replace(found, confidence=float("nan"))
        raise ValueError(f"cannot read {text!r}")

    def score_many(self, texts: Sequence[str]) -> list[Score]:
        return [self.score(text) for text in texts]


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    plan.forget()
    yield
    plan.forget()


@pytest.fixture
def rollout() -> Rollout:
    project = make_project()
    champion = make_version(project)
    return make_rollout(make_version(project, status=Status.BLESSED, flipped=True), champion)


def break_version(version: ModelVersion, *, on: str = "", how: str = "raise") -> None:
    """Let a version that is loaded in this process fail on texts that hold ``on``."""
    found = plan.current_plan(version.project_id)
    assert found is not None
    scorers: Any = found.scorers
    scorers[version.pk] = Failing(scorers[version.pk], on=on, how=how)
    # No look at the database takes the plan away before the test is over.
    plan._desks[version.project_id]._looked_at += 3_600


def ask(rollout: Rollout, *texts: str, start: int = 0) -> list[Served]:
    """Answers to texts of as many subjects."""
    items = [
        PredictionRequest(text=text, subject=f"s{number}")
        for number, text in enumerate(texts, start=start)
    ]
    return predict(project=rollout.project, source_id=1, items=items, now=utcnow())


@pytest.mark.parametrize("how", ["raise", "nan"])
def test_the_champion_answers_what_the_candidate_cannot(rollout: Rollout, how: str) -> None:
    healthy = ask(rollout, *["great food"] * 60)
    of_treatment = [one.arm == "treatment" for one in healthy]
    assert 10 < sum(of_treatment) < 50
    break_version(rollout.candidate, how=how)
    served = ask(rollout, *["great food"] * 60)
    assert {(one.model_version, one.label) for one in served} == {("v1", "positive")}
    assert [one.arm for one in served] == ["" if treated else "control" for treated in of_treatment]
    # What is recorded is what was answered: none of it counts for treatment.
    kept = Prediction.objects.in_bulk([one.prediction_id for one in served])
    assert {row.model_version for row in kept.values()} == {"v1"}
    for one, treated in zip(served, of_treatment, strict=True):
        row = kept[one.prediction_id]
        assert (row.arm, row.rollout_id) == (("", None) if treated else ("control", rollout.pk))
    failures = ServingFailure.objects.filter(rollout=rollout)
    assert failures.count() == sum(of_treatment)
    assert set(failures.values_list("arm", flat=True)) == {"treatment"}
    # The message of the error quotes the text, which is nobody's business here.
    assert not any("great food" in failure.detail for failure in failures)


def test_only_the_texts_that_fail_go_to_the_champion(rollout: Rollout) -> None:
    break_version(rollout.candidate, on="poison")
    served = ask(rollout, *["great food", "great poison"] * 30)
    poisoned = [one for index, one in enumerate(served) if index % 2]
    sound = [one for index, one in enumerate(served) if not index % 2]
    assert {one.model_version for one in poisoned} == {"v1"}
    assert {(one.arm, one.model_version) for one in sound} == {
        ("control", "v1"),
        ("treatment", "v2"),
    }
    assert ServingFailure.objects.count() == sum(one.arm == "" for one in poisoned) > 0


def test_the_answer_goes_out_though_the_failure_cannot_be_recorded(
    rollout: Rollout, caplog: pytest.LogCaptureFixture
) -> None:
    break_version(rollout.candidate)

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "rollout_servingfailure" in sql:
            raise DatabaseError("the disk is full")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        served = ask(rollout, *["great food"] * 20)
    assert len(served) == Prediction.objects.count() == 20
    assert not ServingFailure.objects.exists()
    assert "could not be recorded" in caplog.text


def test_a_day0_version_that_fails_is_stood_in_for_outside_the_programme() -> None:
    project = make_project()
    day0 = make_version(project, status=Status.SUPERSEDED)
    champion = make_version(project, flipped=True)
    RolloutPolicy.objects.filter(project=project).update(holdback_share=1.0, day0_version=day0)
    break_version(day0)
    items = [PredictionRequest(text="great food", subject="anna")]
    [one] = predict(project=project, source_id=1, items=items, now=utcnow())
    assert one.model_version == champion.name
    assert Prediction.objects.get().programme_group == ""
    assert not ServingFailure.objects.exists()


@pytest.mark.parametrize(("n", "ends"), [(60, "rolled_back"), (10, "ab_test")])
def test_a_candidate_that_fails_is_rolled_back_once_there_were_enough_requests(
    rollout: Rollout, n: int, ends: str
) -> None:
    break_version(rollout.candidate, on="poison")
    for number in range(n):
        ask(rollout, "poison" if number % 3 == 0 else "great food", start=number)
    reconcile.advance(now=utcnow())
    rollout.refresh_from_db()
    assert rollout.status == ends
    if ends == "rolled_back":
        assert "Treatment failed" in rollout.decision["reasons"][0]
        rollout.candidate.refresh_from_db()
        assert rollout.candidate.status == Status.QUARANTINED


def test_a_champion_that_fails_is_not_hidden(rollout: Rollout) -> None:
    assert rollout.champion is not None
    break_version(rollout.champion)
    with pytest.raises(ValueError, match="cannot read"):
        ask(rollout, *["great food"] * 20)
    assert not Prediction.objects.exists()
