"""The rollout pages: sentences, roles, confirmation, and what a person does by clicking."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from feedbackhub.core.clock import utcnow
from feedbackhub.core.roles import Role
from rollout import pages, queries, services, steps
from rollout.models import Rollout, RolloutEvidence, RolloutPolicy
from rollout.steps import Step
from tests.factories import NOW, make_member, make_project, make_user
from tests.rollout.scenes import (
    Scene,
    address,
    end_another,
    fresh,
    make_scene,
    measure,
    names_of_live,
)
from training.registry import artifact_file

Status = Rollout.Status
BARRED = [Role.ANNOTATOR, Role.SENIOR]
LEADING = [Role.LEAD, Role.ADMIN]


def read(client: Client, path: str) -> str:
    """The words of a page, without its tags."""
    html = client.get(path).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def post(client: Client, scene: Scene, step: str, **form: str) -> Any:
    return client.post(
        address(scene, step), {"expected_state": "ab_test", "reason": "Looks better.", **form}
    )


@pytest.mark.django_db
def test_strangers_find_no_such_page(client: Client) -> None:
    scene = make_scene()
    assert client.get(address(scene)).status_code == 302
    client.force_login(make_user())
    for path in (address(scene), address(scene, "live"), f"/rollouts/{scene.project.slug}/"):
        assert client.get(path).status_code == 404
    other = make_member(make_project(), Role.LEAD)
    client.force_login(other)
    assert post(client, scene, "promote").status_code == 404


@pytest.mark.django_db
def test_a_rollout_is_found_only_below_its_own_project(client: Client) -> None:
    scene, other = make_scene(), make_scene()
    client.force_login(scene.lead)
    assert client.get(f"/rollouts/{scene.project.slug}/{other.rollout.pk}/").status_code == 404
    assert client.get(address(scene, "nonsense")).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "share", "said"),
    [
        (Status.AB_TEST, 0.5, "v2 answers half of the subjects, v1 the rest."),
        (Status.AB_TEST, 0.1, "v2 answers 10 % of subjects, v1 the rest."),
        (Status.PAUSED, 0.5, "v1 answers everyone while the test of v2 is paused."),
        (Status.WAITING, 0.5, "v1 answers everyone."),
    ],
)
def test_the_list_says_who_answers_whom(
    client: Client, status: str, share: float, said: str
) -> None:
    scene = make_scene(status=status)
    Rollout.objects.update(treatment_share=share)
    client.force_login(scene.lead)
    assert said in read(client, f"/rollouts/{scene.project.slug}/")


@pytest.mark.django_db
def test_the_list_names_subjects_who_stay_on_day_zero(client: Client) -> None:
    scene = make_scene(status=Status.CANCELLED)
    RolloutPolicy.objects.filter(project=scene.project).update(
        holdback_share=0.05, day0_version=scene.champion
    )
    client.force_login(scene.lead)
    said = "v1 answers everyone; 5 % of subjects stay on v1 to show what the loop pays."
    assert said in read(client, f"/rollouts/{scene.project.slug}/")


@pytest.mark.django_db
def test_an_empty_list_says_what_to_do_first(client: Client) -> None:
    project = make_project()
    client.force_login(make_member(project, Role.LEAD))
    words = read(client, f"/rollouts/{project.slug}/")
    assert "Nothing serves yet." in words
    assert "Train a version first." in words


@pytest.mark.django_db
def test_the_list_tells_who_was_champion_when_and_why(client: Client) -> None:
    scene = make_scene()
    for step, expected in ((Step.PROMOTE, "ab_test"), (Step.ROLL_BACK, "promoted")):
        steps.take(
            step,
            rollout=fresh(scene),
            expected=expected,
            actor="bob",
            reason=f"Because of {step}.",
            now=utcnow(),
        )
    client.force_login(scene.lead)
    words = read(client, f"/rollouts/{scene.project.slug}/")
    told = [
        words.index(part)
        for part in (
            "v1 put back by bob live Because of rollback.",
            "v2 promoted by bob Because of promote.",
            "v1 promoted by ada It was the first.",
        )
    ]
    assert told == sorted(told)
    assert re.search(r"v1 → v2 rolled back .{15,40} bob Because of rollback", words)


@pytest.mark.django_db
def test_the_first_version_waits_beside_a_button_that_explains_itself(client: Client) -> None:
    scene = make_scene(status=Status.WAITING, first=True)
    client.force_login(scene.lead)
    words = read(client, f"/rollouts/{scene.project.slug}/")
    assert "Nothing is compared, because nothing serves yet" in words
    assert "Promote v1" in words
    response = post(client, scene, "promote", expected_state="waiting")
    assert response.status_code == 302
    assert names_of_live(scene.project) == ["v1"]
    assert "v1 is champion and answers every subject." in read(client, response["Location"])


@pytest.mark.django_db
def test_the_page_opens_with_the_finding_and_what_is_awaited(client: Client) -> None:
    scene = make_scene()
    measure(scene, now=utcnow(), labels=800, gain=0.07)
    client.force_login(scene.lead)
    words = read(client, address(scene))
    assert re.search(r"v2 is better by 7\.0 points \([\d.]+ to [\d.]+\)\.", words)
    assert "Awaits an ML lead&#x27;s approval" in words
    assert "Thumbs up (self-selected)" in words
    assert "Self-selected: only those who cared to vote" in words
    assert re.search(r"89\.0 % 86\.6 to 91\.0 n 800 labels", words)
    assert "The margin is" not in words
    assert "v2 passed every gate." in words


@pytest.mark.django_db
def test_missing_evidence_reads_not_enough_data(client: Client) -> None:
    scene = make_scene()
    measure(scene, now=utcnow(), labels=4)
    client.force_login(scene.lead)
    words = read(client, address(scene))
    assert "Not enough data to compare the arms" in words
    assert "not enough data about 6 more labels" in words
    assert "no data" in words
    assert "100.0 %" not in words


@pytest.mark.django_db
def test_a_page_without_a_look_yet_says_so(client: Client) -> None:
    scene = make_scene()
    Rollout.objects.update(created_at=utcnow())
    client.force_login(scene.lead)
    words = read(client, address(scene))
    assert "The arms have not been measured yet." in words
    assert "Nobody has looked at it yet" in words
    assert "Nobody has looked for" not in words


@pytest.mark.django_db
def test_old_numbers_say_how_old_they_are(client: Client) -> None:
    scene = make_scene()
    measure(scene, now=utcnow() - timedelta(minutes=20))
    client.force_login(scene.lead)
    words = read(client, address(scene))
    assert "These numbers are 20 minutes old." in words
    assert "Nobody has looked for 20 minutes." in words


@pytest.mark.django_db
def test_harm_and_a_broken_split_are_said_aloud(client: Client) -> None:
    scene = make_scene()
    measure(scene, now=utcnow(), harm=True)
    evidence = RolloutEvidence.objects.get()
    evidence.comparison["sample_ratio"] = {"mismatched": True, "sentence": "Split 60 / 40."}
    evidence.save()
    client.force_login(scene.lead)
    words = read(client, address(scene))
    assert "harm Crossed: thumbs-down rate." in words
    assert "mismatch Split 60 / 40." in words


@pytest.mark.django_db
@pytest.mark.parametrize("role", BARRED)
def test_others_than_leads_look_and_are_told_why_they_cannot_act(
    client: Client, role: Role
) -> None:
    scene = make_scene()
    client.force_login(make_member(scene.project, role))
    html = client.get(address(scene)).content.decode()
    assert html.count('aria-disabled="true"') == 3
    assert "an ML lead or an admin of this project may do this" in html
    assert "<form method" not in html.split("<main")[1]
    for step in Step:
        assert client.get(address(scene, step)).status_code == 403
        assert post(client, scene, step).status_code == 403
    assert fresh(scene).status == Status.AB_TEST
    assert names_of_live(scene.project) == ["v1"]


@pytest.mark.django_db
@pytest.mark.parametrize("role", LEADING)
def test_leads_and_admins_promote(client: Client, role: Role) -> None:
    scene = make_scene()
    client.force_login(make_member(scene.project, role, username=f"the-{role}"))
    assert post(client, scene, "promote").status_code == 302
    assert names_of_live(scene.project) == ["v2"]
    assert queries.event_log(rollout=scene.rollout)[0].actor == f"the-{role}"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["", "promote"])
def test_whoever_promotes_is_told_that_nothing_is_shown_yet(client: Client, path: str) -> None:
    scene = make_scene()
    client.force_login(scene.lead)
    warning = "Not shown to be better, or not worse."

    def form() -> str:
        html = client.get(address(scene, path)).content.decode()
        start = html.index(f'action="{address(scene, "promote")}"')
        return html[start - 900 : html.index("<textarea", start)]

    assert f"{warning} The arms have not been measured yet." in form()
    measure(scene, now=NOW, labels=150, gain=0.01)
    assert f"{warning} Undecided: v2 is ahead by" in form()
    measure(scene, now=NOW + timedelta(minutes=1), labels=800)
    assert warning not in form()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "labels"),
    [
        (Status.WAITING, ["Promote v2", "Start the A/B test of v2"]),
        (Status.AB_TEST, ["Promote v2", "Roll back to v1", "Pause the test of v2"]),
        (Status.PAUSED, ["Promote v2", "Roll back to v1", "Resume the test of v2"]),
        (Status.PROMOTED, ["Roll back to v1"]),
        (Status.ROLLED_BACK, []),
    ],
)
def test_the_buttons_name_the_exact_models(status: str, labels: list[str]) -> None:
    scene = make_scene(status=status)
    standing = queries.standing(project=scene.project)
    offered = steps.offers(rollout=fresh(scene), standing=standing)
    assert [offer.label for offer in offered] == labels


@pytest.mark.django_db
def test_a_disabled_button_says_why(client: Client) -> None:
    scene = make_scene(status=Status.WAITING)
    client.force_login(scene.lead)
    html = client.get(address(scene)).content.decode()
    assert "v2 has served no traffic yet; start its A/B test first." in html
    assert html.count('aria-disabled="true"') == 1
    assert "v2 has served no traffic yet" in read(client, address(scene, "promote"))


@pytest.mark.django_db
def test_a_step_without_a_reason_is_not_taken(client: Client) -> None:
    scene = make_scene()
    client.force_login(scene.lead)
    response = post(client, scene, "promote", reason="   ")
    assert response.status_code == 422
    assert "This field is required." in response.content.decode()
    assert fresh(scene).status == Status.AB_TEST


@pytest.mark.django_db
def test_a_stale_page_changes_nothing_says_who_moved_it_and_keeps_the_reason(
    client: Client,
) -> None:
    scene = make_scene()
    services.pause(
        rollout=scene.rollout, expected="ab_test", actor="bob", reason="Odd.", now=utcnow()
    )
    client.force_login(scene.lead)
    response = post(client, scene, "promote")
    assert response.status_code == 409
    html = response.content.decode()
    assert "The rollout has moved on: it is paused by now (bob: “Odd.”). Look again." in html
    assert "Looks better." in html
    assert names_of_live(scene.project) == ["v1"]


@pytest.mark.django_db
def test_a_refused_step_says_what_to_do_and_keeps_the_reason(client: Client) -> None:
    scene = make_scene()
    artifact_file(scene.candidate).unlink()
    client.force_login(scene.lead)
    response = post(client, scene, "promote")
    assert response.status_code == 409
    html = response.content.decode()
    assert "The model file cannot be served" in html
    assert "Looks better.</textarea>" in html


@pytest.mark.django_db
def test_only_the_page_with_charts_allows_inline_styles(client: Client) -> None:
    scene = make_scene()
    client.force_login(scene.lead)
    for path, relaxed in ((address(scene), True), (address(scene, "promote"), False)):
        policy = client.get(path)["Content-Security-Policy"]
        assert ("style-src 'self' 'unsafe-inline'" in policy) is relaxed
        assert "unsafe" not in policy.split("script-src")[1].split(";")[0]


@pytest.mark.django_db
def test_the_live_part_has_the_page_and_the_figures_in_the_asked_theme(client: Client) -> None:
    scene = make_scene()
    measure(scene, now=utcnow())
    client.force_login(scene.lead)
    html = client.get(address(scene)).content.decode()
    fonts = set()
    for theme in ("light", "dark"):
        answer = client.get(address(scene, "live"), {"theme": theme}).json()
        assert f'data-signature="{answer["signature"]}"' in html
        assert f"<p>{answer['parts']['headline']}"[3:].strip() in html
        fonts.add(answer["figures"]["effect"]["layout"]["font"]["color"])
        assert answer["is_over"] is False
    assert len(fonts) == 2
    services.pause(
        rollout=scene.rollout, expected="ab_test", actor="bob", reason="Odd.", now=utcnow()
    )
    assert client.get(address(scene, "live")).json()["signature"] not in html


@pytest.mark.django_db
def test_pages_cost_the_same_however_much_they_show(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    scene = make_scene()
    client.force_login(scene.lead)
    for age in range(3):
        measure(scene, now=utcnow() - timedelta(minutes=age))
    for _ in range(4):
        end_another(scene)
    with django_assert_num_queries(14):
        client.get(address(scene))
    with django_assert_num_queries(11):
        client.get(f"/rollouts/{scene.project.slug}/")


@pytest.mark.django_db
def test_each_question_takes_few_queries(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    scene = make_scene()
    measure(scene, now=NOW)
    with django_assert_num_queries(3):
        standing = queries.standing(project=scene.project)
        assert (standing.champion, standing.active) == (scene.champion, scene.rollout)
    with django_assert_num_queries(1):
        assert [reign.name for reign in queries.champions(project=scene.project)] == ["v1"]
    with django_assert_num_queries(2):
        evaluation = queries.latest_evaluation(version=scene.candidate)
        assert evaluation is not None
        gates = [result.gate for result in evaluation.gate_results.all()]
        assert gates == ["artifact", "floor", "non_inferior"]
        assert evaluation.champion == scene.champion
    with django_assert_num_queries(1):
        assert len(queries.effect_points(rollout=scene.rollout)) == 1
    with django_assert_num_queries(1):
        assert [change.to_status for change in queries.event_log(rollout=scene.rollout)] == [
            "ab_test",
            "waiting",
        ]
    with django_assert_num_queries(1):
        assert [each.project.slug for each in queries.rollouts(project=scene.project)]
    with django_assert_num_queries(1):
        assert list(queries.ended(project=scene.project)) == []


@pytest.mark.django_db
def test_a_long_history_is_thinned_but_keeps_its_ends() -> None:
    scene = make_scene()
    comparison = {"audit_difference": {"value": 0.01, "low": -0.01, "high": 0.03, "n": 400}}
    at = [NOW + timedelta(minutes=i) for i in range(1001)]
    RolloutEvidence.objects.bulk_create(
        RolloutEvidence(rollout=scene.rollout, computed_at=each, arms=[], comparison=comparison)
        for each in at
    )
    points = [point.at for point in queries.effect_points(rollout=scene.rollout, most=100)]
    assert (points[0], points[-1]) == (at[0], at[-1])
    assert points == sorted(points)
    assert 90 <= len(points) <= 102


@pytest.mark.django_db
def test_a_decision_that_repeats_the_headline_is_not_said_twice() -> None:
    scene = make_scene()
    measure(scene, now=NOW, labels=800)
    evidence = queries.latest_evidence(rollout=scene.rollout)
    headline = pages.headline(fresh(scene), evidence)
    awaited = pages.next_decision(fresh(scene), now=NOW, told=headline)
    assert awaited is not None
    assert awaited.reasons == ("Ready: awaiting an ML lead's approval.",)
    assert isinstance(awaited.look_at, datetime)
