"""``GET feedback/{event_id}``: what a sender is told became of a thumb."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from curation.digest.services import digest
from curation.labels import Belief, believe
from curation.models import FeedbackOutcome, Label, Project, Sample
from feedbackhub.core.keys import Scope
from rollout.serving.plan import forget
from tests import factories
from training import registry
from training.models import ModelVersion, Snapshot, SnapshotItem

pytestmark = pytest.mark.django_db(transaction=True)
NOW = factories.NOW


class Sender:
    """A source that posts thumbs and asks after them."""

    def __init__(self, project: Project) -> None:
        self.client = factories.api_client(factories.make_key(project))
        self.base = f"/api/v1/projects/{project.slug}"

    def thumb(self, prediction_id: UUID | None, **fields: Any) -> str:
        body = factories.feedback_body(prediction_id, **fields)
        answer = self.client.post(f"{self.base}/feedback", body, content_type="application/json")
        assert answer.status_code == 201, answer.content
        return str(body["event_id"])

    def journey(self, event_id: str) -> dict[str, Any]:
        answer = self.client.get(f"{self.base}/feedback/{event_id}")
        assert answer.status_code == 200, answer.content
        journey: dict[str, Any] = answer.json()
        return journey


@pytest.fixture
def project() -> Project:
    forget()
    return factories.make_project(audit_share=0)


@pytest.fixture
def sender(project: Project) -> Sender:
    return Sender(project)


def _annotated(sample: Sample, value: str) -> None:
    belief = Belief(
        sample_id=sample.pk,
        value=value,
        origin=Label.Origin.ANNOTATION,
        quality=0.95,
        reasons=["An annotator said so, blind."],
    )
    believe(beliefs=[belief], now=NOW)


def _taught(project: Project, feedback_id: UUID) -> ModelVersion:
    """A version whose snapshot holds the label that rests on the thumb."""
    label = Label.objects.get(evidence__feedback_id=feedback_id)
    snapshot = Snapshot.objects.create(
        project=project, digest="d", train_digest="t", counts={}, policy={}, created_at=NOW
    )
    SnapshotItem.objects.create(
        snapshot=snapshot,
        sample_id=label.sample_id,
        label_id=label.pk,
        value=label.value,
        weight=label.quality,
        split="train",
    )
    version = factories.make_version(project, status=ModelVersion.Status.CANDIDATE)
    version.run.snapshot = snapshot
    version.run.save()
    return version


def test_thumb_is_landed_until_the_digest_looks(project: Project, sender: Sender) -> None:
    event = sender.thumb(factories.make_prediction(project).pk)

    journey = sender.journey(event)

    assert (journey["state"], journey["review"]) == ("landed", "none")
    assert journey["label"] is None
    assert journey["summary"] == "Landed; the digest has not looked at it yet."


@pytest.mark.parametrize(
    ("truth", "review", "words"),
    [("negative", "confirmed", "confirmed it"), ("positive", "contradicted", "otherwise")],
)
def test_disputed_thumb_is_confirmed_or_contradicted_by_annotators(
    project: Project, sender: Sender, truth: str, review: str, words: str
) -> None:
    event = sender.thumb(factories.make_prediction(project).pk, rating="down", subject="ann")
    digest(now=NOW)
    waiting = sender.journey(event)
    assert (waiting["is_disputed"], waiting["review"]) == (True, "waiting")
    assert waiting["suggested_label"] == "negative"

    _annotated(Sample.objects.get(), truth)

    journey = sender.journey(event)
    assert journey["review"] == review
    assert (journey["label"]["value"], journey["label"]["origin"]) == (truth, "annotation")
    assert words in journey["summary"]


def test_later_thumb_is_named_by_the_one_it_replaced(project: Project, sender: Sender) -> None:
    prediction = factories.make_prediction(project)
    first = sender.thumb(prediction.pk, subject="ann")
    second = sender.thumb(prediction.pk, rating="down", subject="ann")
    digest(now=NOW)

    journey = sender.journey(first)

    assert (journey["state"], journey["superseded_by"]) == ("superseded", second)
    assert sender.journey(second)["state"] == "counted"


def test_quarantined_thumb_says_why(project: Project, sender: Sender) -> None:
    event = sender.thumb(UUID(int=7))

    journey = sender.journey(event)

    assert journey["state"] == "quarantined"
    assert journey["reasons"]
    assert journey["summary"].startswith("Kept but not counted")


def test_thumb_is_followed_into_the_version_that_ships(project: Project, sender: Sender) -> None:
    event = sender.thumb(factories.make_prediction(project).pk, subject="ann")
    digest(now=NOW)
    feedback_id = FeedbackOutcome.objects.get().feedback_id
    version = _taught(project, feedback_id)
    trained = sender.journey(event)
    assert [lesson["version"] for lesson in trained["trained_into"]] == [version.name]
    assert trained["shipped_in"] is None

    ModelVersion.objects.filter(pk=version.pk).update(status=ModelVersion.Status.BLESSED)
    version.refresh_from_db()
    version.evaluations.create(
        verdict="blessed",
        summary="Passed.",
        n_test=1,
        test_digest="",
        metrics={},
        policy={},
        created_at=NOW,
    )
    promoted_at = NOW + timedelta(hours=1)
    registry.crown(
        version=version, expected_champion=None, actor="lead", reason="It is time.", now=promoted_at
    )

    journey = sender.journey(event)
    assert journey["shipped_in"] == version.name
    assert journey["trained_into"][0]["promoted_at"] == promoted_at.isoformat().replace(
        "+00:00", "Z"
    )
    assert journey["summary"].endswith(f"Trained into {version.name}; {version.name} serves now.")


def test_unknown_event_is_a_problem(sender: Sender) -> None:
    answer = sender.client.get(f"{sender.base}/feedback/never-sent")

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert "never-sent" in answer.json()["detail"]


def test_event_of_another_project_is_not_told(project: Project, sender: Sender) -> None:
    event = sender.thumb(factories.make_prediction(project).pk)
    other = Sender(factories.make_project())

    assert other.client.get(f"{other.base}/feedback/{event}").status_code == 404


def test_event_id_may_hold_a_slash(project: Project, sender: Sender) -> None:
    event = sender.thumb(factories.make_prediction(project).pk, event_id="app/2026/1")

    assert sender.journey(event)["event_id"] == "app/2026/1"


def test_key_without_the_scope_is_refused(project: Project) -> None:
    client = factories.api_client(factories.make_key(project, Scope.PREDICT))

    answer = client.get(f"/api/v1/projects/{project.slug}/feedback/x")

    assert answer.status_code == 403
