"""What a batch of messages becomes, and what stands in its way."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import ProgrammingError, connection
from django.test.utils import override_settings

from curation.intake.facts import ProjectFacts, project_facts
from curation.intake.kafka import dead_letters as dead_letters_module
from curation.intake.kafka.client import BadProperties, Connection, read_properties
from curation.intake.kafka.dead_letters import DeadLetters, NotConfirmed
from curation.intake.kafka.destination import Destination, NoDestination
from curation.intake.kafka.records import Landing, Record, land_records
from curation.intake.reading import Refused
from curation.models import Feedback, Project, RejectedEvent, Source
from feedbackhub.core.clock import utcnow
from feedbackhub.environment import BadEnvironment, read_environment
from tests.curation.kafka_scenes import thumb
from tests.factories import make_prediction, make_project, make_source
from tests.kafka_broker import REAL, running_broker


def records(*values: bytes | None) -> list[Record]:
    return [Record("thumbs", 3, offset, 1_000 + offset, one) for offset, one in enumerate(values)]


def land(facts: ProjectFacts, *values: bytes | None) -> Landing:
    return land_records(facts=facts, source_id=7, records=records(*values), clock=utcnow)


def destination(project: str) -> Destination:
    # Nothing here is refused, so nobody is written to.
    letters = DeadLetters(config={"bootstrap.servers": "127.0.0.1:1"}, topic="letters")
    return Destination(project=project, source="topic", dead_letters=letters, clock=utcnow)


@contextmanager
def changed_table(change: str, back: str) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(change)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(back)


@pytest.mark.django_db
def test_each_message_is_judged_alone() -> None:
    project = make_project()
    name = make_prediction(project).id
    twice = thumb(name)
    landing = land(
        project_facts(project.pk), thumb(name), twice, None, b"[]", twice, b'{"rating": 1}'
    )
    assert (landing.landed, landing.duplicates) == (2, 1)
    assert [(one.index, one.position) for one in landing.refused] == [
        (2, "thumbs/3/2@1002"),
        (3, "thumbs/3/3@1003"),
        (5, "thumbs/3/5@1005"),
    ]
    assert [error["field"] for error in landing.refused[2].errors] == ["event_id", "rating"]


@pytest.mark.django_db(transaction=True)
def test_an_event_that_postgres_cannot_hold_does_not_hold_up_the_others() -> None:
    project = make_project()
    name = make_prediction(project).id
    comments = ["a", "b", "unstorable", "c", "d", "e", "f"]
    with changed_table(
        "ALTER TABLE curation_feedback ADD CONSTRAINT no CHECK (comment <> 'unstorable')",
        "ALTER TABLE curation_feedback DROP CONSTRAINT no",
    ):
        landing = land(project_facts(project.pk), *(thumb(name, comment=one) for one in comments))
    assert landing.landed == 6
    [refused] = landing.refused
    assert refused.index == 2
    assert "cannot be stored" in refused.errors[0]["message"]
    stored = list(Feedback.objects.order_by("id").values_list("comment", flat=True))
    assert stored == ["a", "b", "c", "d", "e", "f"]


@pytest.mark.django_db(transaction=True)
def test_what_is_wrong_with_the_hub_is_not_blamed_on_the_events() -> None:
    project = make_project()
    name = make_prediction(project).id
    with (
        changed_table(
            "ALTER TABLE curation_feedback RENAME TO elsewhere",
            "ALTER TABLE elsewhere RENAME TO curation_feedback",
        ),
        pytest.raises(ProgrammingError),
    ):
        land(project_facts(project.pk), thumb(name), thumb(name))


@pytest.mark.django_db(transaction=True)
def test_a_source_is_made_once_and_can_be_switched_off() -> None:
    project = make_project()
    name = make_prediction(project).id
    for _ in range(2):
        destination(project.slug).land(records(thumb(name)))
    assert Source.objects.get(project=project).name == "topic"
    Source.objects.update(is_active=False)
    with pytest.raises(NoDestination, match="switched off"):
        destination(project.slug).land(records(thumb(name)))
    assert Feedback.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_source_of_another_project_is_not_used() -> None:
    make_source(make_project(), name="topic")
    project = make_project()
    destination(project.slug).land(records(thumb(make_prediction(project).id)))
    assert Feedback.objects.get().source_id == Source.objects.get(project=project).pk


@pytest.mark.django_db
@pytest.mark.skipif(bool(REAL), reason="a real broker is not ours to freeze")
def test_a_dead_letter_is_confirmed_before_it_counts_and_not_sent_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dead_letters_module, "WITHIN_S", 1.0)
    project = make_project()
    [record] = records(b"{")
    refused = [Refused(0, b"{", [{"field": "", "message": "no"}], position=record.position)]
    with running_broker() as broker:
        topic = broker.topic()
        letters = DeadLetters(config=Connection(broker.servers, {}).producer(), topic=topic)

        def send() -> None:
            letters.send(refused=refused, records=[record], project_id=project.pk)

        with broker.frozen(), pytest.raises(NotConfirmed):
            send()
        monkeypatch.setattr(dead_letters_module, "WITHIN_S", 20.0)
        send()
        assert [letter.key() for letter in broker.read(topic, 1)] == [record.position.encode()]


def test_properties_are_read_and_what_the_hub_promises_is_not_for_them(tmp_path: Path) -> None:
    file = tmp_path / "client.properties"
    file.write_text("# secrets\n\nsasl.password = a=b\nclient.id=mine\n")
    connection = Connection("b:9092", read_properties(file))
    for config in (connection.consumer(), connection.producer()):
        assert (config["sasl.password"], config["client.id"]) == ("a=b", "mine")
        assert config["bootstrap.servers"] == "b:9092"
    assert connection.consumer()["enable.auto.commit"] is False
    file.write_text("ssl.ca.location=x\nenable.auto.commit=true\n")
    with pytest.raises(BadProperties, match=r"line 2: the hub decides enable\.auto\.commit"):
        read_properties(file)
    file.write_text("nonsense\n")
    with pytest.raises(BadProperties, match="line 1 is not of the form"):
        read_properties(file)
    with pytest.raises(BadProperties, match="cannot be read"):
        read_properties(tmp_path / "nowhere")


@pytest.mark.django_db
def test_the_command_says_what_it_lacks(tmp_path: Path) -> None:
    project: Project = make_project()

    def run(slug: str, **kafka: str) -> None:
        changed = msgspec.structs.replace(settings.ENV, **kafka)
        with override_settings(ENV=changed):
            call_command("consume_feedback", "--project", slug, "--source", "topic")

    with pytest.raises(CommandError, match="KAFKA_BOOTSTRAP_SERVERS is not set"):
        run(project.slug, kafka_bootstrap_servers="")
    with pytest.raises(CommandError, match=f"no project `nope`; there are: {project.slug}"):
        run("nope", kafka_bootstrap_servers="127.0.0.1:1")
    nowhere = str(tmp_path / "nowhere")
    with pytest.raises(CommandError, match=r"KAFKA_CLIENT_PROPERTIES: .*nowhere cannot be read"):
        run(
            project.slug,
            kafka_bootstrap_servers="127.0.0.1:1",
            kafka_client_properties=nowhere,
        )
    assert RejectedEvent.objects.count() == 0


@pytest.mark.parametrize(
    ("name", "nonsense"),
    [
        ("KAFKA_BOOTSTRAP_SERVERS", "broker"),
        ("KAFKA_BOOTSTRAP_SERVERS", "a:1 b:2"),
        ("KAFKA_TOPIC", "two words"),
        ("KAFKA_DEAD_LETTER_TOPIC", "a/b"),
    ],
)
def test_nonsense_about_kafka_is_refused_by_name(name: str, nonsense: str) -> None:
    good = {
        "DATABASE_URL": "postgresql://hub@db/hub",
        "REDIS_URL": "redis://cache",
        "SECRET_KEY": "s" * 40,
        "SUBJECT_HASH_KEY": "h" * 40,
        "KAFKA_BOOTSTRAP_SERVERS": "a:9092,b.example.com:9093",
    }
    assert read_environment(good).kafka_topic == "feedback"
    with pytest.raises(BadEnvironment, match=name):
        read_environment({**good, name: nonsense})
