"""Erasing a subject: everything of theirs goes, everything of others' and every count stays."""

import io
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from curation.arms import arm_counts
from curation.digest import services as digestion
from curation.digest.samples import NewSample, upsert_samples
from curation.digest.services import digest
from curation.intake.rejects import presentable
from curation.labels import Belief, believe
from curation.models import (
    Annotation,
    Erasure,
    Feedback,
    FeedbackOutcome,
    Label,
    Prediction,
    Project,
    RejectedEvent,
    ReviewItem,
    Sample,
)
from curation.models.sample import Split
from curation.privacy import erasure as steps
from curation.privacy.erasure import request_erasure
from curation.queries import training_labels
from curation.review.items import Pick, open_items
from curation.review.services import claim
from feedbackhub import privacy
from feedbackhub.core.roles import Role
from feedbackhub.core.subjects import TOMBSTONE_PREFIX, keyed_hash
from tests.curation.events import sample_of, thumb
from tests.factories import NOW, make_member, make_prediction, make_project, make_version
from training import queries
from training.models import Snapshot, SnapshotItem, TrainingRun

pytestmark = pytest.mark.django_db
ROLLOUT = 5
SENTENCES = {
    "own": "Only Ann wrote this.",
    "shared": "Ann and Tom both wrote this.",
    "toms": "Only Tom wrote this.",
    "unnamed": "Nobody signed this, and Ann alone judged it.",
    "contested": "Nobody signed this, and Ann and Tom judged it.",
    "imported": "Ann wrote this, and it was imported too.",
}


@dataclass(frozen=True)
class Scene:
    project: Project
    ann: bytes
    tom: bytes
    by_ann: Mapping[str, Prediction]

    def text_of(self, name: str) -> str | None:
        return Sample.objects.get(pk=sample_of(self.by_ann[name]).pk).text


@pytest.fixture
def scene(db: None) -> Scene:
    project = make_project()
    ann, tom = (
        keyed_hash(name, key=settings.SUBJECT_HASH_KEY, project_id=project.pk)
        for name in ("ann", "tom")
    )
    upsert_samples(
        project=project, samples=[NewSample(SENTENCES["imported"], Sample.Origin.IMPORT)], now=NOW
    )
    subjects = {"toms": tom, "unnamed": None, "contested": None}
    made = {
        name: make_prediction(
            project,
            text=text,
            subject_hash=subjects.get(name, ann),
            session_hash=b"session",
            metadata={"table": name},
            rollout_id=ROLLOUT,
            arm="control",
        )
        for name, text in SENTENCES.items()
    }
    toms = make_prediction(
        project, text=SENTENCES["shared"], subject_hash=tom, rollout_id=ROLLOUT, arm="treatment"
    )
    for prediction in made.values():
        thumb(
            prediction,
            "down",
            subject=ann,
            address_hash=b"address",
            comment="Ann says so.",
            metadata={"a": 1},
        )
    for prediction in (toms, made["toms"], made["contested"]):
        thumb(prediction, "up", subject=tom, address_hash=b"another", comment="Tom says so.")
    digest(now=NOW)
    RejectedEvent.objects.bulk_create(
        RejectedEvent(
            project_id=project.pk,
            source_id=1,
            payload=presentable(
                json.dumps({"subject": name, "comment": "secret"}).encode(), project_id=project.pk
            ),
            reasons=[],
            received_at=NOW,
        )
        for name in ("ann", "tom")
    )
    return Scene(project, ann, tom, made)


def erase(scene: Scene, subject: str = "ann") -> Erasure:
    erasure = request_erasure(
        project=scene.project, subject=subject, requested_by="admin", reason="Asked.", now=NOW
    )
    return privacy.erase(erasure=erasure, now=NOW)


