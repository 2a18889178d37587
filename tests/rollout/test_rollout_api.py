"""Rollouts over HTTP: the contract, the scope, and what a stale or refused step answers."""

import json
from typing import Any

import pytest
from django.test import Client

from curation.intake import authentication, facts, throttling
from feedbackhub.core.keys import Scope
from feedbackhub.core.roles import Role
from rollout import queries
from rollout.models import Rollout
from tests.factories import NOW, api_client, make_key, make_member, make_project, make_source
from tests.rollout.scenes import Scene, make_blessed, make_scene, measure
from training.models import ModelVersion

pytestmark = pytest.mark.django_db
Status = Rollout.Status
STEPS = ["start", "advance", "pause", "resume", "promote", "rollback"]


@pytest.fixture(autouse=True)
def fresh() -> None:
    for module in (authentication, facts, throttling):
        module.forget()


def manager(scene: Scene) -> Client:
    source = make_source(scene.project, name="deploy bot")
    return api_client(make_key(scene.project, Scope.MANAGE, source=source))


def url(scene: Scene, rest: str = "") -> str:
    return f"/api/v1/projects/{scene.project.slug}/rollouts/{scene.rollout.pk}{rest}"


def post(client: Client, scene: Scene, step: str, expected: str = "ab_test", **body: Any) -> Any:
    wish = {"expected_state": expected, "reason": "Looks better.", **body}
    return client.post(url(scene, f"/{step}"), json.dumps(wish), "application/json")


def live(scene: Scene) -> list[str]:
    return [
        version.name
        for version in ModelVersion.objects.filter(
            project=scene.project, status=ModelVersion.Status.LIVE
        )
    ]


def test_a_rollout_answers_with_its_evidence_and_the_steps_it_may_take() -> None:
    scene = make_scene()
    measure(scene, now=NOW)
    answer = manager(scene).get(url(scene)).json()
    assert answer["state"] == "ab_test"
    assert (answer["champion"], answer["candidate"]) == ("v1", "v2")
    assert answer["decision"]["awaits"] == "approval"
    assert [arm["arm"] for arm in answer["arms"]] == ["control", "treatment"]
    assert answer["comparison"]["verdict"] == "not worse"
    assert [(step["step"], step["allowed"]) for step in answer["steps"]] == [
        ("promote", True),
        ("rollback", True),
        ("pause", True),
    ]


def test_a_rollout_without_evidence_answers_too() -> None:
    scene = make_scene(status=Status.WAITING)
    answer = manager(scene).get(url(scene)).json()
    assert (answer["measured_at"], answer["arms"], answer["comparison"]) == (None, [], {})
    assert answer["steps"][0] == {
        "step": "promote",
        "label": "Promote v2",
        "consequence": answer["steps"][0]["consequence"],
        "allowed": False,
        "refusal": "v2 has served no traffic yet; start its A/B test first.",
    }


def test_rollouts_are_listed_latest_first_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rollout.api.A_PAGE", 2)
    scene = make_scene(status=Status.CANCELLED)
    for _ in range(2):
        Rollout.objects.create(
            project=scene.project,
            candidate=make_blessed(scene.project, against=scene.champion),
            champion=scene.champion,
            status=Status.CANCELLED,
            salt="",
            treatment_share=0.5,
            created_at=NOW,
        )
    make_scene()  # Another project's.
    client, path = manager(scene), f"/api/v1/projects/{scene.project.slug}/rollouts"
    first = client.get(path).json()
    assert [each["candidate"] for each in first["results"]] == ["v4", "v3"]
    rest = client.get(path, {"before": first["next_before"]}).json()
    assert [each["candidate"] for each in rest["results"]] == ["v2"]
    assert rest["next_before"] is None
    assert client.get(path, {"before": "x"}).status_code == 400


@pytest.mark.parametrize(
    ("step", "before", "after"),
    [
        ("start", "waiting", "ab_test"),
        ("advance", "waiting", "ab_test"),
        ("advance", "ab_test", "promoted"),
        ("advance", "paused", "ab_test"),
        ("pause", "ab_test", "paused"),
        ("resume", "paused", "ab_test"),
        ("promote", "ab_test", "promoted"),
        ("rollback", "ab_test", "rolled_back"),
    ],
)
def test_a_step_answers_with_the_rollout_after_it(step: str, before: str, after: str) -> None:
    scene = make_scene(status=before)
    response = post(manager(scene), scene, step, expected=before)
    assert response.status_code == 200
    assert response.json()["state"] == after
    change = queries.event_log(rollout=scene.rollout)[0]
    assert (change.actor, change.reason) == ("source:deploy bot", "Looks better.")


def test_promote_and_roll_back_change_what_is_live() -> None:
    scene = make_scene()
    client = manager(scene)
    assert post(client, scene, "promote").status_code == 200
    assert live(scene) == ["v2"]
    assert post(client, scene, "rollback", expected="promoted").status_code == 200
    assert live(scene) == ["v1"]


