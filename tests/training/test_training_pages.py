"""The training pages and endpoints: who may see and do what, and that the words are there."""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect

from curation import labels
from curation.labels import Belief
from curation.models import Annotation, Label, Project, ReviewItem, Sample
from curation.models.review import Queue
from feedbackhub.core.clock import utcnow
from feedbackhub.core.ids import uuid7
from feedbackhub.core.keys import Scope
from feedbackhub.core.models import User
from feedbackhub.core.roles import Role
from feedbackhub.core.transitions import history
from tests import factories
from tests.factories import NOW, api_client, make_key, make_member
from tests.training.scenes import label_reviews, trainable_project
from training import queries, registry, runs, services
from training.active_learning import STRATEGIES
from training.models import ModelVersion, TrainingPolicy, TrainingRun

pytestmark = pytest.mark.django_db


def clock() -> datetime:
    return NOW


def trained(project: Project, *, now: Callable[[], datetime] = clock) -> ModelVersion:
    run = services.request_run(
        project=project, trigger="labels", reason="100 new labels.", actor="training", now=now()
    )
    services.execute(run_id=run.pk, clock=now)
    return ModelVersion.objects.get(run=run)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def words(response: object) -> str:
    """What a person reads on a page."""
    html = response.content.decode()  # type: ignore[attr-defined]
    text = re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", " ", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(text))


def training_url(project: Project, name: str = "training", **more: int) -> str:
    return reverse(name, kwargs={"project": project.slug, **more})


def teach(project: Project, *, user: User) -> tuple[object, Annotation]:
    """One training label that rests on a thumb, and one that rests on an annotation."""
    feedback_id = uuid7(NOW)
    first, second = Sample.objects.filter(project=project, cluster__split="train")[:2]
    item = ReviewItem.objects.create(
        project=project, sample=second, queue=Queue.DISPUTED, status="done", created_at=NOW
    )
    annotation = Annotation.objects.create(
        item=item,
        sample=second,
        user=user,
        kind="label",
        value="positive",
        submission_key=uuid7(NOW),
        submitted_at=NOW,
    )
    Label.objects.filter(sample__in=[first, second]).delete()
    labels.believe(
        beliefs=[
            Belief(first.pk, "negative", "feedback", 0.7, ["one thumb"], [feedback_id]),
            Belief(second.pk, "positive", "annotation", 0.95, ["one answer"], (), [annotation.pk]),
        ],
        now=NOW,
    )
    return feedback_id, annotation


# What it shows.


def test_an_empty_project_says_what_to_do_first() -> None:
    project = factories.make_project()
    page = words(signed_in(make_member(project)).get(training_url(project)))
    assert "0 of 100 labels; the first training starts by itself at 100." in page
    assert "Nothing has been trained yet" in page


def test_the_page_lists_runs_and_versions_with_their_words() -> None:
    project = trainable_project(n_train=60, n_test=60)
    trained(project)
    failing = services.request_run(
        project=project, trigger="button", reason="Curious.", actor="lead", now=NOW
    )
    services.execute(run_id=failing.pk, clock=clock)
    page = words(signed_in(make_member(project)).get(training_url(project)))
    assert "v1 insufficient evidence" in page
    assert "60 test labels are fewer than the 100 asked for. About 40 more" in page
    assert page.count("test labels are fewer") == 1
    assert "v1 is judged again when 25 further test labels have come" in page
    assert "60 to learn, 60 to test" in page
    assert "nothing new" in page
    assert "Nothing new to learn: v1 was trained on the same labels" in page
    assert "0 of 100 new labels" in page


def test_the_page_says_what_an_active_run_does() -> None:
    project = factories.make_project()
    run = services.request_run(
        project=project, trigger="button", reason="Curious.", actor="lead", now=utcnow()
    )
    client = signed_in(make_member(project, Role.LEAD))
    assert f"Run {run.pk} has waited" in words(client.get(training_url(project)))
    held = runs.claim(run_id=run.pk, now=utcnow())
    assert held is not None
    held.touch(step="training")
    page = words(client.get(training_url(project)))
    assert f"Run {run.pk} is at work: training. Curious." in page
    assert f"Cancel run {run.pk}" in page


def test_the_version_page_shows_evidence_and_who_taught_it() -> None:
    project = trainable_project()
    _, annotation = teach(project, user=make_member(project, username="anna"))
    champion = trained(project)
    registry.crown(
        version=champion, expected_champion=None, actor="lena", reason="The first.", now=NOW
    )
    label_reviews(project, 40, seed=77)
    candidate = trained(project, now=lambda: NOW + timedelta(minutes=5))
    assert candidate.run.snapshot is not None
    client = signed_in(make_member(project, Role.LEAD))
    page = words(client.get(training_url(project, "training-version", number=2)))
    assert candidate.run.snapshot.digest[:12] in page
    assert (
        "160 labels: 80 negative, 80 positive (158 imported, 1 from thumbs, 1 from annotators)"
        in page
    )
    assert "1 thumb and 1 annotation stand behind its labels" in page
    assert "anna" in page
    assert "Judged against v1 on the same labels" in page
    assert "v2: truth ↓ answer →" in page
    assert "v1: truth ↓ answer →" in page
    assert "Accuracy against v1" in page
    assert "one-sided 95 % at each look; judged once" in page
    assert "120 imported" in page
    first = words(client.get(training_url(project, "training-version", number=1)))
    assert "live by lena The first." in first
    assert annotation.pk in queries.lineage(candidate).annotation_ids


