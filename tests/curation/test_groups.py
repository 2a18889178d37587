"""Who is heard less, and where the model fails: found where it is so, not where it is chance."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test import Client

from curation.digest.normalise import content_hash
from curation.groups import measure as measuring
from curation.groups.comparing import Tally, _adjusted, compare
from curation.groups.measure import measure, measure_due
from curation.groups.queueing import QUEUE_SIZE
from curation.groups.slicing import Facts, Words, groups_of
from curation.groups.topics import find_topics
from curation.models import (
    FeedbackOutcome,
    GroupMeasure,
    GroupMeasurement,
    Prediction,
    Project,
    ReviewItem,
    WordGroup,
)
from curation.models.review import Annotation, Queue
from feedbackhub.core.ids import uuid7, uuid7s
from feedbackhub.core.roles import Role
from tests.factories import (
    NOW,
    make_member,
    make_prediction,
    make_project,
    make_sample,
    make_source,
    make_user,
)
from tests.factories import make_sample as pool_sample


def test_a_group_is_heard_less_only_when_it_is() -> None:
    rng = random.Random(3)
    tally = Tally()
    for n in range(6_000):
        group = ("app", ["ios", "android", "web"][n % 3])
        rated = rng.random() < (0.04 if group[1] == "web" else 0.1)
        tally.add_prediction([group], rating=rng.choice(["up", "down"]) if rated else None)
    flagged = {each.group[1]: each.is_under_heard for each in compare(tally, most=9)}
    assert flagged == {"ios": False, "android": False, "web": True}


def test_chance_alone_flags_few_of_many_groups() -> None:
    """Forty groups without any difference, fifty times: one test each would flag about fifty."""
    rng = np.random.default_rng(1)
    flags = 0
    for _ in range(50):
        tally = Tally()
        for name in range(40):
            right = rng.binomial(60, 0.8)
            for n in range(60):
                tally.add_audit([("app", str(name))], is_correct=n < right)
        flags += sum(each.is_failing for each in compare(tally, most=99))
    assert flags <= 5


def test_a_group_without_a_rest_or_with_too_few_is_not_judged() -> None:
    tally = Tally()
    for n in range(100):
        tally.add_audit(
            [("source", "web"), ("app", "rare" if n < 29 else "usual")], is_correct=n > 28
        )
    by_name = {each.group: each for each in compare(tally, most=9)}
    assert ("source", "web") not in by_name
    assert by_name["app", "rare"].correct_q is None
    assert not by_name["app", "rare"].is_failing


def test_adjusted_p_values_are_those_of_the_paper() -> None:
    """Benjamini and Hochberg (1995), section 4: 15 tests; at 5 % the first four are rejected."""
    given = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240,
             0.4262, 0.5719, 0.6528, 0.7590, 1.0]  # fmt: skip
    adjusted = _adjusted([None, *given])
    assert adjusted[0] is None
    assert sum(q <= 0.05 for q in adjusted if q is not None) == 4


def test_words_are_found_whole_and_phrases_in_a_row() -> None:
    written = [Words("delivery", {"driver": 1, "on time": 1})]

    def is_in(text: str) -> bool:
        facts = Facts(text, "web", "en", None)
        return ("words", "delivery") in groups_of(facts, written=written, found=[])

    assert is_in("The DRIVER was kind")
    assert is_in("never on  time!")
    assert not is_in("screwdrivers")
    assert not is_in("on my time")


def test_metadata_makes_groups_unless_it_names_things() -> None:
    facts = Facts(None, "web", "", {"app": "ios", "vip": True, "n": 3, "x": [1], "long": "y" * 61})
    found = groups_of(facts, written=[], found=[])
    assert found == [("source", "web"), ("app", "ios"), ("vip", "True"), ("n", "3")]


def test_topics_are_what_the_texts_are_about() -> None:
    rng = random.Random(5)
    themes = (
        ["soup", "pizza", "tasty", "spicy", "menu"],
        ["driver", "late", "courier", "bag", "doorbell"],
        ["waiter", "rude", "table", "service", "slow"],
    )
    texts = [" ".join(rng.sample(themes[n % 3], 3)) + f" visit {n}" for n in range(600)]
    topics = find_topics(texts)
    for theme in themes:
        assert any(set(list(topic.weights)[:3]) <= set(theme) for topic in topics)
    assert find_topics(texts[:100]) == []
    assert find_topics(["a b"] * 400) == []


def traffic(project: Project, texts: Sequence[str], **fields: Any) -> list[Prediction]:
    ids = uuid7s(NOW - timedelta(days=1), count=len(texts))
    rows = [
        Prediction(
            id=pk, project_id=project.pk, text=text, content_hash=content_hash(text),
            created_at=NOW, **{
                "source_id": 1, "label": "positive", "model_version": "v1", "is_audit": False,
                "is_external": False, **fields,
            },
        )
        for pk, text in zip(ids, texts, strict=True)
    ]  # fmt: skip
    return Prediction.objects.bulk_create(rows)


def audited(project: Project, served: Prediction, value: str) -> None:
    sample = make_sample(project, text=served.text or "", split="test")
    item = ReviewItem.objects.create(
        project=project, sample=sample, queue=Queue.AUDIT, status="done", needed=1, taken=1, done=1,
        created_at=NOW,
    )  # fmt: skip
    Annotation.objects.create(
        item=item, sample=sample, user=annotator(), kind="label", value=value,
        submission_key=uuid7(NOW), submitted_at=NOW,
    )  # fmt: skip


def annotator() -> Any:
    from feedbackhub.core.models import User  # noqa: PLC0415

    return User.objects.filter(username="judge").first() or make_user(username="judge")


@pytest.fixture
def project(db: None) -> Project:
    return make_project(slug="reviews")


def failing_kitchen(project: Project) -> None:
    """The model is wrong about soup, and right about the rest."""
    WordGroup.objects.create(project=project, name="kitchen", words={"soup": 1}, created_at=NOW)
    texts = [f"{'soup' if n < 40 else 'table'} number {n}" for n in range(120)]
    for n, served in enumerate(traffic(project, texts, is_audit=True)):
        audited(project, served, "negative" if n < 20 else "positive")


def test_a_failing_group_fills_its_queue_with_its_own_texts(project: Project) -> None:
    failing_kitchen(project)
    members = {pool_sample(project, text=f"soup of day {n}").pk for n in range(40)}
    others = {pool_sample(project, text=f"chair of day {n}").pk for n in range(40)}
    measurement = measure(project=project, now=NOW)
    assert (measurement.audited, measurement.correct) == (120, 100)
    kitchen = GroupMeasure.objects.get(dimension="words", name="kitchen")
    assert (kitchen.audited, kitchen.correct, kitchen.is_failing) == (40, 20, True)
    asked = ReviewItem.objects.filter(project=project, queue=Queue.SLICE)
    assert len(asked) == QUEUE_SIZE
    assert {item.sample_id for item in asked} < members
    assert not {item.sample_id for item in asked} & others
    assert asked[0].inclusion_probability == pytest.approx(QUEUE_SIZE / 40)
    assert "right about 50% of the audited texts with words “kitchen”" in asked[0].why["sentence"]
    measure(project=project, now=NOW + timedelta(hours=1))
    assert ReviewItem.objects.filter(project=project, queue=Queue.SLICE).count() == QUEUE_SIZE


def test_split_answers_and_other_queues_judge_nobody(project: Project) -> None:
    served = traffic(project, ["soup", "stew"], is_audit=True)
    for each in served:
        audited(project, each, "positive")
    soup = ReviewItem.objects.get(sample__text="soup")
    Annotation.objects.create(
        item=soup, sample=soup.sample, user=make_user(), kind="label", value="negative",
        submission_key=uuid7(NOW), submitted_at=NOW,
    )  # fmt: skip
    ReviewItem.objects.filter(sample__text="stew").update(queue=Queue.DISPUTED)
    assert measure(project=project, now=NOW).audited == 0


def test_thumbs_are_counted_as_they_stand(project: Project) -> None:
    source = make_source(project, name="app")
    rated, held, _ = traffic(project, ["good soup", "bad soup", "no word"], source_id=source.pk)
    traffic(project, ["reported with its thumb"], is_external=True)
    make_prediction(project, text="too old", now=NOW - measuring.WINDOW - timedelta(days=1))
    for served, state in ((rated, "counted"), (held, "quarantined")):
        feedback_id = uuid7(NOW)
        FeedbackOutcome.objects.create(
            feedback_id=feedback_id, project_id=project.pk, prediction_id=served.pk, state=state,
            digested_at=NOW,
        )  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO curation_feedback (id, project_id, source_id, event_id, prediction_id,"
                " rating, corrected_label, predicted_label, model_version, arm, programme_group,"
                " quarantine_reasons, received_at)"
                " VALUES (%s, %s, %s, %s, %s, 'down', '', '', '', '', '', '[]', %s)",
                [feedback_id, project.pk, source.pk, str(feedback_id), served.pk, NOW],
            )
    m = measure(project=project, now=NOW)
    assert (m.predictions, m.feedback, m.down, m.share) == (3, 1, 1, 1.0)


def test_a_draw_of_much_traffic_is_a_share_of_it(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "MOST_DRAWN", 500)
    traffic(project, [f"text {n}" for n in range(2_000)])
    m = measure(project=project, now=NOW)
    assert m.share == 0.25
    assert 400 < m.predictions < 600


def test_a_look_is_due_every_hour_and_after_a_change(project: Project) -> None:
    make_project()  # has no traffic
    traffic(project, ["one text"])
    assert measure_due(now=NOW) == 1
    assert measure_due(now=NOW + timedelta(minutes=59)) == 0
    assert measure_due(now=NOW + timedelta(minutes=61)) == 1
    GroupMeasurement.objects.update(is_stale=True)
    assert measure_due(now=NOW + timedelta(minutes=62)) == 1
    assert measure_due(now=NOW + timedelta(minutes=63)) == 0


def test_leads_read_the_page_and_change_the_words(client: Client, project: Project) -> None:
    client.force_login(make_member(project, Role.LEAD))
    assert "No group has been counted yet" in client.get("/groups/reviews/").content.decode()
    failing_kitchen(project)
    measure(project=project, now=NOW)
    page = client.get("/groups/reviews/").content.decode()
    assert "the model is worse on 1 of the" in page
    assert "model is worse" in page
    figures = client.get("/groups/reviews/live/?theme=dark").json()["figures"]
    assert "words: kitchen" in figures["right"]["data"][0]["y"]
    form = {"name": "Delivery", "words": "Driver, on  Time ,,"}
    assert client.post("/groups/reviews/", form).status_code == 302
    assert WordGroup.objects.get(name="Delivery").words == {"driver": 1.0, "on time": 1.0}
    assert GroupMeasurement.objects.get().is_stale
    assert "There is a group of this name" in client.post("/groups/reviews/", form).content.decode()
    assert (
        "Write at least one word"
        in client.post("/groups/reviews/", {"name": "Empty", "words": " ,"}).content.decode()
    )
    pk = WordGroup.objects.get(name="Delivery").pk
    assert client.post(f"/groups/reviews/words/{pk}/delete/").status_code == 302
    assert not WordGroup.objects.filter(pk=pk).exists()


@pytest.mark.parametrize("role", [Role.ANNOTATOR, Role.SENIOR])
def test_groups_are_for_leads(client: Client, project: Project, role: Role) -> None:
    client.force_login(make_member(project, role))
    for address in ("/groups/reviews/", "/groups/reviews/live/"):
        assert client.get(address).status_code == 403
