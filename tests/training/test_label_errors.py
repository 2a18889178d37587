"""Labels that are likely wrong: planted, found, asked about, answered and counted."""

import random
import uuid
from datetime import timedelta

import numpy as np
import pytest

from curation import labels
from curation.labels import Belief
from curation.models import Label, Project, ReviewItem
from curation.review import services as review
from tests.factories import NOW, make_member, make_project
from tests.training.scenes import label_texts
from tests.training.scenes import review as restaurant_review
from training import confident, estimators, label_errors, snapshots
from training.confident import TooLittle, cooled, deal, fit_temperature
from training.models import LabelErrorFlag, LabelErrorScan, ModelVersion, TrainingRun

N, PLANTED = 400, 20
OTHER = {"positive": "negative", "negative": "positive"}


def noisy_reviews(n: int = N, planted: int = PLANTED) -> tuple[list[tuple[str, str]], set[int]]:
    """Texts with labels of which so many, at the positions returned, are flipped."""
    rng = random.Random(3)
    truths = [("positive", "negative")[i % 2] for i in range(n)]
    rows = [(restaurant_review(rng, truth), truth) for truth in truths]
    wrong = set(rng.sample(range(n), planted))
    return [(text, OTHER[v] if i in wrong else v) for i, (text, v) in enumerate(rows)], wrong


def make() -> object:
    return estimators.build("tfidf_logreg", params={"max_iter": 200}, seed=7)


def texts_of(rows: list[tuple[str, str]], clusters: list[int] | None = None) -> confident.Texts:
    return confident.Texts(
        texts=[text for text, _ in rows],
        values=[value for _, value in rows],
        weights=[1.0] * len(rows),
        clusters=clusters or list(range(len(rows))),
    )


def test_planted_errors_are_found_far_above_chance() -> None:
    rows, wrong = noisy_reviews()
    judged = confident.judge(texts_of(rows), make=make, seed=7)  # type: ignore[arg-type]
    found = {int(judged.judged[i]) for i in judged.suspects}

    precision, recall = len(found & wrong) / len(found), len(found & wrong) / len(wrong)
    # A twentieth is wrong: by chance one in twenty of those named would be.
    assert precision >= 0.6
    assert recall >= 0.8
    assert judged.probabilities.sum(axis=1) == pytest.approx(1)
    right = [i for i in range(N) if i not in wrong]
    assert judged.support[right].mean() > 0.8 > 0.4 > judged.support[sorted(wrong)].mean()


def test_near_duplicates_never_teach_the_model_that_judges_them() -> None:
    clusters = np.repeat(np.arange(100), 3)
    values = np.repeat(np.array(["a", "b"]), 150)
    fold_of = deal(values, clusters, folds=5, seed=1)
    for cluster in range(100):
        assert np.unique(fold_of[clusters == cluster]).size == 1
    for name in ("a", "b"):
        counts = np.bincount(fold_of[values == name], minlength=5)
        assert counts.max() - counts.min() <= 3


def test_a_rare_class_teaches_and_is_not_judged() -> None:
    rows, _ = noisy_reviews(n=120, planted=0)
    rare = [*rows, ("odd one out", "neutral"), ("another odd one", "neutral")]
    judged = confident.judge(texts_of(rare), make=make, seed=7)  # type: ignore[arg-type]
    assert judged.classes == ["negative", "positive"]
    assert judged.judged.max() == 119
    with pytest.raises(TooLittle, match="60 labels of 2 classes"):
        confident.judge(texts_of(rows[:60]), make=make, seed=7)  # type: ignore[arg-type]


def test_the_temperature_undoes_overconfidence() -> None:
    rng = np.random.default_rng(5)
    true = rng.uniform(0.5, 0.95, size=4000)
    honest = np.column_stack([true, 1 - true])
    answers = (rng.random(4000) > true).astype(np.int64)
    sharpened = cooled(honest, 0.4)
    assert fit_temperature(sharpened, answers) == pytest.approx(2.5, rel=0.15)
    assert cooled(sharpened, 2.5) == pytest.approx(honest, abs=1e-3)


def trained(project: Project, number: int = 1) -> ModelVersion:
    """A version with a snapshot of the project's labels; no artifact, which no look asks for."""
    snapshot = snapshots.freeze(project=project, min_quality=0.6, now=NOW)
    run = TrainingRun.objects.create(
        project=project,
        status=TrainingRun.Status.SUCCEEDED,
        trigger="first",
        reason="For a test.",
        estimator="tfidf_logreg",
        parameters={"max_iter": 200},
        seed=7,
        snapshot=snapshot,
        created_at=NOW,
        finished_at=NOW,
    )
    return ModelVersion.objects.create(
        project=project,
        number=number,
        run=run,
        artifact_path=f"{number}",
        artifact_sha256="0" * 64,
        fingerprint=f"{number}",
        classes=["negative", "positive"],
        created_at=NOW,
    )