def test_who_taught_it_leaves_out_what_an_annotator_may_yet_be_asked() -> None:
    project = trainable_project()
    teach(project, user=make_member(project, username="anna"))
    trained(project)
    taught = Label.objects.get(is_current=True, origin="feedback").sample
    ReviewItem.objects.create(project=project, sample=taught, queue="audit", created_at=NOW)

    def page(role: Role) -> str:
        client = signed_in(make_member(project, role))
        return words(client.get(training_url(project, "training-version", number=1)))

    assert taught.text is not None
    assert taught.text not in page(Role.ANNOTATOR)
    assert taught.text in page(Role.LEAD)


def test_lineage_leads_from_a_thumb_to_the_versions_it_taught_and_back() -> None:
    project = trainable_project(n_train=40, n_test=10)
    feedback_id, annotation = teach(project, user=make_member(project))
    version = trained(project)
    found = queries.lineage(version)
    assert (found.feedback_ids, found.annotation_ids) == ([feedback_id], [annotation.pk])
    assert queries.versions_taught_by(feedback_id=feedback_id) == [version]  # type: ignore[arg-type]
    assert queries.versions_taught_by(feedback_id=uuid7(NOW)) == []


def test_the_list_page_asks_few_questions(
    django_assert_max_num_queries: Callable[..., object],
) -> None:
    project = factories.make_project()
    for _ in range(12):
        factories.make_version(project, status="rejected")
    client = signed_in(make_member(project))
    with django_assert_max_num_queries(18):  # type: ignore[attr-defined]
        client.get(training_url(project))


# Who may do what.


def test_pages_are_for_members_who_are_signed_in() -> None:
    project = factories.make_project()
    factories.make_version(project)
    stranger = signed_in(make_member(factories.make_project()))
    for url in (training_url(project), training_url(project, "training-version", number=1)):
        assert stranger.get(url).status_code == 404
        assert Client().get(url).status_code == 302


def test_an_annotator_may_look_but_not_train() -> None:
    project = factories.make_project()
    client = signed_in(make_member(project, Role.ANNOTATOR))
    assert "an ML lead or an admin of this project may do this" in words(
        client.get(training_url(project))
    )
    run = services.request_run(project=project, trigger="button", reason="", actor="lead", now=NOW)
    for url in (
        training_url(project, "training-retrain"),
        training_url(project, "training-cancel", pk=run.pk),
    ):
        assert client.post(url, {"reason": "Because."}).status_code == 403
    run.refresh_from_db()
    assert run.status == TrainingRun.Status.QUEUED


def test_a_lead_retrains_and_cancels_with_a_reason() -> None:
    project = factories.make_project()
    lead = make_member(project, Role.LEAD)
    client = signed_in(lead)
    retrain = training_url(project, "training-retrain")
    assert "What serves does not change." in words(client.get(retrain))
    assert client.post(retrain, {"reason": " "}).status_code == 422
    assert not TrainingRun.objects.exists()
    client.post(retrain, {"reason": "New menu."})
    run = TrainingRun.objects.get()
    assert (run.trigger, run.reason, run.requested_by) == ("button", "New menu.", lead)
    assert "already has a run" in words(client.post(retrain, {"reason": "Again."}, follow=True))
    cancel = training_url(project, "training-cancel", pk=run.pk)
    client.post(cancel, {"reason": "Wrong menu."})
    run.refresh_from_db()
    assert run.status == TrainingRun.Status.CANCELLED
    late = words(client.post(cancel, {"reason": "Once more."}, follow=True))
    assert f"Run {run.pk} is cancelled by now; nothing was changed." in late