def assert_ann_is_gone(scene: Scene) -> None:
    """Neither her name's hash nor her words are left in any column of any table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
            " AND relnamespace = 'public'::regnamespace"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT coalesce(string_agg(t::text, chr(10)), $$$$) FROM "{table}" t')
            dump = cursor.fetchone()[0]
            for trace in (
                scene.ann.hex(),
                SENTENCES["own"],
                SENTENCES["unnamed"],
                "Ann says so.",
            ):
                assert trace not in dump, (table, trace)


def test_what_the_subject_wrote_goes_everywhere_and_what_others_wrote_stays(scene: Scene) -> None:
    erasure = erase(scene)

    assert_ann_is_gone(scene)
    assert {name: scene.text_of(name) for name in SENTENCES} == {
        **SENTENCES,
        "own": None,
        "unnamed": None,
    }
    mine = Prediction.objects.get(pk=scene.by_ann["own"].pk)
    assert (mine.text, mine.metadata, mine.session_hash) == (None, None, None)
    assert Prediction.objects.get(pk=scene.by_ann["toms"].pk).text == SENTENCES["toms"]
    assert Feedback.objects.filter(comment="Tom says so.", address_hash=b"another").count() == 3
    assert not Feedback.objects.filter(address_hash=b"address").exists()
    assert (
        Feedback.objects.exclude(comment="Tom says so.").filter(metadata__isnull=True).count() == 6
    )
    payloads = RejectedEvent.objects.order_by("id").values_list("payload", flat=True)
    assert payloads[0] == "(erased)"
    assert "secret" in payloads[1]
    assert erasure.counts == {
        "predictions": 3,
        "feedback": 6,
        "unnamed_predictions": 1,
        "outcomes": 6,
        "trust": 0,
        "notes": 0,
        "review_items": 2,
        "samples": 2,
        "rejected": 1,
    }


def test_the_statistics_are_what_they_were(scene: Scene) -> None:
    before = arm_counts(rollout_id=ROLLOUT)
    states = list(FeedbackOutcome.objects.order_by("pk").values_list("pk", "state", "sample_id"))
    labels = list(Label.objects.order_by("pk").values_list("value", "quality", "is_current"))

    erase(scene)

    assert arm_counts(rollout_id=ROLLOUT) == before
    assert states == list(
        FeedbackOutcome.objects.order_by("pk").values_list("pk", "state", "sample_id")
    )
    assert labels == list(
        Label.objects.order_by("pk").values_list("value", "quality", "is_current")
    )
    tombs = {
        bytes(each)
        for model in (Prediction, Feedback, FeedbackOutcome)
        for each in model._default_manager.exclude(subject_hash=None).values_list(
            "subject_hash", flat=True
        )
    } - {scene.tom}
    assert len(tombs) == 1
    assert tombs.pop().startswith(TOMBSTONE_PREFIX)


def test_the_audit_row_stays_and_leads_nowhere(scene: Scene) -> None:
    erasure = erase(scene)
    assert (erasure.requested_by, erasure.finished_at) == ("admin", NOW)
    assert (erasure.subject_hash, erasure.tombstone, erasure.sample_ids) == (None, None, [])
    assert bytes(erasure.subject_digest) not in (scene.ann, scene.tom)


def test_erasing_again_changes_nothing_and_is_on_record(scene: Scene) -> None:
    first = erase(scene)
    again = erase(scene)
    assert again.pk != first.pk
    assert bytes(again.subject_digest) == bytes(first.subject_digest)
    assert set(again.counts.values()) == {0}


def test_two_subjects_erased_stay_two(scene: Scene) -> None:
    before = arm_counts(rollout_id=ROLLOUT)
    erase(scene, "ann")
    erase(scene, "tom")
    assert arm_counts(rollout_id=ROLLOUT) == before
    # With both of them gone nobody is left who shared the text.
    assert scene.text_of("shared") is None
    assert scene.text_of("imported") == SENTENCES["imported"]


@pytest.mark.parametrize("name", [*steps.STEPS, "finish"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_erasure_stopped_anywhere_is_finished_by_the_next_look(
    scene: Scene, name: str, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = steps.STEPS.get(name)

    def broken(*args: Any, **kwargs: Any) -> int:
        if when == "after" and whole is not None:
            whole(*args)
        raise ConnectionError("the machine is gone")

    with monkeypatch.context() as patch:
        if whole is None:
            patch.setattr(privacy, "finish", broken)
        else:
            patch.setattr(steps, "STEPS", {**steps.STEPS, name: broken})
        with pytest.raises(ConnectionError):
            erase(scene)
    assert Erasure.objects.get().finished_at is None

    assert privacy.erase_due(now=NOW) == 1

    assert_ann_is_gone(scene)
    erasure = Erasure.objects.get()
    assert erasure.finished_at == NOW
    assert (erasure.counts["predictions"], erasure.counts["samples"]) == (3, 2)


def test_an_erased_text_is_answered_and_trained_on_by_nobody(scene: Scene) -> None:
    sample = sample_of(scene.by_ann["own"])
    believe(
        beliefs=[Belief(sample.pk, "negative", Label.Origin.ANNOTATION, 1.0, ["Agreed."])], now=NOW
    )
    annotator = make_member(scene.project, Role.SENIOR)
    pick = Pick(sample.pk, "label_error", 1.0, {"sentence": "It looks wrong."})
    open_items(project=scene.project, picks=[pick], now=NOW)
    held = claim(project=scene.project, user=annotator, now=NOW)
    assert held.items
    item = ReviewItem.objects.get(sample=sample, queue="label_error")
    Annotation.objects.create(
        item=item,
        sample=sample,
        user=annotator,
        kind="skip",
        skip_reason="other",
        note="Ann says so.",
        submission_key="0193a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b",
        submitted_at=NOW,
    )

    erase(scene)

    assert_ann_is_gone(scene)
    trained = training_labels(project=scene.project, min_quality=0.0)
    assert sample.pk not in [row.sample_id for row in trained]
    states = ReviewItem.objects.filter(sample=sample).values_list("status", "taken", "done")
    assert set(states) == {("closed", 0, 0)}
    assert Label.objects.filter(sample=sample, is_current=True).exists()


@pytest.mark.parametrize(
    ("value", "where"),
    [
        (b"x" * 16, "IS NOT NULL"),
        (TOMBSTONE_PREFIX, "IS NOT NULL"),
        (TOMBSTONE_PREFIX + b"y" * 10, "IS NOT NULL"),
        (TOMBSTONE_PREFIX + b"z" * 9, "IS NULL"),
    ],
    ids=["any", "short", "long", "none before"],
)
def test_a_subject_becomes_a_tombstone_or_nothing(scene: Scene, value: bytes, where: str) -> None:
    def change() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL feedbackhub.erasure = 'on'")
            cursor.execute(
                f"UPDATE curation_prediction SET subject_hash = %s WHERE subject_hash {where}",
                [value],
            )

    with pytest.raises(DatabaseError, match="tombstone"):
        change()


def test_versions_that_learned_from_erased_texts_are_named(scene: Scene) -> None:
    statuses = ("superseded", "rejected", "live")
    learned, tested, innocent = (make_version(scene.project, status=each) for each in statuses)
    for version, name, split in (
        (learned, "own", Split.TRAIN),
        (tested, "own", Split.TEST),
        (innocent, "toms", Split.TRAIN),
    ):
        snapshot = Snapshot.objects.create(
            project=scene.project,
            digest=version.name,
            train_digest="",
            counts={},
            policy={},
            created_at=NOW,
        )
        sample = sample_of(scene.by_ann[name])
        SnapshotItem.objects.create(
            snapshot=snapshot, sample_id=sample.pk, label_id=1, value="x", weight=1, split=split
        )
        TrainingRun.objects.filter(version=version).update(snapshot=snapshot)

    erasure = erase(scene)

    assert erasure.versions == [learned.name]
    erased = {s.digest: queries.erased_items(s) for s in Snapshot.objects.all()}
    assert erased == {learned.name: 1, tested.name: 1, innocent.name: 0}


def test_the_command_erases_and_names_what_learned(scene: Scene) -> None:
    out = io.StringIO()
    call_command("erase_subject", "ann", project=scene.project.slug, stdout=out)
    assert "predictions  3" in out.getvalue()
    assert "Versions trained on erased texts: none." in out.getvalue()
    assert_ann_is_gone(scene)
    with pytest.raises(CommandError, match="no project"):
        call_command("erase_subject", "ann", project="nowhere", stdout=out)


@pytest.mark.django_db(transaction=True)
def test_a_digest_that_read_the_text_before_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = make_project()
    ann = keyed_hash("ann", key=settings.SUBJECT_HASH_KEY, project_id=project.pk)
    prediction = make_prediction(project, text=SENTENCES["own"], subject_hash=ann)
    thumb(prediction, "down", subject=ann)
    has_read, may_write = threading.Event(), threading.Event()
    upsert = digestion.upsert_samples

    def slow(**kwargs: Any) -> list[int]:
        has_read.set()
        assert may_write.wait(20)
        return upsert(**kwargs)

    monkeypatch.setattr(digestion, "upsert_samples", slow)

    def run(job: Any) -> None:
        try:
            job()
        finally:
            connection.close()

    scene = Scene(project, ann, b"", {"own": prediction})
    digesting = threading.Thread(target=run, args=(lambda: digest(now=NOW),))
    digesting.start()
    assert has_read.wait(20)
    erasing = threading.Thread(target=run, args=(lambda: erase(scene),))
    erasing.start()
    erasing.join(1)
    assert erasing.is_alive()
    may_write.set()
    digesting.join(20)
    erasing.join(20)

    assert Sample.objects.get().text is None
    assert Erasure.objects.get().finished_at == NOW
    assert_ann_is_gone(scene)