@pytest.fixture
def noisy(db: None) -> tuple[Project, set[int]]:
    """A project whose imported labels are wrong in a few places; the ids of those samples."""
    project = make_project()
    rows, wrong = noisy_reviews()
    made = label_texts(project, rows)
    Label.objects.all().delete()
    beliefs = [
        Belief(label.sample_id, value, "import", 0.9, ["Imported."])
        for label, (_, value) in zip(made, rows, strict=True)
    ]
    labels.believe(beliefs=beliefs, now=NOW)
    return project, {made[i].sample_id for i in wrong}


def answer(project: Project, item: ReviewItem, value: str, minutes: int) -> None:
    review.submit(
        project=project,
        user=make_member(project),
        item_id=item.pk,
        value=value,
        submission_key=uuid.uuid4(),
        now=NOW + timedelta(minutes=minutes),
    )


def test_doubted_labels_are_asked_about_and_the_answers_are_counted(
    noisy: tuple[Project, set[int]],
) -> None:
    project, wrong = noisy
    version = trained(project)
    assert label_errors.due(now=NOW) == [version.pk]
    scan = label_errors.look(version_id=version.pk, clock=lambda: NOW)
    assert scan is not None
    assert scan.n_judged == N
    assert label_errors.due(now=NOW) == []
    assert label_errors.look(version_id=version.pk, clock=lambda: NOW) is None

    items = list(ReviewItem.objects.filter(queue="label_error").order_by("-priority"))
    assert len(items) == scan.n_queued <= label_errors.MOST_QUEUED
    assert sum(item.sample_id in wrong for item in items) >= 0.8 * PLANTED
    assert items[0].why["sentence"].startswith("The models trained without it say “")
    # Nothing was corrected by itself; what is doubted weighs less.
    assert not Label.objects.exclude(origin="import").exists()
    assert Label.objects.get(sample=items[0].sample_id).quality < 0.9
    assert max(Label.objects.values_list("quality", flat=True)) > 0.9

    mistaken = next(item for item in items if item.sample_id in wrong)
    right = next(item for item in items if item.sample_id != mistaken.sample_id)
    answer(project, mistaken, mistaken.why["suggested"], minutes=1)
    answer(project, right, right.why["given"], minutes=2)
    (outcome,) = label_errors.outcomes(project=project)
    assert (outcome.confirmed, outcome.refuted) == (1, 1)
    assert outcome.waiting == scan.n_queued - 2
    assert Label.objects.get(sample=mistaken.sample_id, is_current=True).origin == "annotation"


def test_the_next_version_does_not_ask_again_what_people_have_settled(
    noisy: tuple[Project, set[int]],
) -> None:
    project, _ = noisy
    label_errors.look(version_id=trained(project).pk, clock=lambda: NOW)
    first = ReviewItem.objects.order_by("-priority")[0]
    answer(project, first, first.why["given"], minutes=1)
    corrected = ReviewItem.objects.filter(status="open").order_by("-priority")[0]
    other = Belief(corrected.sample_id, corrected.why["suggested"], "annotation", 0.95, [])
    labels.believe(beliefs=[other], now=NOW)

    at = NOW + timedelta(hours=1)
    newer = trained(project, number=2)
    assert label_errors.due(now=at) == [newer.pk]
    label_errors.look(version_id=newer.pk, clock=lambda: at)
    again = set(
        LabelErrorFlag.objects.filter(scan__version=newer).values_list("sample_id", flat=True)
    )
    assert again
    assert first.sample_id not in again
    assert corrected.sample_id not in again
    closed = ReviewItem.objects.get(pk=corrected.pk)
    assert (closed.status, closed.why["closed"]) == ("closed", "The models of v2 doubt it no more.")


@pytest.mark.django_db
def test_too_few_labels_are_said_to_be_too_few() -> None:
    project = make_project()
    rows, _ = noisy_reviews(n=40, planted=2)
    label_texts(project, rows)
    scan = label_errors.look(version_id=trained(project).pk, clock=lambda: NOW)
    assert scan is not None
    assert "it takes 100" in scan.note
    assert scan.finished_at == NOW
    assert not ReviewItem.objects.exists()


@pytest.mark.django_db
def test_a_look_that_died_is_begun_anew_by_one_worker() -> None:
    project = make_project()
    label_texts(project, noisy_reviews(n=20, planted=0)[0])
    version = trained(project)
    LabelErrorScan.objects.create(version=version, started_at=NOW)
    assert label_errors.look(version_id=version.pk, clock=lambda: NOW) is None
    much_later = NOW + timedelta(hours=3)
    assert label_errors.due(now=much_later) == [version.pk]
    assert label_errors.look(version_id=version.pk, clock=lambda: much_later) is not None