def test_a_lead_changes_the_policy_in_the_admin_within_its_limits() -> None:
    project = factories.make_project()
    client = signed_in(make_member(project, Role.LEAD))
    policy = project.training_policy
    url = reverse("admin:training_trainingpolicy_change", args=[policy.pk])
    form = {
        "is_enabled": "on",
        "min_new_labels": "50",
        "max_age_hours": "24",
        "estimator": "tfidf_logreg",
        "parameters": '{"C": 3.0}',
        "seed": "7",
        "delta": "0.02",
        "min_test_labels": "300",
        "macro_f1_floor": "0.6",
        "recall_floor": "0.5",
        "share_committee": "3",
        "share_uniform": "1",
    }
    shown = client.get(url).content.decode()
    assert all(f'name="share_{name}"' in shown for name in (*STRATEGIES, "uniform"))
    assert "drawn at random" in words(client.post(url, form | {"share_uniform": "0"}))
    assert "tfidf_logreg" in words(client.post(url, form | {"parameters": '{"C": -3}'}))
    assert "Select a valid choice" in words(client.post(url, form | {"estimator": "oracle"}))
    assert TrainingPolicy.objects.get().parameters == {}
    assert client.post(url, form).status_code == 302
    policy.refresh_from_db()
    assert (policy.min_new_labels, policy.parameters) == (50, {"C": 3.0})
    assert policy.sampling == {"committee": 3, "uniform": 1}
    for model in ("trainingrun", "modelversion", "snapshot", "evaluation"):
        assert client.get(reverse(f"admin:training_{model}_changelist")).status_code == 200
        assert client.get(reverse(f"admin:training_{model}_add")).status_code == 403


# Over HTTP.


def test_runs_are_started_and_followed_over_the_api() -> None:
    project = trainable_project(n_train=40, n_test=10)
    source = factories.make_source(project, name="lead")
    client = api_client(make_key(project, Scope.MANAGE, source=source))
    base = f"/api/v1/projects/{project.slug}"
    posted = client.post(
        f"{base}/training-runs", {"reason": "Imported."}, content_type="application/json"
    )
    assert posted.status_code == 201
    run = posted.json()
    # A source may be called like a person, and is never taken for one.
    queued = history(TrainingRun.objects.get(pk=run["id"])).get()
    assert queued.actor == "source:lead"
    assert (run["status"], run["trigger"], run["version"]) == ("queued", "button", None)
    again = client.post(
        f"{base}/training-runs", {"reason": "Imported."}, content_type="application/json"
    )
    assert again.status_code == 409
    services.execute(run_id=run["id"], clock=clock)
    followed = client.get(f"{base}/training-runs/{run['id']}").json()
    assert (followed["status"], followed["version"]) == ("succeeded", "v1")
    assert client.get(f"{base}/training-runs").json()["results"] == [followed]

    [version] = client.get(f"{base}/model-versions").json()["results"]
    assert (version["name"], version["status"]) == ("v1", "insufficient")
    gates = {gate["gate"]: gate for gate in version["evaluation"]["gates"]}
    assert gates["floor"]["needs"] == 90
    snapshot = client.get(f"{base}/snapshots/{version['snapshot']}").json()
    assert snapshot["versions"] == ["v1"]
    assert snapshot["counts"]["train"]["n"] == 40


@pytest.mark.parametrize(
    ("body", "field"), [({}, "reason"), ({"reason": ""}, "reason"), ({"why": "x"}, "why")]
)
def test_a_bad_wish_is_refused_by_field(body: dict[str, str], field: str) -> None:
    project = factories.make_project()
    client = api_client(make_key(project, Scope.MANAGE))
    url = f"/api/v1/projects/{project.slug}/training-runs"
    refused = client.post(url, json.dumps(body), content_type="application/json")
    assert refused.status_code == 400
    assert refused["Content-Type"] == "application/problem+json"
    assert field in json.dumps(refused.json()["errors"])


def test_keys_without_the_scope_and_unknown_things_are_refused() -> None:
    project = factories.make_project()
    base = f"/api/v1/projects/{project.slug}"
    feedback = api_client(make_key(project, Scope.FEEDBACK))
    manage = api_client(make_key(project, Scope.MANAGE))
    for path in ("training-runs", "training-runs/1", "model-versions", "snapshots/abc"):
        assert feedback.get(f"{base}/{path}").status_code == 403
        assert api_client(None).get(f"{base}/{path}").status_code == 401
    assert manage.get(f"{base}/training-runs/1").status_code == 404
    assert manage.get(f"{base}/snapshots/abc").status_code == 404


# In a browser.


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_lead_retrains_by_the_dialog_and_sees_the_run_move_without_reloading(
    live_server: object, page: Page
) -> None:
    project = factories.make_project()
    lead = make_member(project, Role.LEAD)
    client = signed_in(lead)
    address = str(live_server)
    session = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": address}
    page.context.add_cookies([session])  # type: ignore[list-item]
    page.goto(address + training_url(project))
    page.get_by_role("link", name="Retrain now").click()
    page.get_by_label("Reason").fill("New menu.")
    page.get_by_role("button", name="Retrain now").click()
    expect(page.locator(".answer")).to_contain_text("for a worker. New menu.")
    run = TrainingRun.objects.get()
    held = runs.claim(run_id=run.pk, now=utcnow())
    assert held is not None
    held.touch(step="freezing labels")
    expect(page.locator(".answer")).to_contain_text("is at work: freezing labels")
    held.finish("failed", now=utcnow(), error="Too few labels.")
    expect(page.locator("[data-live=runs]")).to_contain_text("Too few labels.")
    expect(page.get_by_role("link", name="Retrain now")).to_be_visible()