def test_advancing_the_first_version_promotes_it() -> None:
    scene = make_scene(status=Status.WAITING, first=True)
    assert post(manager(scene), scene, "advance", expected="waiting").json()["state"] == "promoted"
    assert live(scene) == ["v1"]


@pytest.mark.parametrize("step", STEPS)
def test_a_stale_step_is_409_and_changes_nothing(step: str) -> None:
    scene = make_scene(status=Status.PAUSED)
    response = post(manager(scene), scene, step, expected="ab_test")
    assert response.status_code == 409
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["detail"].startswith("The rollout has moved on: it is paused by now")
    assert Rollout.objects.get(pk=scene.rollout.pk).status == Status.PAUSED


@pytest.mark.parametrize(
    ("step", "state", "why"),
    [
        ("promote", "waiting", "start its A/B test first"),
        ("rollback", "waiting", "not possible while the rollout is waiting"),
        ("resume", "ab_test", "not possible while the rollout is in its A/B test"),
        ("pause", "promoted", "not possible while the rollout is promoted"),
        ("advance", "rolled_back", "There is no next step."),
    ],
)
def test_a_refused_step_is_409_with_the_reason(step: str, state: str, why: str) -> None:
    scene = make_scene(status=state)
    response = post(manager(scene), scene, step, expected=state)
    assert response.status_code == 409
    assert why in response.json()["detail"]
    assert Rollout.objects.get(pk=scene.rollout.pk).status == state


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"expected_state": "abtest"}, "expected_state"),
        ({"reason": ""}, "reason"),
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 1001}, "reason"),
        ({"force": True}, "force"),
    ],
)
def test_a_body_that_does_not_fit_is_400_by_field(body: dict[str, Any], field: str) -> None:
    scene = make_scene()
    response = post(manager(scene), scene, "promote", **body)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert live(scene) == ["v1"]


def test_other_scopes_projects_and_sessions_are_turned_away() -> None:
    scene, other = make_scene(), make_scene()
    key = make_key(scene.project, Scope.PREDICT, Scope.FEEDBACK, Scope.REVIEW, Scope.IMPORT)
    session = Client()
    session.force_login(make_member(scene.project, Role.ADMIN))
    for client, status in ((api_client(key), 403), (api_client(None), 401), (session, 401)):
        assert client.get(url(scene)).status_code == status
        for step in STEPS:
            assert post(client, scene, step).status_code == status
    assert manager(other).get(url(scene)).status_code == 403
    assert live(scene) == ["v1"]


def test_a_rollout_of_another_project_is_not_there() -> None:
    scene, other = make_scene(), make_scene()
    client = manager(scene)
    path = f"/api/v1/projects/{scene.project.slug}/rollouts/{other.rollout.pk}"
    assert client.get(path).status_code == 404
    wish = json.dumps({"expected_state": "ab_test", "reason": "Why not."})
    assert client.post(f"{path}/promote", wish, "application/json").status_code == 404
    assert live(other) == ["v1"]


def test_the_document_names_every_step(client: Client) -> None:
    paths = client.get("/api/schema/?format=json").json()["paths"]
    base = "/api/v1/projects/{project}/rollouts"
    assert "get" in paths[base]
    assert "get" in paths[base + "/{id}"]
    for step in STEPS:
        operation = paths[base + "/{id}/" + step]["post"]
        assert operation["operationId"] == f"post_rollout_{step}"
        assert {"200", "400", "401", "403", "404", "409"} <= set(operation["responses"])


@pytest.mark.parametrize("model", ["rolloutpolicy", "rollout", "rolloutevidence"])
def test_leads_see_their_projects_in_the_admin(client: Client, model: str) -> None:
    scene, other = make_scene(slug="mine"), make_scene(slug="theirs")
    for each in (scene, other):
        measure(each, now=NOW)
    client.force_login(scene.lead)
    response = client.get(f"/admin/rollout/{model}/")
    assert response.status_code == 200
    assert response.context["cl"].result_count == 1
    client.force_login(make_member(make_project(), Role.ANNOTATOR))
    assert client.get(f"/admin/rollout/{model}/").status_code == 403


def test_a_lead_edits_the_policy_but_neither_rollouts_nor_evidence(client: Client) -> None:
    scene = make_scene()
    measure(scene, now=NOW)
    client.force_login(scene.lead)
    policy = scene.project.rollout_policy
    form = {
        "treatment_share": "0.2",
        "min_hours": "6",
        "min_audit_labels": "150",
        "guardrail_alpha": "0.05",
        "holdback_share": "0",
    }
    saved = client.post(f"/admin/rollout/rolloutpolicy/{policy.pk}/change/", form)
    assert saved.status_code == 302
    policy.refresh_from_db()
    assert (policy.treatment_share, policy.min_hours) == (0.2, 6.0)
    for model, pk in (
        ("rollout", scene.rollout.pk),
        ("rolloutevidence", scene.rollout.evidence.get().pk),
    ):
        path = f"/admin/rollout/{model}/{pk}/change/"
        assert client.get(path).status_code == 200
        assert client.post(path, {"status": "promoted"}).status_code == 403
        assert client.get(f"/admin/rollout/{model}/add/").status_code == 403
