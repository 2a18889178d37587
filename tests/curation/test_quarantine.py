"""Quarantine on real Postgres: rules hold back in the digest, people let go or turn away."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import msgspec
import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from curation import queries
from curation.digest import quarantine
from curation.digest.quarantine import reject_feedback, release_feedback, screen
from curation.digest.rehearsal import rehearse
from curation.digest.rule_book import DEFAULT_BOOK, RuleBook, make_rule, save_rules
from curation.digest.rules import NAMES
from curation.digest.services import digest
from curation.intake.landing import land_feedback
from curation.intake.metrics import CAUGHT
from curation.intake.schemas import FeedbackRequest
from curation.models import (
    Feedback,
    FeedbackOutcome,
    IntakeMinute,
    Label,
    Project,
    QuarantineMove,
    ReviewItem,
    Sample,
    ScreeningDue,
)
from feedbackhub.core.ids import uuid7
from feedbackhub.core.transitions import StaleTransition
from tests.curation.events import land_feedback as land_again
from tests.curation.events import subject, thumb
from tests.curation.held import (
    LATER,
    burst,
    campaign,
    crowd,
    digest_all,
    flip,
    honest,
    state,
    states,
)
from tests.factories import NOW, feedback_body, make_prediction, make_project, make_source

pytestmark = pytest.mark.django_db


def use(project: Project, *names: str) -> None:
    """Only these rules."""
    book = RuleBook(DEFAULT_BOOK.rules, frozenset(names))
    save_rules(project=project, book=book, actor="ada", now=NOW)


def trained(project: Project) -> set[str]:
    return {row.text for row in queries.training_labels(project=project, min_quality=0.0)}


def ids(events: list[Feedback]) -> list[str]:
    return [str(each.pk) for each in events]


def let_go(project: Project, events: list[Feedback]) -> int:
    return release_feedback(
        project=project, feedback_ids=ids(events), actor="ada", reason="A tester.", now=LATER
    )


def turn_away(project: Project, events: list[Feedback]) -> int:
    return reject_feedback(
        project=project, feedback_ids=ids(events), actor="ada", reason="Spam.", now=LATER
    )


def test_each_rule_holds_its_pattern_and_nobody_else() -> None:
    project = make_project()
    honest_ones = honest(project)
    flipped, robot, copied = flip(project), burst(project), campaign(project)
    before = CAUGHT.labels(project.slug, "contrarian")._value.get()
    digest_all()

    assert states(honest_ones) == {"counted"}
    for events, rule, said in (
        (flipped, "contrarian", "contradicted 50 of 50 answers in one day"),
        (robot, "subject_burst", "sent 60 thumbs in one minute"),
        (copied, "copied_comment", "10 subjects sent the same comment"),
    ):
        outcomes = FeedbackOutcome.objects.filter(pk__in=ids(events))
        assert set(outcomes.values_list("state", "rule")) == {("quarantined", rule)}
        assert said in outcomes[0].reasons[0]
    assert CAUGHT.labels(project.slug, "contrarian")._value.get() - before == 50
    assert Feedback.objects.exclude(quarantine_reasons=[]).count() == 0


def test_a_burst_of_one_address_is_held_whatever_names_it_gives() -> None:
    project = make_project()
    rule = make_rule(name="address_burst", thresholds={"per_minute": 30})
    book = RuleBook({**DEFAULT_BOOK.rules, rule.name: rule}, frozenset({rule.name}))
    save_rules(project=project, book=DEFAULT_BOOK, actor="ada", now=NOW)
    botnet, office = crowd(project), crowd(project, n=29, address="office")
    digest_all()
    assert states([*botnet, *office]) == {"counted"}

    found = rehearse(project_id=project.pk, book=book, now=LATER)
    assert set(found.caught) == set(ids(botnet))
    assert states(botnet) == {"counted"}

    save_rules(project=project, book=book, actor="ada", now=NOW)
    # An hour later at the same address, and one more in the minute that was already full.
    judged = make_prediction(project, text="later")
    calm, late = (
        thumb(judged, subject=subject(who), address_hash=subject("botnet"), at=NOW + after)
        for who, after in (("calm", timedelta(minutes=40)), ("late", timedelta(seconds=50)))
    )
    digest_all()
    assert states([*botnet, late]) == {"quarantined"}
    assert states([calm, *office]) == {"counted"}
    held = FeedbackOutcome.objects.get(pk=late.pk)
    assert (held.rule, held.reasons) == (
        "address_burst",
        ["One address sent 31 thumbs in one minute; held from 30."],
    )
    assert let_go(project, botnet) == len(botnet)


def test_what_is_held_teaches_nothing_and_disputes_nothing_until_it_is_released() -> None:
    project = make_project()
    held, counted = flip(project), honest(project)
    digest(now=LATER)
    assert len(trained(project)) == len(held) + len(counted)
    assert ReviewItem.objects.filter(status="open", sample__text__startswith="flipper").exists()
    digest_all()

    assert {text.split()[0] for text in trained(project)} == {"honest"}
    assert not ReviewItem.objects.filter(status="open", sample__text__startswith="flipper").exists()

    assert let_go(project, held) == 50
    assert states(held) == {"counted"}
    assert len(trained(project)) == len(held) + len(counted)


@pytest.mark.parametrize("n", [5, 39])
def test_a_dissenter_with_few_items_is_heard(n: int) -> None:
    project = make_project()
    events = flip(project, n=n)
    digest_all()
    assert states(events) == {"counted"}


def test_a_minority_of_dissenters_is_heard() -> None:
    project = make_project()
    events = [
        thumb(make_prediction(project, text=f"t{i}"), "down", subject=subject(f"{s}-{i % 3}"))
        for s in range(10)
        for i in range(6)
    ]
    honest(project, subjects=60)
    digest_all()
    assert states(events) == {"counted"}


def test_whom_annotators_confirm_is_heard() -> None:
    project = make_project()
    events = flip(project, n=40)
    digest(now=LATER)
    judged = [each.pk for each in events]
    samples = Sample.objects.filter(feedback_outcomes__in=judged).order_by("id")[:6]
    for sample in samples:
        said = FeedbackOutcome.objects.get(sample=sample).suggested_label
        Label.objects.filter(sample=sample).update(is_current=False)
        Label.objects.create(
            sample=sample, value=said, origin="annotation", quality=0.95, created_at=NOW
        )
    digest_all()
    assert states(events) == {"counted"}


def test_short_remarks_and_popular_texts_are_no_campaign() -> None:
    project = make_project()
    short = campaign(project, n=30, comment="wrong label")
    popular = [
        thumb(
            make_prediction(project, text="The soup of the day."), "down", subject=subject(f"p{i}")
        )
        for i in range(30)
    ]
    digest_all()
    assert states(short + popular) == {"counted"}


def test_garbage_never_becomes_a_sample() -> None:
    project = make_project()
    event = thumb(make_prediction(project, text="?!?!?! ..."), "up", subject=subject("ann"))
    digest_all()
    outcome = FeedbackOutcome.objects.get(pk=event.pk)
    assert (outcome.state, outcome.rule) == ("quarantined", "garbage_text")
    assert "no word" in outcome.reasons[0]
    assert not Sample.objects.exists()
    let_go(project, [event])
    assert Sample.objects.get().text == "?!?!?! ..."
    assert trained(project) == {"?!?!?! ..."}


def test_a_rule_that_is_switched_off_holds_nothing() -> None:
    project = make_project()
    use(project, "contrarian")
    robot, flipped = burst(project), flip(project)
    garbage = thumb(make_prediction(project, text="....."), subject=subject("g"))
    digest_all()
    assert states(robot) == {"counted"}
    assert state(garbage) == "counted"
    assert states(flipped) == {"quarantined"}


def test_a_pattern_that_completes_in_a_later_batch_holds_its_beginning_too() -> None:
    project = make_project()
    events = flip(project, n=39)
    digest_all()
    assert states(events) == {"counted"}
    more = flip(project, n=45)[39:]
    digest_all()
    assert states(events + more) == {"quarantined"}


def test_digesting_and_screening_again_changes_nothing() -> None:
    project = make_project()
    events = [*flip(project), *burst(project), *honest(project)]
    digest_all()
    rows = list(FeedbackOutcome.objects.order_by("pk").values())
    moves = QuarantineMove.objects.count()
    for event in events:
        land_again(event)
    digest_all()
    ScreeningDue.objects.create(project_id=project.pk, feedback_ids=ids(events))
    assert screen(now=LATER) == 0
    assert list(FeedbackOutcome.objects.order_by("pk").values()) == rows
    assert QuarantineMove.objects.count() == moves


def test_a_crash_while_screening_leaves_it_due(monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_project()
    events = flip(project)
    digest(now=LATER)

    def dies(**_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(quarantine, "reweigh", dies)
        with pytest.raises(SystemExit):
            screen(now=LATER)
    assert states(events) == {"counted"}
    assert screen(now=LATER) == 50
    assert states(events) == {"quarantined"}


def test_a_released_event_counts_again_and_is_not_caught_again() -> None:
    project = make_project()
    events = flip(project)
    digest_all()
    let_go(project, events)
    more = flip(project, n=51)[50:]
    digest_all()

    assert states(events) == {"counted"}
    assert states(more) == {"quarantined"}
    moves = QuarantineMove.objects.filter(feedback_id=events[0].pk)
    assert list(moves.values_list("from_state", "to_state", "actor", "rule", "reason", "at")) == [
        (
            "counted",
            "quarantined",
            "digest",
            "contrarian",
            "One subject contradicted 50 of 50 answers in one day; nobody else has voted that day.",
            LATER,
        ),
        ("quarantined", "counted", "ada", "contrarian", "A tester.", LATER),
    ]


def test_a_released_event_yields_to_a_later_voice_and_overrules_an_earlier_one() -> None:
    project = make_project()
    ann = subject("ann")
    one, two = make_prediction(project, text="one"), make_prediction(project, text="two")
    held = [
        thumb(each, "down", subject=ann, quarantine_reasons=["odd"], at=NOW + timedelta(minutes=5))
        for each in (one, two)
    ]
    early = thumb(one, "up", subject=ann, at=NOW + timedelta(minutes=1))
    late = thumb(two, "up", subject=ann, at=NOW + timedelta(minutes=9))
    digest_all()
    let_go(project, held)

    assert [state(each) for each in (early, held[0])] == ["superseded", "counted"]
    assert [state(each) for each in (late, held[1])] == ["counted", "superseded"]
    assert FeedbackOutcome.objects.get(pk=held[1].pk).superseded_by == late.pk
    current = Label.objects.filter(is_current=True).values_list("sample__text", "value")
    assert dict(current) == {"one": "negative", "two": "positive"}


def test_a_foreign_prediction_lends_its_text_to_nobody() -> None:
    project, other = make_project(), make_project()
    foreign = make_prediction(other, text="a secret of the other project")
    event = thumb(make_prediction(project), quarantine_reasons=["x"], is_landed=False)
    fields = {
        name: getattr(event, name) for name in ("project_id", "source_id", "rating", "received_at")
    }
    taken = Feedback.objects.create(
        **fields,
        id=uuid7(NOW),
        event_id="foreign",
        prediction_id=foreign.pk,
        quarantine_reasons=["foreign_prediction"],
    )
    land_again(taken)
    digest_all()
    let_go(project, [taken])
    assert state(taken) == "counted"
    assert not Sample.objects.exists()


def test_a_rejected_event_stays_out_and_a_mistake_is_mended() -> None:
    project = make_project()
    events = flip(project)
    digest_all()
    assert turn_away(project, events) == 50
    assert states(events) == {"rejected"}
    assert trained(project) == set()
    let_go(project, events[:1])
    assert state(events[0]) == "counted"


def test_decisions_are_all_or_nothing_and_of_one_project() -> None:
    project, other = make_project(), make_project()
    events = flip(project)
    digest_all()
    with pytest.raises(StaleTransition, match="50 events"):
        let_go(other, events)
    turn_away(project, events[:1])
    with pytest.raises(StaleTransition, match="1 event was decided"):
        turn_away(project, events)
    let_go(project, events[1:2])
    with pytest.raises(StaleTransition):
        let_go(project, events)
    assert states(events[2:]) == {"quarantined"}


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_decide_at_once_one_wins() -> None:
    project = make_project()
    events = flip(project)
    digest_all()
    start = threading.Barrier(2)

    def decide(deed: object) -> bool:
        start.wait()
        try:
            deed(project, events)  # type: ignore[operator]
        except StaleTransition:
            return False
        else:
            return True
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        won = list(pool.map(decide, [turn_away, turn_away]))
    assert sorted(won) == [False, True]
    assert states(events) == {"rejected"}
    assert QuarantineMove.objects.filter(to_state="rejected").count() == 50


def test_moves_cannot_be_changed() -> None:
    project = make_project()
    flip(project)
    digest_all()
    moves = QuarantineMove.objects.all()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        moves.update(actor="eve")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        moves.delete()


def test_a_source_that_leaves_its_habit_is_held() -> None:
    project = make_project()
    source = make_source(project)
    for minute in range(40):
        IntakeMinute.objects.create(
            project_id=project.pk,
            source_id=source.pk,
            minute=NOW - timedelta(minutes=60 - minute),
            accepted=3,
        )
    rule = {**DEFAULT_BOOK.rules, "source_burst": NAMES["source_burst"](per_minute=70)}  # type: ignore[call-arg]
    save_rules(project=project, book=RuleBook(rule, frozenset(NAMES)), actor="ada", now=NOW)
    events = land_many(project, source.pk, 80)
    land_many(project, make_source(project).pk, 80)
    digest_all()
    held = FeedbackOutcome.objects.filter(state="quarantined", rule="source_burst")
    assert {str(pk) for pk in held.values_list("pk", flat=True)} == set(events)


def land_many(project: Project, source_id: int, n: int) -> list[str]:
    bodies = [
        feedback_body(make_prediction(project, text=f"text {i}").pk, subject=f"s{i}")
        for i in range(n)
    ]
    events = msgspec.convert(bodies, list[FeedbackRequest])
    results = land_feedback(project=project, source_id=source_id, events=events, now=NOW)
    return [str(each.feedback_id) for each in results]


def test_screening_takes_as_many_queries_for_many_events_as_for_few() -> None:
    def run(n: int) -> int:
        project = make_project()
        honest(project, subjects=n, each=2)
        digest(now=LATER)
        with CaptureQueriesContext(connection) as captured:
            screen(now=LATER)
        return len(captured.captured_queries)

    assert run(3) == run(60) <= 12


def test_nothing_due_costs_one_query() -> None:
    with CaptureQueriesContext(connection) as captured:
        screen(now=LATER)
    assert len([q for q in captured.captured_queries if "SAVEPOINT" not in q["sql"]]) == 1
